//! Sessions: whose, from when to when, and why they ended.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use portcullis_events::{Field, Kind, KindSet};

use super::frame::{Cell, Frame, Lead, Type};
use super::persons::Persons;
use super::question::Question;
use super::sums::{Sums, requests};
use super::{Known, Tally};
use crate::segments::{Event, Pseudonym};

pub(super) struct Sessions {
    persons: Persons,
    sessions: HashMap<u64, Session>,
}

#[derive(Debug, Default)]
struct Session {
    person: Option<Pseudonym>,
    device: Option<String>,
    began: Option<u64>,
    ended: Option<(u64, Option<String>)>,
    requests: Sums,
    apps: BTreeSet<Arc<str>>,
}

impl Sessions {
    pub(super) fn new(question: &Question) -> Self {
        Self { persons: Persons::new(question.names), sessions: HashMap::new() }
    }
}

impl Session {
    fn add(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::SignInSucceeded) => {
                self.began = Some(event.time);
                self.device = event.text(Field::Device);
            }
            Some(Kind::SessionEnded) => self.ended = Some((event.time, event.text(Field::Why))),
            Some(Kind::SignedOut) => {
                self.ended.get_or_insert_with(|| (event.time, Some("signed-out".into())));
            }
            _ => {
                self.requests.add(event);
                self.apps.extend(event.route.clone());
            }
        }
    }
}

impl Tally for Sessions {
    fn kinds(&self) -> KindSet {
        requests().and(KindSet::of([Kind::SignInSucceeded, Kind::SignedOut, Kind::SessionEnded]))
    }

    fn take(&mut self, event: &Event) {
        let Some(id) = event.session else { return };
        let person = self.persons.see(event);
        let session = self.sessions.entry(id).or_default();
        session.person = person.or(session.person);
        session.add(event);
    }

    fn frame(self: Box<Self>, question: &Question, _known: &Known<'_>) -> Frame {
        let mut frame = Frame::new(
            question,
            &[
                ("session", Type::Text),
                ("person", Type::Text),
                ("device", Type::Text),
                ("began", Type::Time),
                ("last used", Type::Time),
                ("ended", Type::Time),
                ("why", Type::Text),
                ("requests", Type::Number),
                ("apps", Type::Number),
            ],
        );
        let mut sessions: Vec<_> = self.sessions.iter().collect();
        let last = |session: &Session| session.requests.last.max(session.began);
        sessions.sort_by(|(one, a), (other, b)| last(b).cmp(&last(a)).then_with(|| one.cmp(other)));
        for (id, session) in sessions {
            let person = session.person.map_or(Cell::Unknown, |person| Cell::Text(self.persons.name(person)));
            let why = session.ended.as_ref().and_then(|(_, why)| why.as_deref());
            let id = format!("{id:016x}");
            let lead = Lead::default().and(Field::Session, &id);
            let cells = [
                Cell::Text(id),
                person,
                Cell::text(session.device.as_deref()),
                // It began before the time that is asked about.
                session.began.map_or(Cell::Unknown, Cell::Time),
                Cell::time(session.requests.last),
                Cell::time(session.ended.as_ref().map(|(time, _)| *time)),
                Cell::text(why),
                Cell::Number(session.requests.all()),
                Cell::Number(session.apps.len() as u64),
            ];
            frame.push(cells, lead);
        }
        frame
    }
}
