//! What was refused, and why: one row for each rule and reason.

use std::collections::HashMap;

use portcullis_events::{Field, Kind, KindSet};

use super::frame::{Cell, Frame, Lead, Type};
use super::question::Question;
use super::sums::times;
use super::{Known, Tally};
use crate::segments::Event;

/// Reasons that are told apart; strangers can bring about more.
const MOST: usize = 10_000;

type Key = [Option<String>; 4];

#[derive(Debug, Default)]
pub(super) struct Refusals {
    counted: HashMap<Key, Counted>,
    others: u64,
}

#[derive(Debug, Default)]
struct Counted {
    times: u64,
    people: std::collections::HashSet<crate::segments::Pseudonym>,
    first: Option<u64>,
    last: Option<u64>,
}

impl Counted {
    fn add(&mut self, event: &Event) {
        self.times += times(event);
        self.people.extend(event.person);
        self.first = Some(self.first.map_or(event.time, |first| first.min(event.time)));
        self.last = self.last.max(Some(event.until));
    }
}

impl Tally for Refusals {
    fn kinds(&self) -> KindSet {
        KindSet::of([Kind::AccessRefused])
    }

    fn take(&mut self, event: &Event) {
        let outcome = event.outcome.map(|outcome| outcome.as_str().to_owned());
        let route = event.route.as_deref().map(str::to_owned);
        let key = [route, outcome, event.text(Field::Rule), event.text(Field::Reason)];
        if self.counted.len() < MOST || self.counted.contains_key(&key) {
            self.counted.entry(key).or_default().add(event);
        } else {
            self.others += times(event);
        }
    }

    fn frame(self: Box<Self>, question: &Question, _known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(
            question,
            &[
                ("app", Type::Text),
                ("outcome", Type::Text),
                ("rule", Type::Text),
                ("reason", Type::Text),
                ("times", Type::Number),
                ("people", Type::Number),
                ("first", Type::Time),
                ("last", Type::Time),
            ],
        );
        let mut counted: Vec<_> = self.counted.into_iter().collect();
        counted.sort_by(|(one, a), (other, b)| b.times.cmp(&a.times).then_with(|| one.cmp(other)));
        for (key, counted) in counted {
            let fields = [Field::Route, Field::Outcome].into_iter().zip(&key);
            let lead = fields
                .fold(Lead::default().and(Field::Type, "access.refused"), |lead, (field, value)| {
                    value.iter().fold(lead, |lead, value| lead.and(field, value))
                });
            let [route, outcome, rule, reason] = key.map(|text| Cell::text(text.as_deref()));
            let (times, people) = (Cell::Number(counted.times), Cell::Number(counted.people.len() as u64));
            let (first, last) = (Cell::time(counted.first), Cell::time(counted.last));
            frame.push([route, outcome, rule, reason, times, people, first, last], lead);
        }
        if self.others > 0 {
            frame.notes.push(format!("{} more refusals, for reasons that are not listed", self.others));
        }
        frame
    }
}
