//! What the files of a store are called.

use std::path::{Path, PathBuf};

/// Who people are, and their keys.
pub(super) const PEOPLE: &str = "people.db";
/// What the store's keys follow from.
pub(super) const KEY: &str = "store.key";
/// Who has been erased.
pub(super) const ERASED: &str = "erased";
/// The same, beside the folder: behind its name.
pub(super) const ERASED_BESIDE: &str = "-erased";
/// Held by the process that removes what is old and closes what others left.
pub(super) const LOCK: &str = "LOCK";

const OPEN: &str = "open";
const CLOSED: &str = "seg";

/// The name of a segment: `000042-9f2c41d07ab3.seg`, or `.open` while it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SegmentName {
    pub(super) number: u64,
    /// The process that writes it.
    pub(super) process: Box<str>,
    pub(super) is_open: bool,
}

impl SegmentName {
    pub(super) fn new(number: u64, process: &str) -> Self {
        Self { number, process: process.into(), is_open: true }
    }

    /// The segment that a file is; none where it is something else.
    pub(super) fn of(file: &str) -> Option<Self> {
        let (stem, end) = file.rsplit_once('.')?;
        let is_open = (end == OPEN).then_some(true).or((end == CLOSED).then_some(false))?;
        let (number, process) = stem.split_once('-')?;
        let plain = number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let known = process.len() == 12 && process.bytes().all(hex);
        let number = number.parse().ok().filter(|_| plain && known)?;
        Some(Self { number, process: process.into(), is_open })
    }

    /// The same segment, closed.
    pub(super) fn closed(&self) -> Self {
        Self { is_open: false, ..self.clone() }
    }

    pub(super) fn file(&self) -> String {
        let end = if self.is_open { OPEN } else { CLOSED };
        format!("{:06}-{}.{end}", self.number, self.process)
    }

    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.file())
    }
}

/// What lies beside a folder, whose name it has and more.
pub(super) fn beside(folder: &Path, more: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// Held by a process as long as it writes here.
pub(super) fn process_lock(folder: &Path, process: &str) -> PathBuf {
    folder.join(format!("{process}.lock"))
}

/// The segments in a folder, the oldest number first.
pub(super) fn segments(folder: &Path) -> std::io::Result<Vec<SegmentName>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        found.extend(entry?.file_name().to_str().and_then(SegmentName::of));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_known_by_their_names_and_nothing_else_is() {
        let name = SegmentName::new(42, "9f2c41d07ab3");
        assert_eq!(name.file(), "000042-9f2c41d07ab3.open");
        assert_eq!(SegmentName::of(&name.file()), Some(name.clone()));
        assert_eq!(SegmentName::of("000042-9f2c41d07ab3.seg"), Some(name.closed()));
        assert_eq!(SegmentName::of("1000042-9f2c41d07ab3.seg").map(|name| name.number), Some(1_000_042));
        for other in [
            "people.db",
            "000042-9f2c41d07ab3.open-wal",
            "42-9f2c41d07ab3.seg",
            "000042-9F2C41D07AB3.seg",
            "000042-9f2c.seg",
            "+00042-9f2c41d07ab3.seg",
            "99999999999999999999999-9f2c41d07ab3.seg",
            ".seg",
        ] {
            assert_eq!(SegmentName::of(other), None, "{other}");
        }
    }
}
