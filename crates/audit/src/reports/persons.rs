//! What people are called in a report.

use std::collections::HashMap;

use portcullis_events::Field;

use super::frame::Lead;
use crate::segments::{Event, Person, Pseudonym, Who};

/// The names of people, as far as they are told.
#[derive(Debug, Default)]
pub(super) struct Persons {
    named: bool,
    known: HashMap<Pseudonym, Who>,
}

impl Persons {
    pub(super) fn new(named: bool) -> Self {
        Self { named, known: HashMap::new() }
    }

    /// Whom an event is about.
    pub(super) fn see(&mut self, event: &Event) -> Option<Pseudonym> {
        let person = event.person?;
        if self.named && !self.known.contains_key(&person) {
            self.known.extend(event.who().map(|who| (person, who)));
        }
        Some(person)
    }

    pub(super) fn meet(&mut self, person: &Person) {
        if self.named
            && let Some(who) = person.who.clone()
        {
            self.known.insert(person.pseudonym, who);
        }
    }

    /// Their name, or the number that stands for them. Of whoever was erased it is the same in every report.
    pub(super) fn name(&self, person: Pseudonym) -> String {
        let number = person.to_string();
        if !self.named {
            return number;
        }
        let erased = || format!("erased person {}", number.get(..8).unwrap_or(&number));
        self.known.get(&person).map_or_else(erased, name)
    }

    /// To what they did; where nobody is named, it leads nowhere.
    pub(super) fn lead(&self, person: Pseudonym) -> Lead {
        let Some(who) = self.known.get(&person) else { return Lead::default() };
        let person = Some((who.provider.clone(), who.subject.clone()));
        let lead = Lead::default().and(Field::User, &who.subject).and(Field::Provider, &who.provider);
        Lead { person, ..lead }
    }
}

fn name(who: &Who) -> String {
    if who.user.is_empty() { who.subject.clone() } else { who.user.clone() }
}
