//! What a sink has removed itself, as it was told to, and has said in its chain.

use super::opening::Opening;
use super::ties::Head;
use super::walk::Section;
use crate::clock::Timestamp;

/// How much later than its newest event a segment's end may have been signed, in seconds: an interval is over after five minutes
/// in which nothing came, its block ends half a minute later, and what is new is signed each minute.
const SIGNED_WITHIN: u64 = 900;

/// How far a sink has removed what it wrote. Of files it says the newest one's name, in the order of which they go; of a
/// store's segments a moment, for they go by their newest events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    file: Option<String>,
    until: Option<u64>,
}

impl Removed {
    pub(super) fn of(opening: &Opening) -> Self {
        Self { file: opening.removed.clone(), until: opening.removed_until }
    }

    /// Whatever says more is so.
    pub(super) fn learn(&mut self, more: &Self) {
        self.file = self.file.take().max(more.file.clone());
        self.until = self.until.max(more.until);
    }

    /// Whether it has removed what this one goes on behind.
    pub(super) fn has_what_is_before(&self, section: &Section) -> bool {
        match section.before_until {
            Some(newest) => self.until.is_some_and(|until| newest <= until),
            None => self.has_file(section.before.as_deref()),
        }
    }

    /// Whether it has removed what ended with this, which was signed first at this time.
    pub(super) fn has(&self, head: &Head, signed: Timestamp) -> bool {
        let seconds = self.until.map(|until| until / 1_000_000 + SIGNED_WITHIN);
        seconds.is_some_and(|seconds| signed.seconds() <= seconds) || self.has_file(Some(&head.file))
    }

    /// Whether it has removed the file, or place, of this name.
    pub(super) fn has_place(&self, name: &str) -> bool {
        self.has_file(Some(name))
    }

    fn has_file(&self, name: Option<&str>) -> bool {
        name.zip(self.file.as_deref()).is_some_and(|(name, removed)| name <= removed)
    }
}
