//! Who has been erased: a list that only grows. It lies twice, in the folder of the store and beside it, so that a folder
//! that is put back from a backup makes nobody readable again (invariant 27): what either of them says counts, and each is made whole by
//! the other. It holds keyed digests and times, and no names.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::keys::Pseudonym;
use super::names;

/// The first line.
const HEADER: &str = "portcullis erasures, version 1\n";
/// Bytes of a list that is read: more than a million people.
const LARGEST: u64 = 64 << 20;

/// Everybody who was erased, and up to when what they did is theirs: microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Erasures(HashMap<Pseudonym, u64>);

impl Erasures {
    /// What both lists say. Nothing is written.
    pub(super) fn read(folder: &Path) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for path in places(folder) {
            all.add_all(&of_file(&path)?);
        }
        Ok(all)
    }

    /// What both lists say; what is missing from one of them is written there.
    pub(super) fn merge(folder: &Path) -> Result<Self, StoreError> {
        let all = Self::read(folder)?;
        all.write(folder)?;
        Ok(all)
    }

    /// Writes somebody into both lists; both are on the disk when this returns.
    pub(super) fn add(folder: &Path, person: Pseudonym, until: u64) -> Result<(), StoreError> {
        Self(HashMap::from([(person, until)])).write(folder)
    }

    fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let is_there = |path: &&PathBuf| {
            path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir())
        };
        places(folder).iter().filter(is_there).try_for_each(|path| self.complete(path))
    }

    /// Writes what is missing from a list. Whoever else does waits meanwhile.
    fn complete(&self, path: &Path) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let fault = StoreError::io(path);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = file.map_err(&fault)?;
        file.lock().map_err(&fault)?;
        let text = content(&file).map_err(&fault)?;
        let known = parse(&text).map_err(|why| StoreError::foreign(path, why))?;
        let mut missing: Vec<_> =
            self.0.iter().filter(|(who, until)| known.until(**who) < Some(**until)).collect();
        missing.sort();
        let lines: String = missing.iter().map(|(who, until)| format!("{who} {until}\n")).collect();
        append(&file, &text, &lines).and_then(|()| sync_folder(path)).map_err(&fault)
    }

    fn add_all(&mut self, other: &Self) {
        for (person, until) in &other.0 {
            let known = self.0.entry(*person).or_insert(*until);
            *known = (*known).max(*until);
        }
    }

    /// Up to when somebody was erased; none: they were not.
    pub(super) fn until(&self, person: Pseudonym) -> Option<u64> {
        self.0.get(&person).copied()
    }

    pub(super) fn has(&self, person: Pseudonym) -> bool {
        self.0.contains_key(&person)
    }

    pub(super) fn people(&self) -> impl Iterator<Item = Pseudonym> {
        self.0.keys().copied()
    }
}

/// The list of whom a store in this folder has erased, where there is one: what a backup is to hold.
#[must_use]
pub fn erasures_of(folder: &Path) -> Option<PathBuf> {
    places(folder).into_iter().find(|path| path.exists())
}

/// Takes what a list says, such as one that a backup holds, into those of the store in this folder, which lose nothing by it.
///
/// # Errors
/// Where it is no such list, or one of the store's cannot be read or written.
pub fn take_erasures(folder: &Path, list: impl io::Read, of: &Path) -> Result<(), StoreError> {
    let mut text = Vec::new();
    list.take(LARGEST).read_to_end(&mut text).map_err(StoreError::io(of))?;
    parse(&text).map_err(|why| StoreError::foreign(of, why))?.write(folder)
}

/// The two lists of a store: the one beside its folder first, for that is the one that is never put back with it.
pub(super) fn places(folder: &Path) -> [PathBuf; 2] {
    [names::beside(folder, names::ERASED_BESIDE), folder.join(names::ERASED)]
}

fn of_file(path: &Path) -> Result<Erasures, StoreError> {
    let text = match File::open(path) {
        Ok(file) => content(&file).map_err(StoreError::io(path))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Erasures::default()),
        Err(error) => return Err(StoreError::io(path)(error)),
    };
    parse(&text).map_err(|why| StoreError::foreign(path, why))
}

fn content(file: &File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    let fits = u64::try_from(text.len()).is_ok_and(|length| length <= LARGEST);
    fits.then_some(text).ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "longer than 64 MiB"))
}

/// What a list says. A last line without its end is one whose writing broke off: nobody was told that it is done.
pub(super) fn parse(text: &[u8]) -> Result<Erasures, String> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let text = str::from_utf8(&text[..whole]).map_err(|_| "it is no text".to_owned())?;
    if text.is_empty() {
        return Ok(Erasures::default());
    }
    let lines = text.strip_prefix(HEADER).ok_or("it is no list of erasures of this version")?;
    let mut all = Erasures::default();
    for (index, line) in lines.lines().enumerate() {
        let (person, until) = entry(line).ok_or_else(|| format!("line {} cannot be read", index + 2))?;
        all.add_all(&Erasures(HashMap::from([(person, until)])));
    }
    Ok(all)
}

fn entry(line: &str) -> Option<(Pseudonym, u64)> {
    let (person, until) = line.split_once(' ')?;
    let plain = until.bytes().all(|byte| byte.is_ascii_digit());
    Some((Pseudonym::of_hex(person)?, until.parse().ok().filter(|_| plain)?))
}

/// Writes lines behind the last whole one.
fn append(file: &File, text: &[u8], lines: &str) -> io::Result<()> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if lines.is_empty() {
        return Ok(());
    }
    let header = if whole == 0 { HEADER } else { "" };
    file.set_len(whole as u64)?;
    file.write_all_at(format!("{header}{lines}").as_bytes(), whole as u64)?;
    file.sync_all()
}

/// The name of a file that was made outlives a loss of power as well.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
