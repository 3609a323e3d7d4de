//! What files are called that are full, and which of them go.

use std::path::{Path, PathBuf};

use super::settings::Rotation;
use crate::clock::Timestamp;

/// The names of the files of one sink: `events.jsonl`, and `events.20261130T190513Z-9f2c41d07ab3-0001.jsonl` for each that
/// it has been. In the order of their names they are in the order of their times.
#[derive(Debug)]
pub(super) struct Names {
    folder: PathBuf,
    stem: String,
    end: String,
}

impl Names {
    pub(super) fn new(path: &Path) -> Self {
        let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        let end = part(path.extension()).map_or_else(String::new, |end| format!(".{end}"));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new(".")).to_owned();
        Self { folder, stem: part(path.file_stem()).unwrap_or_default(), end }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a file is called whose first line is of this moment, the `number`th of this process.
    pub(super) fn old(&self, first: Timestamp, process: &str, number: u32) -> PathBuf {
        let time = first.rfc3339().replace(['-', ':'], "");
        self.folder.join(format!("{}.{time}-{process}-{number:04}{}", self.stem, self.end))
    }

    /// Whether a file's name is one of these.
    pub(super) fn is_old(&self, name: &str) -> bool {
        let inside = || name.strip_prefix(&self.stem)?.strip_prefix('.')?.strip_suffix(&self.end);
        let Some([time, process, number]) = inside().and_then(|inside| parts(inside)) else { return false };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_time = time.len() == 16 && time.ends_with('Z') && time.as_bytes()[8] == b'T';
        is_time
            && digits(&time[..8])
            && digits(&time[9..15])
            && !process.is_empty()
            && process.bytes().all(|byte| byte.is_ascii_hexdigit())
            && number.len() >= 4
            && digits(number)
    }
}

fn parts(inside: &str) -> Option<[&str; 3]> {
    let mut parts = inside.split('-');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    (inside.is_ascii() && parts.next().is_none()).then_some(three)
}

/// An old file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Old {
    pub(super) name: String,
    pub(super) bytes: u64,
}

impl Rotation {
    /// Whether a file of so many bytes, whose first line is so old, goes on in a new one before so many bytes are added.
    pub(super) fn is_due(&self, bytes: u64, age: std::time::Duration, more: u64) -> bool {
        let full = self.size.is_some_and(|size| bytes + more > size);
        bytes > 0 && (full || self.every.is_some_and(|every| age >= every))
    }

    /// Which old files go, where the one that is written has so many bytes.
    pub(super) fn spare(&self, mut old: Vec<Old>, bytes: u64) -> Vec<Old> {
        old.sort();
        let (mut kept, mut all) = (0, bytes);
        old.into_iter()
            .rev()
            .filter(|file| {
                all = all.saturating_add(file.bytes);
                let stays =
                    self.keep.is_none_or(|keep| kept < keep) && self.total.is_none_or(|total| all <= total);
                kept += 1;
                !stays
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn old_names_are_known_again_and_no_others() {
        let names = Names::new(Path::new("/var/log/portcullis/events.jsonl"));
        let old = names.old(Timestamp::from_seconds(1_800_000_000), "9f2c41d07ab3", 7);
        assert_eq!(old, Path::new("/var/log/portcullis/events.20270115T080000Z-9f2c41d07ab3-0007.jsonl"));
        assert!(names.is_old("events.20270115T080000Z-9f2c41d07ab3-0007.jsonl"));
        for other in [
            "events.jsonl",
            "events.20270115T080000Z-9f2c41d07ab3-0007.jsonl.gz",
            "other.20270115T080000Z-9f2c41d07ab3-0007.jsonl",
            "events.20270115T080000Z-9f2c41d07ab3-07.jsonl",
            "events.20270115T080000Z-9f2c-x-0007.jsonl",
            "events.2027011日080000Z-9f2c41d07ab3-0007.jsonl",
            "events..jsonl",
        ] {
            assert!(!names.is_old(other), "{other}");
        }
        let bare = Names::new(Path::new("events"));
        assert_eq!(bare.folder(), Path::new("."));
        assert!(bare.is_old("events.20270115T080000Z-9f-0001"));
    }

    #[test]
    fn a_file_goes_on_in_a_new_one_when_it_is_full_or_old() {
        let rotation =
            Rotation { size: Some(100), every: Some(Duration::from_secs(60)), ..Rotation::default() };
        assert!(!rotation.is_due(60, Duration::ZERO, 40));
        assert!(rotation.is_due(60, Duration::ZERO, 41));
        assert!(rotation.is_due(1, Duration::from_secs(60), 0));
        assert!(!rotation.is_due(0, Duration::from_secs(99), 500), "an empty one is as good as a new one");
        assert!(!Rotation::default().is_due(u64::MAX - 9, Duration::MAX, 1));
    }

    proptest! {
        /// Against a list that is looked at again and again.
        #[test]
        fn the_oldest_go(
            sizes in prop::collection::vec(0..50u64, 0..12),
            keep in prop::option::of(0..8usize),
            total in prop::option::of(0..300u64),
            bytes in 0..50u64,
        ) {
            let all: Vec<_> =
                sizes.iter().enumerate().map(|(at, bytes)| Old { name: format!("{at:04}"), bytes: *bytes }).collect();
            let mut left = all.clone();
            let fits = |left: &[Old]| {
                let sum = bytes + left.iter().map(|file| file.bytes).sum::<u64>();
                keep.is_none_or(|keep| left.len() <= keep) && total.is_none_or(|total| sum <= total)
            };
            while !left.is_empty() && !fits(&left) {
                left.remove(0);
            }
            let gone = Rotation { keep, total, ..Rotation::default() }.spare(all.iter().rev().cloned().collect(), bytes);
            let mut expected = all[..all.len() - left.len()].to_vec();
            expected.reverse();
            prop_assert_eq!(gone, expected);
        }
    }
}
