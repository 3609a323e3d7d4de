//! The file of checkpoints: signed notes, each with an empty line behind it. Nothing is ever taken out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// A file of checkpoints that is being written.
#[derive(Debug)]
pub struct CheckpointLog {
    file: File,
}

impl CheckpointLog {
    /// Opens or makes it.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
        Ok(Self { file })
    }

    /// All of it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn text(&mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Adds what is not in it yet, as after the end of a process between keeping and writing.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn complete<'a>(&mut self, notes: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        let mut missing: Vec<_> = notes.into_iter().collect();
        let ended = self.read_through(|line| {
            // No two notes have one signature.
            missing
                .retain(|note| note.lines().next_back().is_none_or(|signature| signature.as_bytes() != line));
        })?;
        if !ended {
            // A note that was torn is left behind; the whole one follows.
            self.file.write_all(b"\n\n")?;
        }
        missing.into_iter().try_for_each(|note| self.add(note))
    }

    /// The number of the last checkpoint of this origin; 0 where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn last_number(&mut self, origin: &str) -> io::Result<u64> {
        let (mut last, mut follows) = (0, false);
        self.read_through(|line| {
            let text = str::from_utf8(line).ok().filter(|_| follows);
            let number = text.and_then(|text| text.parse::<u64>().ok());
            last = number.unwrap_or_default().max(last);
            follows = line == origin.as_bytes();
        })?;
        Ok(last)
    }

    /// Shows every line; whether the last note is whole.
    fn read_through(&mut self, mut show: impl FnMut(&[u8])) -> io::Result<bool> {
        self.file.seek(SeekFrom::Start(0))?;
        let (mut reader, mut line, mut last) = (BufReader::new(&self.file), Vec::new(), Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            show(line.trim_ascii_end());
            std::mem::swap(&mut line, &mut last);
            line.clear();
        }
        Ok(last.is_empty() || last == b"\n")
    }

    /// Adds a note, and waits until it is on the disk.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, note: &str) -> io::Result<()> {
        self.file.write_all(format!("{note}\n").as_bytes())?;
        self.file.sync_data()
    }
}

/// The notes of a file of checkpoints, and what is none, as it stands: each with its last line feed.
pub fn read_notes(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
    let mut parts = parts.peekable();
    std::iter::from_fn(move || {
        let part = parts.next()?;
        Some(match parts.next_if(|next| next.starts_with('\u{2014}')) {
            Some(signed) => format!("{part}\n\n{signed}\n"),
            None => format!("{part}\n"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "one\nmore\n\n\u{2014} a b\n";
    const TWO: &str = "two\n\n\u{2014} a c\n\u{2014} d e\n";

    #[test]
    fn what_was_written_is_read_and_what_is_missing_is_added_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("checkpoints");
        CheckpointLog::open(&path).unwrap().add(ONE).unwrap();
        let mut log = CheckpointLog::open(&path).unwrap();
        log.complete([ONE, TWO]).unwrap();
        log.complete([ONE, TWO]).unwrap();
        assert_eq!(read_notes(&log.text().unwrap()).collect::<Vec<_>>(), [ONE, TWO]);
    }

    #[test]
    fn a_note_that_is_torn_anywhere_does_not_spoil_the_others() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("checkpoints");
        for cut in 0..=TWO.len() {
            let mut torn = format!("{ONE}\n").into_bytes();
            torn.extend_from_slice(&TWO.as_bytes()[..cut]);
            std::fs::write(&path, torn).unwrap();
            let mut log = CheckpointLog::open(&path).unwrap();
            log.complete([ONE, TWO]).unwrap();
            let notes: Vec<_> = read_notes(&log.text().unwrap()).collect();
            assert!(notes.contains(&ONE.to_owned()) && notes.contains(&TWO.to_owned()), "{cut}: {notes:?}");
        }
    }
}
