//! A part of a record that proves itself elsewhere: chosen lines in clear, the hashes of those around them, what was signed,
//! and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_events::{Field, Seen};

use super::lines::{LinesOfFile, Piece, Place as _, hidden_line};
use super::opening::file_name;
use super::series::Series;
use crate::clock::Timestamp;

/// What an export says of itself.
const README: &str = include_str!("export.txt");

/// What is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// Events from this moment on.
    pub from: Option<Timestamp>,
    /// Events before this moment.
    pub to: Option<Timestamp>,
    /// Events of the person of this name or identifier.
    pub user: Option<String>,
    /// Only hashes: nothing is in clear.
    pub hashes: bool,
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Lines in clear.
    pub lines: u64,
    /// Lines whose hash alone is there.
    pub hidden: u64,
    /// Files.
    pub files: u64,
}

/// Blocks of each chain that are needed: the first and the last.
type Needed = BTreeMap<Arc<str>, (u64, u64)>;

impl Export {
    /// Whether a line is to be in clear. Lines of the chain's own have no person, and are always.
    fn takes(&self, line: &[u8]) -> bool {
        let Ok(seen) = Seen::read(line) else { return false };
        let time = seen.text(Field::Time).unwrap_or_default();
        let at = |moment: &Timestamp| moment.rfc3339().trim_end_matches('Z').to_owned();
        let after = self.from.as_ref().is_none_or(|from| time >= at(from).as_str());
        let before = self.to.as_ref().is_none_or(|to| time < at(to).as_str());
        let is =
            |user: &str| [Field::User, Field::Subject].iter().any(|field| seen.text(*field) == Some(user));
        after && before && self.user.as_deref().is_none_or(is)
    }

    /// Writes a folder, which is new, with what of these files is chosen. `signed`: what was signed, to the letter.
    ///
    /// # Errors
    /// Where something cannot be read or written.
    pub fn write(
        &self,
        files: &[PathBuf],
        signed: &str,
        series: &[Series],
        folder: &Path,
    ) -> io::Result<Exported> {
        let needed = self.needed(files, series)?;
        DirBuilder::new().mode(0o700).create(folder)?;
        let mut exported = Exported::default();
        for file in files {
            self.write_file(file, &needed, folder, &mut exported)?;
        }
        let keys = series.iter().flat_map(|one| &one.keys).map(|known| format!("{}\n", known.key));
        for (name, text) in [("checkpoints", signed), ("keys", &keys.collect::<String>()), ("README", README)]
        {
            create(&folder.join(name))?.write_all(text.as_bytes())?;
        }
        Ok(exported)
    }

    fn needed(&self, files: &[PathBuf], series: &[Series]) -> io::Result<Needed> {
        let mut needed = Needed::new();
        for file in files {
            let (mut lines, mut chosen, mut last) = (read(file)?, false, None);
            while let Some(placed) = lines.next()? {
                match placed.piece {
                    Piece::Footer(footer) => {
                        if std::mem::take(&mut chosen) {
                            need(&mut needed, &footer.chain, footer.number);
                        }
                        last = Some((footer.chain, footer.number));
                    }
                    Piece::Line(_) => chosen |= self.takes(lines.text()),
                    Piece::Opening(..) | Piece::Hidden(_) | Piece::Past(_) | Piece::Rest => {}
                }
            }
            if let Some((chain, number)) = last.filter(|_| chosen) {
                need(&mut needed, &chain, number + 1);
            }
        }
        for (chain, (_, last)) in &mut needed {
            *last = signed_from(series, chain, *last);
        }
        Ok(needed)
    }

    fn write_file(
        &self,
        file: &Path,
        needed: &Needed,
        folder: &Path,
        exported: &mut Exported,
    ) -> io::Result<()> {
        let (mut lines, mut block, mut out) = (read(file)?, Vec::new(), None);
        let mut counted = Exported::default();
        let mut next = None;
        loop {
            let placed = lines.next()?;
            let ends = match placed.as_ref().map(|placed| &placed.piece) {
                None | Some(Piece::Rest) => next.clone(),
                Some(Piece::Footer(footer)) => {
                    next = Some((Arc::clone(&footer.chain), footer.number + 1));
                    Some((Arc::clone(&footer.chain), footer.number))
                }
                Some(Piece::Opening(..)) => {
                    block.extend_from_slice(lines.text());
                    continue;
                }
                Some(Piece::Line(hash)) if !self.hashes && self.takes(lines.text()) => {
                    let _ = hash;
                    block.extend_from_slice(lines.text());
                    counted.lines += 1;
                    continue;
                }
                Some(Piece::Line(hash) | Piece::Hidden(hash) | Piece::Past(hash)) => {
                    block.extend_from_slice(&hidden_line(hash));
                    counted.hidden += 1;
                    continue;
                }
            };
            if placed.as_ref().is_some_and(|placed| matches!(placed.piece, Piece::Footer(_))) {
                block.extend_from_slice(lines.text());
            }
            let range = ends.and_then(|(chain, number)| Some((number, needed.get(&chain)?)));
            if range.is_some_and(|(number, (first, last))| (*first..=*last).contains(&number))
                && !block.is_empty()
            {
                write_block(&mut out, &folder.join(file_name(file)), &block)?;
                exported.lines += counted.lines;
                exported.hidden += counted.hidden;
            }
            block.clear();
            counted = Exported::default();
            if placed.is_none() {
                exported.files += u64::from(out.is_some());
                return out.map_or(Ok(()), |mut out: BufWriter<File>| out.flush());
            }
        }
    }
}

fn need(needed: &mut Needed, chain: &Arc<str>, number: u64) {
    let range = needed.entry(Arc::clone(chain)).or_insert((number, number));
    *range = (range.0.min(number), range.1.max(number));
}

/// The block from which on this one is signed: the next one that a checkpoint tells.
fn signed_from(series: &[Series], chain: &str, number: u64) -> u64 {
    let checkpoints = series.iter().flat_map(|one| one.checkpoints.values());
    let heads = checkpoints.flat_map(|checkpoint| &checkpoint.heads);
    let signed = heads.filter(|head| *head.chain == *chain && head.number >= number).map(|head| head.number);
    let signed = signed.min().unwrap_or(number);
    mutant!(signed, "export-ends-before-it-is-signed" => number)
}

fn read(file: &Path) -> io::Result<LinesOfFile<BufReader<File>>> {
    Ok(LinesOfFile::new(file_name(file), BufReader::with_capacity(1 << 17, File::open(file)?)))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn write_block(out: &mut Option<BufWriter<File>>, path: &Path, block: &[u8]) -> io::Result<()> {
    match out {
        Some(out) => out.write_all(block),
        None => out.insert(BufWriter::new(create(path)?)).write_all(block),
    }
}

/// The files of an export, and what was signed.
///
/// # Errors
/// Where it cannot be read.
pub fn read_export(folder: &Path) -> io::Result<(Vec<PathBuf>, String)> {
    let signed = fs::read_to_string(folder.join("checkpoints"))?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = ["checkpoints", "keys", "README"].iter().any(|own| entry.file_name() == **own);
        if !own && entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok((files, signed))
}
