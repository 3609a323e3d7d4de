//! How many events there were, over time: by what has been counted already where that is enough for the question, else by
//! looking at each.

use std::ops::ControlFlow;

use super::chart::{Bars, Series, Slot};
use super::overview::{Kind, kind};
use super::range::{Range, Span};
use super::terms::Terms;
use crate::clock::Timestamp;
use crate::events::{Field, Outcome};
use crate::segments::{AskError, Event, Filter, Patience, Reader, Summary};

/// What is told apart: requests by what became of them, and everything else.
pub(super) const SERIES: [Series; 5] = [
    Series { class: "ok", name: "let in" },
    Series { class: "refused", name: "refused" },
    Series { class: "failed", name: "failed" },
    Series { class: "left", name: "left" },
    Series { class: "info", name: "other events" },
];

/// What summaries know of an event.
const SUMMED: [Field; 4] = [Field::Type, Field::Outcome, Field::Provider, Field::Route];

/// A question, and over which time.
pub(super) struct Counting<'a> {
    pub(super) filter: &'a Filter,
    pub(super) terms: &'a Terms,
    pub(super) range: Range,
    pub(super) now: Timestamp,
}

impl Counting<'_> {
    /// The chart; none where there was no time to count all of it.
    pub(super) fn chart(
        &self,
        reader: &Reader,
        patience: &Patience,
        link: impl Fn(Range) -> String,
    ) -> Result<Option<Bars>, AskError> {
        let buckets = self.range.buckets(self.now);
        let mut counts = vec![[0_u64; SERIES.len()]; buckets.len()];
        if !self.count(reader, patience, &buckets, &mut counts)? {
            return Ok(None);
        }
        let slot = |(bucket, counts): (&(u64, u64), [u64; SERIES.len()])| Slot {
            name: self.range.name(bucket.0),
            counts: Some(counts.to_vec()),
            link: self.range.closer(*bucket).map(&link),
        };
        let slots = buckets.iter().zip(counts).map(slot).collect();
        Ok(Some(Bars::new("counts", "Events over time", "event", &SERIES, slots)))
    }

    /// Whether all was counted.
    fn count(
        &self,
        reader: &Reader,
        patience: &Patience,
        buckets: &[(u64, u64)],
        counts: &mut [[u64; SERIES.len()]],
    ) -> Result<bool, AskError> {
        let mut add = |micros: u64, outcome: Option<Outcome>, count: u64| {
            let seconds = micros / 1_000_000;
            let at = buckets.partition_point(|(_, to)| *to <= seconds);
            if let Some(counts) =
                counts.get_mut(at).filter(|_| buckets.get(at).is_some_and(|(from, _)| *from <= seconds))
            {
                counts[series(outcome)] += count;
            }
        };
        let walked = if self.range.span != Span::Hour && self.terms.are_of(&SUMMED) {
            let (since, until) = self.range.micros(self.now);
            let mut take = |summary: Summary| {
                if self.terms.hold(|field| of_summary(&summary, field)) {
                    add(summary.hour, summary.outcome, summary.count);
                }
            };
            reader.summaries(since..until, patience, &mut take)?
        } else {
            let mut take = |event: Event| {
                add(event.time, event.outcome, event.count);
                ControlFlow::Continue(())
            };
            reader.each(self.filter, false, patience, &mut take)?
        };
        Ok(walked.is_whole)
    }
}

fn of_summary(summary: &Summary, field: Field) -> Option<String> {
    let values = [
        (Field::Type, summary.kind.map(|kind| kind.row().word)),
        (Field::Outcome, summary.outcome.map(Outcome::as_str)),
        (Field::Provider, summary.provider.as_deref()),
        (Field::Route, summary.route.as_deref()),
    ];
    values.into_iter().find(|(known, _)| *known == field)?.1.map(str::to_owned)
}

fn series(outcome: Option<Outcome>) -> usize {
    let all = Kind::ALL;
    outcome.map_or(all.len(), |outcome| {
        all.iter().position(|known| *known == kind(outcome)).unwrap_or(all.len())
    })
}
