//! What the record says to those who must answer for it: who came, who used what, who was refused, and what looks odd.
//!
//! A [`Question`] is answered by one walk through the store: a tally takes event after event, and makes a [`Frame`] of what
//! it has counted, which every format writes. Nothing is guessed: what is not known is called so, and what could be
//! otherwise is said beside each finding.

pub mod anomalies;
mod apps;
mod calendar;
mod changes;
mod daily;
mod dormant;
mod format;
mod frame;
mod geo;
mod people;
mod persons;
mod providers;
mod question;
mod refusals;
mod review;
mod sessions;
mod sums;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use portcullis_events::KindSet;

use crate::segments::{AskError, Event, Patience, Person, Reader, Walked};

pub use calendar::{Calendar, Day};
pub use format::Format;
pub use frame::{Cell, Column, Frame, Lead, Type};
pub use geo::{Geo, GeoError, Place};
pub use question::{Question, QuestionError, Report};
pub use review::{Access, Reach, Verdict};

/// What a report is told beside the record.
#[derive(Debug, Default)]
pub struct Known<'a> {
    /// The routes of the configuration; none: nobody has said.
    pub routes: Option<Vec<String>>,
    /// The providers of the configuration; none: nobody has said.
    pub providers: Option<Vec<String>>,
    /// The rules of the configuration that a request can be decided by, in the words of events; none: nobody has said.
    pub rules: Option<Vec<String>>,
    /// Where addresses are.
    pub geo: Option<&'a Geo>,
    /// Who may go where, by the rules in force; none: nobody has said.
    pub reach: Option<&'a dyn Reach>,
}

/// Counts events, and says what it has counted.
trait Tally {
    /// The events that it wants.
    fn kinds(&self) -> KindSet;

    /// Takes an event, or an interval of many.
    fn take(&mut self, event: &Event);

    /// The events that it wants of all times before the end: they hold until something else is said.
    fn kept(&self) -> KindSet {
        KindSet::NONE
    }

    /// Takes one of these, the oldest ones first.
    fn keep(&mut self, _event: &Event) {}

    /// Takes somebody whom the store knows.
    fn meet(&mut self, _person: &Person) {}

    /// Whether it wants to know everybody whom the store knows.
    fn wants_people(&self) -> bool {
        false
    }

    /// What it has counted.
    fn frame(self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame;
}

/// Answers a question by a store.
///
/// # Errors
/// Where the store cannot be read, or there was no turn in time.
pub fn answer(
    question: &Question,
    reader: &Reader,
    known: &Known<'_>,
    patience: &Patience,
) -> Result<Frame, AskError> {
    let mut tally = tally(question, known);
    let filter = question.bounded(tally.kinds());
    let walked = reader.each(&filter, true, patience, &mut |event| {
        if question.counts(&event) {
            tally.take(&event);
        }
        ControlFlow::Continue(())
    })?;
    let mut told = notes(&walked);
    if tally.kept() != KindSet::NONE {
        let filter = question.filter.clone().kinds(tally.kept()).until(question.until);
        let kept = reader.each(&filter, true, patience, &mut |event| {
            tally.keep(&event);
            ControlFlow::Continue(())
        })?;
        told.extend(notes(&kept));
    }
    if tally.wants_people() {
        reader.people(patience, &mut |person| {
            tally.meet(&person);
            ControlFlow::Continue(())
        })?;
    }
    let mut frame = tally.frame(question, known);
    told.retain(|note| !frame.notes.contains(note));
    frame.notes.extend(told);
    frame.is_cut = patience.is_over();
    Ok(frame)
}

/// What a reader of the report must know of how it came about.
fn notes(walked: &Walked) -> Vec<String> {
    let mut notes = Vec::new();
    if !walked.is_whole {
        notes.push(format!("not all was read: {} of {} files of the record", walked.segments, walked.of));
    }
    let damaged = walked.damaged.iter();
    notes.extend(damaged.map(|damaged| format!("a part of the store cannot be read: {}", damaged.reason)));
    notes
}

fn tally<'a>(question: &Question, known: &Known<'a>) -> Box<dyn Tally + 'a> {
    match question.report {
        Report::SignIns => Box::new(daily::Daily::sign_ins(question)),
        Report::Access => Box::new(daily::Daily::access(question)),
        Report::Refusals => Box::new(refusals::Refusals::default()),
        Report::Apps => Box::new(apps::Apps::default()),
        Report::People => Box::new(people::People::new(question)),
        Report::Sessions => Box::new(sessions::Sessions::new(question)),
        Report::Providers => Box::new(providers::Providers::default()),
        Report::Dormant => Box::new(dormant::Dormant::new(question, known)),
        Report::AccessReview => Box::new(review::Review::new(question)),
        Report::Changes => Box::new(changes::Changes::new(question)),
        Report::Anomalies => Box::new(anomalies::Anomalies::new(question, known)),
    }
}
