//! The line with which a chain begins, or goes on: in a new file, and where another process goes on in one.

use std::fmt::Write as _;
use std::sync::Arc;

use portcullis_events::{Field, Seen, push_inert};

use super::footer::{chain_name, number, text};
use super::hash::Hash;
use crate::clock::Timestamp;

/// What an opening begins with, and no event.
pub(crate) const OPENING: &[u8] = b"{\"v\":1,\"type\":\"record.chain\",";

/// Bytes of a file's name that are told.
const LONGEST_NAME: usize = 1024;

/// Where a chain goes on from. It is the first line of the block that follows, or stands in its midst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When.
    pub time: String,
    /// The chain.
    pub chain: Arc<str>,
    /// The number of the block that it stands in.
    pub number: u64,
    /// The hash of the block before.
    pub prev: Hash,
    /// How many lines above it in the same file are in no block yet. They are in this one, and nobody can say for them
    /// what happened to them before.
    pub open: u64,
    /// The file in which the block before is; none where that is this file, where there is none, and where its name is
    /// not known.
    pub file: Option<String>,
    /// The newest of the files that the sink has removed just before, as it was told to; all older ones are gone as well.
    pub removed: Option<String>,
    /// In a store, the time of the newest event in the segment before, in microseconds since 1970.
    pub until: Option<u64>,
    /// In a store, that every closed segment goes whose newest event is not younger than this.
    pub removed_until: Option<u64>,
}

impl Opening {
    pub(crate) fn new(now: Timestamp, chain: &Arc<str>, number: u64, prev: Hash) -> Self {
        let (time, chain) = (now.rfc3339(), Arc::clone(chain));
        Self {
            time,
            chain,
            number,
            prev,
            open: 0,
            file: None,
            removed: None,
            until: None,
            removed_until: None,
        }
    }

    /// The line, with its line feed.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let Self { time, chain, number, prev, open, file, removed, until, removed_until } = self;
        let mut start = String::from_utf8_lossy(OPENING).into_owned();
        let _ = write!(
            start,
            "\"time\":\"{time}\",\"chain\":\"{chain}\",\"number\":{number},\"prev\":\"{prev}\""
        );
        let _ = write!(start, ",\"open\":{open}");
        let mut line = start.into_bytes();
        for (name, value) in [("file", file), ("removed", removed)] {
            if let Some(value) = value {
                line.extend_from_slice(format!(",\"{name}\":\"").as_bytes());
                push_inert(value, &mut line);
                line.push(b'"');
            }
        }
        for (name, value) in [("until", until), ("removed_until", removed_until)] {
            if let Some(value) = value {
                line.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
            }
        }
        line.extend_from_slice(b"}\n");
        line
    }

    /// What a line says; none where it is no opening.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        if !line.starts_with(OPENING) {
            return None;
        }
        let seen = Seen::read(line).ok()?;
        Some(Self {
            time: seen.text(Field::Time)?.to_owned(),
            chain: chain_name(text(&seen, "chain")?)?,
            number: number(&seen, "number")?,
            prev: Hash::read(text(&seen, "prev")?)?,
            open: number(&seen, "open")?,
            file: text(&seen, "file").map(str::to_owned),
            removed: text(&seen, "removed").map(str::to_owned),
            until: number(&seen, "until"),
            removed_until: number(&seen, "removed_until"),
        })
    }
}

/// A file's name as it is told: without its folder, and not longer than a line allows.
#[must_use]
pub fn file_name(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |letter: char| if letter.is_control() { '\u{FFFD}' } else { letter };
    let end = (0..=name.len().min(LONGEST_NAME)).rev().find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or_default()].chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_read_as_it_was_written_whatever_files_are_called() {
        let bare = Opening::new(Timestamp::from_seconds(1_800_000_000), &"file/9f".into(), 7, Hash::of(b"x"));
        assert_eq!(Opening::read(&bare.line()), Some(bare.clone()));
        let name = file_name(std::path::Path::new("/var/a\"\n\u{202e}\u{1b}日.jsonl"));
        let (until, removed_until) = (Some(1_800_000_000_000_000), Some(7));
        let full =
            Opening { open: 3, file: Some(name.clone()), removed: Some(name), until, removed_until, ..bare };
        let line = full.line();
        assert!(line.iter().all(|byte| *byte >= 0x20 || *byte == b'\n'), "{}", line.escape_ascii());
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(Opening::read(&line), Some(full));
        assert_eq!(Opening::read(b"{\"v\":1,\"type\":\"record.chain\",\"time\":1}\n"), None);
        assert_eq!(file_name(std::path::Path::new(&"日".repeat(900))).len(), 1023);
    }
}
