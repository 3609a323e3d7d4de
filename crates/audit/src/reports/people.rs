//! Everybody whom the store knows: when they came last, and what they did in the time that is asked about.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use portcullis_events::{Kind, KindSet};

use super::frame::{Cell, Frame, Type};
use super::persons::Persons;
use super::question::Question;
use super::sums::{Sums, requests, times};
use super::{Known, Tally};
use crate::segments::{Event, Person, Pseudonym};

pub(super) struct People {
    persons: Persons,
    did: HashMap<Pseudonym, Did>,
    /// Whether only some events are looked at: then those who had none of them are nothing to tell of.
    some: bool,
}

#[derive(Debug, Default)]
struct Did {
    provider: Option<Arc<str>>,
    sign_ins: u64,
    failed: u64,
    last_sign_in: Option<u64>,
    requests: Sums,
    apps: BTreeSet<Arc<str>>,
    seen: Option<(u64, u64)>,
}

impl People {
    pub(super) fn new(question: &Question) -> Self {
        let some = question.filter != crate::segments::Filter::default();
        Self { persons: Persons::new(question.names), did: HashMap::new(), some }
    }
}

impl Did {
    fn add(&mut self, event: &Event) {
        self.provider = event.provider.clone().or_else(|| self.provider.take());
        match event.kind() {
            Some(Kind::SignInSucceeded) => {
                self.sign_ins += times(event);
                self.last_sign_in = self.last_sign_in.max(Some(event.until));
            }
            Some(Kind::SignInFailed) => self.failed += times(event),
            _ => {
                self.requests.add(event);
                self.apps.extend(event.route.clone());
            }
        }
    }
}

impl Tally for People {
    fn kinds(&self) -> KindSet {
        requests().and(KindSet::of([Kind::SignInSucceeded, Kind::SignInFailed]))
    }

    fn take(&mut self, event: &Event) {
        if let Some(person) = self.persons.see(event) {
            self.did.entry(person).or_default().add(event);
        }
    }

    fn wants_people(&self) -> bool {
        true
    }

    fn meet(&mut self, person: &Person) {
        if self.some && !self.did.contains_key(&person.pseudonym) {
            return;
        }
        self.persons.meet(person);
        let did = self.did.entry(person.pseudonym).or_default();
        did.seen = Some((person.first_seen, person.last_seen));
        if did.provider.is_none() {
            did.provider = person.who.as_ref().map(|who| Arc::from(who.provider.as_str()));
        }
    }

    fn frame(self: Box<Self>, question: &Question, _known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(
            question,
            &[
                ("person", Type::Text),
                ("provider", Type::Text),
                ("first seen", Type::Time),
                ("last seen", Type::Time),
                ("last sign-in", Type::Time),
                ("sign-ins", Type::Number),
                ("failed sign-ins", Type::Number),
                ("requests", Type::Number),
                ("refused", Type::Number),
                ("apps", Type::Number),
            ],
        );
        let name = |person: &Pseudonym| self.persons.name(*person);
        let mut people: Vec<_> = self.did.iter().map(|(person, did)| (name(person), did, *person)).collect();
        people.sort_by(|(one, a, _), (other, b, _)| {
            let last = |did: &Did| did.seen.map(|(_, last)| last);
            last(b).cmp(&last(a)).then_with(|| one.cmp(other))
        });
        for (name, did, person) in people {
            let seen =
                |of: fn((u64, u64)) -> u64| did.seen.map_or(Cell::Unknown, |seen| Cell::Time(of(seen)));
            let cells = [
                Cell::Text(name),
                Cell::text(did.provider.as_deref()),
                seen(|(first, _)| first),
                seen(|(_, last)| last),
                Cell::time(did.last_sign_in),
                Cell::Number(did.sign_ins),
                Cell::Number(did.failed),
                Cell::Number(did.requests.all()),
                Cell::Number(did.requests.refused),
                Cell::Number(did.apps.len() as u64),
            ];
            frame.push(cells, self.persons.lead(person));
        }
        frame.notes.push("sign-ins, requests and apps are of the time that is asked about".into());
        frame
    }
}
