//! What is counted of requests, whatever they are counted by.

use std::collections::HashSet;

use portcullis_events::{Kind, KindSet, Outcome};

use super::frame::Cell;
use crate::segments::{Event, Outcomes, Pseudonym};

/// Requests that have ended.
pub(super) fn requests() -> KindSet {
    KindSet::of([Kind::AccessGranted, Kind::AccessRefused])
}

/// How many an event stands for.
pub(super) fn times(event: &Event) -> u64 {
    mutant!(event.count, "report-counts-intervals-as-one" => 1)
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Good,
    Refused,
    Failed,
}

pub(super) fn fate(outcome: Option<Outcome>) -> Fate {
    let is =
        |group| outcome.is_some_and(|outcome| Outcomes::matching(group).is_some_and(|all| all.has(outcome)));
    if is("refused") {
        Fate::Refused
    } else if is("failed") {
        Fate::Failed
    } else {
        Fate::Good
    }
}

/// Sums of requests.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) good: u64,
    pub(super) refused: u64,
    pub(super) failed: u64,
    pub(super) bytes: u64,
    pub(super) people: HashSet<Pseudonym>,
    pub(super) last: Option<u64>,
    us: u64,
    timed: u64,
}

impl Sums {
    pub(super) fn add(&mut self, event: &Event) {
        let times = times(event);
        match fate(event.outcome) {
            Fate::Good => self.good += times,
            Fate::Refused => self.refused += times,
            Fate::Failed => self.failed += times,
        }
        self.bytes = self.bytes.saturating_add(event.bytes.unwrap_or(0));
        self.people.extend(event.person);
        self.last = self.last.max(Some(event.until));
        if let Some(us) = event.us {
            self.us = self.us.saturating_add(us);
            self.timed += times;
        }
    }

    pub(super) const fn all(&self) -> u64 {
        self.good + self.refused + self.failed
    }

    /// How long they took on average, in whole milliseconds.
    pub(super) fn mean(&self) -> Cell {
        self.us.checked_div(self.timed).map_or(Cell::None, |us| Cell::Number(us / 1000))
    }

    pub(super) fn people(&self) -> Cell {
        Cell::Number(self.people.len() as u64)
    }
}
