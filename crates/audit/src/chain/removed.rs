//! What a sink has removed itself, as it was told to, and has said in its chain.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::hash::Hash;
use super::opening::Opening;
use super::series::Series;
use super::ties::Head;
use super::walk::Section;
use crate::clock::Timestamp;

/// How much later than its newest event a segment's end may have been signed, in seconds: an interval is over after five minutes
/// in which nothing came, its block ends half a minute later, and what is new is signed each minute.
const SIGNED_WITHIN: u64 = 900;
/// How long it takes, in seconds, until what a chain says is signed.
const SIGNED_SOON: u64 = 180;

/// What an opening says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The block that it stands in.
    block: u64,
    /// When it was said, in seconds since 1970; none where that cannot be read.
    time: Option<u64>,
    removed: Removed,
}

impl Claim {
    pub(super) fn of(opening: &Opening) -> Option<Self> {
        let removed = Removed { file: opening.removed.clone(), until: opening.removed_until };
        let time = humantime::parse_rfc3339(&opening.time).ok();
        let time = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|time| time.as_secs());
        (removed != Removed::default()).then_some(Self { block: opening.number, time, removed })
    }
}

/// What was signed, as far as it says which claims can be believed: whoever can write a record can write a chain of their own
/// beside it, which says that everything was removed.
#[derive(Debug)]
pub(super) struct Believed {
    /// The last block of each chain that is as it was signed.
    ends: BTreeMap<Arc<str>, u64>,
    /// When anything was signed last; none: nothing is.
    last: Option<u64>,
}

impl Believed {
    pub(super) fn new(series: &[Series], sections: &[Section]) -> Self {
        let checkpoints = || series.iter().flat_map(|one| one.checkpoints.values());
        let heads = checkpoints().flat_map(|checkpoint| &checkpoint.heads);
        let signed: BTreeMap<(&str, u64), Hash> =
            heads.map(|head| ((&*head.chain, head.number), head.hash)).collect();
        let mut ends = BTreeMap::new();
        for section in sections {
            let is_signed = |number, hash| signed.get(&(&*section.chain, number)) == Some(&hash);
            let own = section.blocks.iter().filter(|block| is_signed(block.number, block.hash));
            if let Some(last) = own.map(|block| block.number).max() {
                let end = ends.entry(Arc::clone(&section.chain)).or_insert(last);
                *end = last.max(*end);
            }
        }
        Self { ends, last: checkpoints().map(|checkpoint| checkpoint.time.seconds()).max() }
    }

    /// What a place says and that is signed, or too new for that.
    pub(super) fn of<'s>(&'s self, section: &'s Section) -> impl Iterator<Item = &'s Removed> + 's {
        let signed = self.ends.get(&section.chain).copied().unwrap_or(0);
        let is_new = |claim: &Claim| match (claim.time, self.last) {
            (_, None) => true,
            (Some(time), Some(last)) => time.saturating_add(SIGNED_SOON) >= last,
            (None, Some(_)) => false,
        };
        let is_so = move |claim: &&Claim| mutant!(claim.block <= signed || is_new(claim), "unsigned-removal-believed" => true);
        section.removed.iter().filter(is_so).map(|claim| &claim.removed)
    }
}

/// How far a sink has removed what it wrote. Of files it says the newest one's name, in the order of which they go; of a
/// store's segments a moment, for they go by their newest events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    file: Option<String>,
    until: Option<u64>,
}

impl Removed {
    /// Whatever says more is so.
    pub(super) fn learn(&mut self, more: &Self) {
        self.file = self.file.take().max(more.file.clone());
        self.until = self.until.max(more.until);
    }

    /// Whether it has removed what this one goes on behind.
    pub(super) fn has_what_is_before(&self, section: &Section) -> bool {
        match section.before_until {
            Some(newest) => self.until.is_some_and(|until| newest <= until),
            None => section.before.as_deref().is_some_and(|before| self.has_file(before)),
        }
    }

    /// Whether it has removed what ended with this, which was signed first at this time.
    pub(super) fn has(&self, head: &Head, signed: Timestamp) -> bool {
        let seconds = self.until.map(|until| until / 1_000_000 + SIGNED_WITHIN);
        seconds.is_some_and(|seconds| signed.seconds() <= seconds) || self.has_file(&head.file)
    }

    /// Whether it has removed the file, or place, of this name. Of a database a day goes whole. A file that is written has a
    /// shorter name than those that it has been, and is never removed.
    pub(super) fn has_file(&self, name: &str) -> bool {
        self.file.as_deref().is_some_and(|removed| match (day_of(name), day_of(removed)) {
            (Some(day), Some(last)) => day <= last,
            (None, None) => name.len() >= removed.len() && name <= removed,
            (Some(_), None) | (None, Some(_)) => false,
        })
    }
}

/// The day that a place of a database is of, which goes for all sinks at once; none: it is a file or a segment, whose name has
/// no slash.
pub(super) fn day_of(place: &str) -> Option<&str> {
    place.split_once('/').map(|(day, _)| day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_was_removed_and_what_is_written_was_not() {
        let has = |removed: &str, name: &str| {
            Removed { file: Some(removed.to_owned()), until: None }.has_file(name)
        };
        let second = "audit.20261130T010000Z-9f2c41d07ab3-0002";
        assert!(has(second, "audit.20261129T010000Z-9f2c41d07ab3-0001") && has(second, second));
        assert!(!has(second, "audit.20261201T010000Z-9f2c41d07ab3-0003") && !has(second, "audit"));
        assert!(
            has("events_20261129/a/9f", "events_20261128/b/ff")
                && has("events_20261129/a/9f", "events_20261129/z/ff")
        );
        assert!(!has("events_20261129/a/9f", "events_20261130/a/00") && !has("events_20261129/a/9f", second));
    }
}
