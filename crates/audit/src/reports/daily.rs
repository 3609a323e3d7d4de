//! Reports of days: sign-ins and requests. A day on which nothing happened has its row as well.

use std::collections::HashSet;

use portcullis_events::{Field, Kind, KindSet};

use super::calendar::Calendar;
use super::frame::{Cell, Frame, Lead, Type};
use super::question::Question;
use super::sums::{Sums, requests, times};
use super::{Known, Tally};
use crate::segments::{Event, Pseudonym};

/// Kinds that are counted of sign-ins, each in a column of its own.
const COUNTED: [Kind; 5] =
    [Kind::SignInSucceeded, Kind::SignInFailed, Kind::StepUpUnmet, Kind::CredentialRefused, Kind::SignedOut];

pub(super) struct Daily<T> {
    calendar: Calendar,
    days: Vec<T>,
    kinds: KindSet,
}

/// What is counted of a day.
pub(super) trait OfDay: Default {
    const COLUMNS: &[(&'static str, Type)];

    /// The events that are counted, as a filter names them.
    const EVENTS: &str;

    fn add(&mut self, event: &Event);

    fn cells(&self) -> Vec<Cell>;
}

#[derive(Debug, Default)]
pub(super) struct SignIns {
    counts: [u64; COUNTED.len()],
    people: HashSet<Pseudonym>,
}

impl OfDay for SignIns {
    const COLUMNS: &[(&'static str, Type)] = &[
        ("day", Type::Text),
        ("signed in", Type::Number),
        ("failed", Type::Number),
        ("stronger sign-in unmet", Type::Number),
        ("credentials refused", Type::Number),
        ("signed out", Type::Number),
        ("people", Type::Number),
    ];

    const EVENTS: &str = "sign-in.*";

    fn add(&mut self, event: &Event) {
        let kind = event.kind();
        if let Some(index) = COUNTED.iter().position(|counted| Some(*counted) == kind) {
            self.counts[index] += times(event);
        }
        if kind == Some(Kind::SignInSucceeded) {
            self.people.extend(event.person);
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let people = self.people.len() as u64;
        self.counts.into_iter().chain([people]).map(Cell::Number).collect()
    }
}

impl OfDay for Sums {
    const COLUMNS: &[(&'static str, Type)] = &[
        ("day", Type::Text),
        ("requests", Type::Number),
        ("let in", Type::Number),
        ("refused", Type::Number),
        ("failed", Type::Number),
        ("bytes", Type::Number),
        ("people", Type::Number),
    ];

    const EVENTS: &str = "access.*";

    fn add(&mut self, event: &Event) {
        self.add(event);
    }

    fn cells(&self) -> Vec<Cell> {
        let counts = [self.all(), self.good, self.refused, self.failed, self.bytes];
        counts.into_iter().map(Cell::Number).chain([self.people()]).collect()
    }
}

impl Daily<SignIns> {
    pub(super) fn sign_ins(question: &Question) -> Self {
        Self::new(question, KindSet::of(COUNTED))
    }
}

impl Daily<Sums> {
    pub(super) fn access(question: &Question) -> Self {
        Self::new(question, requests())
    }
}

impl<T: OfDay> Daily<T> {
    fn new(question: &Question, kinds: KindSet) -> Self {
        let calendar = Calendar::new(question.since, question.until, &question.zone);
        let days = calendar.days().iter().map(|_| T::default()).collect();
        Self { calendar, days, kinds }
    }
}

impl<T: OfDay> Tally for Daily<T> {
    fn kinds(&self) -> KindSet {
        self.kinds
    }

    fn take(&mut self, event: &Event) {
        if let Some(day) = self.calendar.day_of(event.time).and_then(|index| self.days.get_mut(index)) {
            day.add(event);
        }
    }

    fn frame(self: Box<Self>, question: &Question, _known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(question, T::COLUMNS);
        for (day, counted) in self.calendar.days().iter().zip(&self.days) {
            let date = Cell::Text(day.date.to_string());
            let lead = Lead::default().and(Field::Type, T::EVENTS).at(day.from..day.to);
            frame.push([date].into_iter().chain(counted.cells()).collect::<Vec<_>>(), lead);
            if let Some(hours) = day.odd_hours() {
                frame.notes.push(format!("{} has {hours} hours: clocks are changed", day.date));
            }
        }
        frame
    }
}
