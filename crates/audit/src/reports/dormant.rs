//! Who and what nobody has seen for the whole time that is asked about.

use std::collections::HashSet;
use std::sync::Arc;

use portcullis_events::{Kind, KindSet};

use super::frame::{Cell, Frame, Type};
use super::persons::Persons;
use super::question::Question;
use super::sums::{Fate, fate, requests};
use super::{Known, Tally};
use crate::segments::{Event, Person, Pseudonym};

pub(super) struct Dormant {
    persons: Persons,
    since: u64,
    people: HashSet<Pseudonym>,
    routes: HashSet<Arc<str>>,
    providers: HashSet<Arc<str>>,
    asleep: Vec<(Pseudonym, u64)>,
}

impl Dormant {
    pub(super) fn new(question: &Question) -> Self {
        Self {
            persons: Persons::new(question.names),
            since: question.since,
            people: HashSet::new(),
            routes: HashSet::new(),
            providers: HashSet::new(),
            asleep: Vec::new(),
        }
    }
}

impl Tally for Dormant {
    fn kinds(&self) -> KindSet {
        requests().and(KindSet::of([Kind::SignInSucceeded]))
    }

    /// To be refused is no use of an app.
    fn take(&mut self, event: &Event) {
        self.people.extend(event.person);
        if fate(event.outcome) != Fate::Refused {
            self.routes.extend(event.route.clone());
        }
        if event.kind() == Some(Kind::SignInSucceeded) {
            self.providers.extend(event.provider.clone());
        }
    }

    fn wants_people(&self) -> bool {
        true
    }

    fn meet(&mut self, person: &Person) {
        if !self.people.contains(&person.pseudonym) && person.last_seen < self.since {
            self.persons.meet(person);
            self.asleep.push((person.pseudonym, person.last_seen));
        }
    }

    fn frame(mut self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame {
        let columns = [("what", Type::Text), ("name", Type::Text), ("last seen", Type::Time)];
        let mut frame = Frame::new(question, &columns);
        self.asleep.sort_by_key(|(person, last)| (*last, self.persons.name(*person)));
        for (person, last) in &self.asleep {
            frame.push([
                Cell::Text("person".into()),
                Cell::Text(self.persons.name(*person)),
                Cell::Time(*last),
            ]);
        }
        let lists = [("app", &known.routes, &self.routes), ("provider", &known.providers, &self.providers)];
        for (what, all, used) in lists {
            let Some(all) = all else {
                frame.notes.push(format!("which {what}s there are nobody has said: give the configuration"));
                continue;
            };
            for name in all.iter().filter(|name| !used.contains(name.as_str())) {
                // The store is not asked about the time before.
                frame.push([Cell::Text(what.into()), Cell::Text(name.clone()), Cell::Unknown]);
            }
        }
        frame.notes.push("people are those whom the store knows: whoever never came it cannot name".into());
        frame
    }
}
