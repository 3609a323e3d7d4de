//! Who can reach what, and whether they did: for whoever must confirm that it is right.
//!
//! By which rules somebody may go where is known to whoever judges requests ([`Reach`]). What the judge does not know of a
//! person (groups of somebody who is not here) stays unknown here: it is neither yes nor no.

use std::collections::HashMap;
use std::sync::Arc;

use portcullis_events::KindSet;

use super::frame::{Cell, Frame, Type};
use super::persons::Persons;
use super::question::Question;
use super::sums::{Sums, requests};
use super::{Known, Tally};
use crate::segments::{Event, Person, Pseudonym, Who};

/// Whether somebody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They may.
    Yes,
    /// They may, once they have signed in in a stronger way.
    AfterStepUp,
    /// It depends on what nobody knows of them.
    Unknown,
}

/// A route that somebody may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The route.
    pub route: String,
    /// Whether they may.
    pub verdict: Verdict,
    /// By which rule, or what it depends on, in words.
    pub by: String,
}

/// Judges where somebody may go.
pub trait Reach: std::fmt::Debug {
    /// The routes that somebody may reach, or that it is not known of.
    fn reach(&self, who: &Who) -> Vec<Access>;
}

pub(super) struct Review {
    persons: Persons,
    used: HashMap<(Pseudonym, Arc<str>), Sums>,
    people: Vec<Person>,
}

impl Review {
    pub(super) fn new(question: &Question) -> Self {
        Self { persons: Persons::new(question.names), used: HashMap::new(), people: Vec::new() }
    }

    fn row(&self, person: &Person, access: &Access) -> ([Cell; 9], bool) {
        let used = self.used.get(&(person.pseudonym, Arc::from(access.route.as_str())));
        let times = used.map_or(0, |used| used.good);
        let may = match access.verdict {
            Verdict::Yes => "yes",
            Verdict::AfterStepUp => "after a stronger sign-in",
            Verdict::Unknown => "unknown",
        };
        let who = person.who.as_ref();
        let row = [
            Cell::Text(self.persons.name(person.pseudonym)),
            Cell::text(who.map(|who| who.provider.as_str())),
            Cell::Text(access.route.clone()),
            Cell::Text(may.into()),
            Cell::text(Some(&access.by)),
            Cell::Number(times),
            Cell::time(used.and_then(|used| used.last)),
            Cell::None,
            Cell::None,
        ];
        (row, times > 0)
    }
}

impl Tally for Review {
    fn kinds(&self) -> KindSet {
        requests()
    }

    fn take(&mut self, event: &Event) {
        if let Some((person, route)) = self.persons.see(event).zip(event.route.clone()) {
            self.used.entry((person, route)).or_default().add(event);
        }
    }

    fn wants_people(&self) -> bool {
        true
    }

    fn meet(&mut self, person: &Person) {
        self.persons.meet(person);
        self.people.push(person.clone());
    }

    /// What nobody has used stands first: it is what can be taken away.
    fn frame(self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(
            question,
            &[
                ("person", Type::Text),
                ("provider", Type::Text),
                ("app", Type::Text),
                ("may", Type::Text),
                ("by", Type::Text),
                ("times used", Type::Number),
                ("last used", Type::Time),
                ("reviewer", Type::Text),
                ("mark", Type::Text),
            ],
        );
        let Some(reach) = known.reach else {
            frame.notes.push("who may go where nobody has said: give the configuration".into());
            return frame;
        };
        let (mut unused, mut used) = (Vec::new(), Vec::new());
        let mut people: Vec<_> = self.people.iter().collect();
        people.sort_by_key(|person| self.persons.name(person.pseudonym));
        for person in people {
            let Some(who) = &person.who else {
                frame.notes.push(format!("{} is somebody who has been erased", person.pseudonym));
                continue;
            };
            for access in reach.reach(who) {
                let (row, is_used) = self.row(person, &access);
                if is_used { used.push(row) } else { unused.push(row) }
            }
        }
        unused.into_iter().chain(used).for_each(|row| frame.push(row));
        frame.notes.push("people are those whom the store knows; the rules are those in force".into());
        frame
    }
}
