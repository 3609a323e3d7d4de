//! What goes: whole segments, the oldest first. No row is ever deleted, so that nobody waits for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::catalogue::{Catalogue, Listed};
use super::names::{self, SegmentName};
use super::people::People;
use super::settings::StoreSettings;

/// Segments that were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Removed {
    /// The newest of them.
    pub(super) file: PathBuf,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

/// Segments that are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spare {
    all: Vec<Old>,
    /// The time of their newest event, in microseconds since 1970.
    pub(super) until: u64,
}

/// A segment, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Old {
    /// The time of its last event.
    pub(super) until: u64,
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) is_open: bool,
}

/// Which of them go, the oldest first, where all other files of the folder have so many bytes.
pub(super) fn spare(settings: &StoreSettings, mut all: Vec<Old>, others: u64, now: u64) -> Vec<Old> {
    all.sort();
    let keep = u64::try_from(settings.keep.as_micros()).unwrap_or(u64::MAX);
    let oldest = now.saturating_sub(keep);
    let mut bytes = all.iter().fold(others, |sum, segment| sum.saturating_add(segment.bytes));
    let may_go = |segment: &Old| mutant!(!segment.is_open, "retention-drops-the-open-segment" => true);
    let mut goes = |segment: &Old| {
        let is_much = mutant!(bytes > settings.size, "retention-by-time-alone" => false);
        let goes = may_go(segment) && (segment.until < oldest || is_much);
        bytes -= if goes { segment.bytes } else { 0 };
        goes
    };
    all.into_iter().filter(|segment| goes(segment)).collect()
}

/// What is too old or too much; none where nothing is.
pub(super) fn spare_now(settings: &StoreSettings, now: u64) -> Option<Spare> {
    let all = segments(&settings.path);
    let others = bytes(&settings.path).saturating_sub(of_segments(&all));
    let all = spare(settings, all, others, now);
    let until = all.iter().map(|segment| segment.until).max()?;
    Some(Spare { all, until })
}

fn of_segments(all: &[Old]) -> u64 {
    all.iter().map(|segment| segment.bytes).sum()
}

/// Removes them.
pub(super) fn remove(settings: &StoreSettings, spare: &Spare, now: u64) -> Option<Removed> {
    let folder = settings.path.as_path();
    let is_gone = |segment: &&Old| fs::remove_file(folder.join(&segment.name)).is_ok();
    let gone: Vec<_> = spare.all.iter().filter(is_gone).cloned().collect();
    let newest = gone.last()?;
    let keep = u64::try_from(settings.keep.as_micros()).unwrap_or(u64::MAX);
    // Whoever has not been seen for so long has no event any more.
    let _ = People::forget(&folder.join(names::PEOPLE), now.saturating_sub(keep));
    Some(Removed { file: folder.join(&newest.name), count: gone.len() as u64, bytes: of_segments(&gone) })
}

/// Bytes of all files in the folder.
fn bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn segments(folder: &Path) -> Vec<Old> {
    let (listed, damaged) = Catalogue::new(folder).list().unwrap_or_default();
    let damaged = damaged.into_iter().filter_map(|damaged| of_damaged(&damaged.file));
    listed.iter().map(of_listed).chain(damaged).collect()
}

fn of_listed(listed: &Listed) -> Old {
    let (until, bytes, is_open) = (listed.until(), listed.bytes, listed.name.is_open);
    Old { until, name: listed.name.file(), bytes, is_open }
}

/// One that cannot be read is as old as its file.
fn of_damaged(file: &Path) -> Option<Old> {
    let name = SegmentName::of(file.file_name()?.to_str()?)?;
    let metadata = fs::metadata(file).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let until = u64::try_from(changed.as_micros()).ok()?;
    Some(Old { until, name: name.file(), bytes: metadata.len(), is_open: name.is_open })
}
