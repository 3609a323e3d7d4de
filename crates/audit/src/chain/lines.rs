//! What a chain is made of, wherever it lies, and how it lies in a file of lines.

use std::io::{self, BufRead};

use memchr::{memchr, memmem};
use portcullis_events::{Field, Kind, LONGEST_LINE, Seen};

use super::footer::{FOOTER, Footer, text};
use super::hash::{Hash, LineHash};
use super::opening::{OPENING, Opening};

/// What stands for a line that is left out: its hash.
pub(crate) const HIDDEN: &[u8] = b"{\"v\":1,\"type\":\"record.hash\",";

/// One piece of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A line, by the hash of its bytes, the line feed included.
    Line(Hash),
    /// A line that is left out: the hash is all that is there of it.
    Hidden(Hash),
    /// Where the chain begins or goes on; it is a line of its block.
    Opening(Opening, Hash),
    /// The end of a block.
    Footer(Footer),
    /// Bytes at the end that are no whole line.
    Rest,
}

/// A piece, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The number of the line, or of the row, from 1 on.
    pub line: u64,
    /// The byte where it begins.
    pub at: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it is.
    pub piece: Piece,
}

/// Something that holds pieces of a chain in their order: a file of lines, a segment of a store.
pub trait Place {
    /// What people and the chain call it: a file's name without its folder.
    fn name(&self) -> &str;

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn next(&mut self) -> io::Result<Option<Placed>>;

    /// The signed notes that stood in what was given, as events tell them.
    fn take_notes(&mut self) -> Vec<String>;
}

/// A file of lines.
#[derive(Debug)]
pub struct LinesOfFile<R> {
    name: String,
    from: R,
    line: u64,
    at: u64,
    text: Vec<u8>,
    notes: Vec<String>,
}

impl<R: BufRead> LinesOfFile<R> {
    /// What can be read from here on, as the file of this name.
    pub fn new(name: impl Into<String>, from: R) -> Self {
        Self { name: name.into(), from, line: 0, at: 0, text: Vec::new(), notes: Vec::new() }
    }

    /// The line that was given last, as far as a line of ours can be long.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Reads a line: its hash and its bytes, and whether it ends. Of one that is too long for ours the beginning is kept.
    fn read_line(&mut self) -> io::Result<(Hash, u64, bool)> {
        let (mut hash, mut bytes) = (LineHash::default(), 0);
        self.text.clear();
        loop {
            let buffer = self.from.fill_buf()?;
            let end = memchr(b'\n', buffer).map(|at| at + 1);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (LONGEST_LINE + 1).saturating_sub(self.text.len()).min(part.len());
            self.text.extend_from_slice(&part[..room]);
            let taken = part.len();
            bytes += taken as u64;
            let ended = end.is_some() || taken == 0;
            let whole = ended.then(|| hash.end(part));
            if whole.is_none() {
                hash.add(part);
            }
            self.from.consume(taken);
            if let Some(whole) = whole {
                return Ok((whole, bytes, end.is_some()));
            }
        }
    }
}

fn piece(text: &[u8], hash: Hash) -> Piece {
    if text.starts_with(FOOTER)
        && let Some(footer) = Footer::read(text)
    {
        return Piece::Footer(footer);
    }
    if text.starts_with(OPENING)
        && let Some(opening) = Opening::read(text)
    {
        return Piece::Opening(opening, hash);
    }
    if text.starts_with(HIDDEN)
        && let Some(hidden) = hidden(text)
    {
        return Piece::Hidden(hidden);
    }
    Piece::Line(hash)
}

/// The signed note that an event tells.
pub(crate) fn note(line: &[u8]) -> Option<String> {
    memmem::find(line, b"\"note\":\"")?;
    let seen = Seen::read(line).ok()?;
    let signed = matches!(seen.kind()?, Kind::RecordCheckpoint | Kind::KeyRotated);
    seen.text(Field::Note).filter(|_| signed && seen.texts(Field::Truncated).is_empty()).map(str::to_owned)
}

fn hidden(line: &[u8]) -> Option<Hash> {
    Hash::read(text(&Seen::read(line).ok()?, "hash")?)
}

/// The line that stands for one that is left out.
pub(crate) fn hidden_line(hash: &Hash) -> Vec<u8> {
    let start = String::from_utf8_lossy(HIDDEN);
    format!("{start}\"hash\":\"{hash}\"}}\n").into_bytes()
}

impl<R: BufRead> Place for LinesOfFile<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self) -> io::Result<Option<Placed>> {
        let (hash, bytes, whole) = self.read_line()?;
        if bytes == 0 {
            return Ok(None);
        }
        self.line += 1;
        let at = self.at;
        self.at += bytes;
        let piece = if whole { piece(&self.text, hash) } else { Piece::Rest };
        self.notes.extend(note(&self.text));
        Ok(Some(Placed { line: self.line, at, bytes, piece }))
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_are_read_with_their_places_however_they_are_cut() {
        let long = "x".repeat(20_000);
        let hidden = String::from_utf8(hidden_line(&Hash::of(b"h"))).unwrap();
        let text = format!("one\n{hidden}{long}\n\nrest");
        let line = |text: &str| Piece::Line(Hash::of(text.as_bytes()));
        for capacity in [1, 7, 100, 65_536] {
            let mut file = LinesOfFile::new("a", BufReader::with_capacity(capacity, text.as_bytes()));
            let mut at = 0;
            for (number, (piece, bytes)) in [
                (line("one\n"), 4),
                (Piece::Hidden(Hash::of(b"h")), hidden.len() as u64),
                (line(&format!("{long}\n")), 20_001),
                (line("\n"), 1),
                (Piece::Rest, 4),
            ]
            .into_iter()
            .enumerate()
            {
                let expected = Placed { line: number as u64 + 1, at, bytes, piece };
                assert_eq!(file.next().unwrap(), Some(expected));
                at += bytes;
            }
            assert_eq!(file.next().unwrap(), None);
        }
    }
}
