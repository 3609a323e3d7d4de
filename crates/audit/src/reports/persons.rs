//! What people are called in a report.

use std::collections::HashMap;

use crate::segments::{Event, Person, Pseudonym};

/// The names of people, as far as they are told.
#[derive(Debug, Default)]
pub(super) struct Persons {
    named: bool,
    known: HashMap<Pseudonym, String>,
}

impl Persons {
    pub(super) fn new(named: bool) -> Self {
        Self { named, known: HashMap::new() }
    }

    /// Whom an event is about.
    pub(super) fn see(&mut self, event: &Event) -> Option<Pseudonym> {
        let person = event.person?;
        if self.named && !self.known.contains_key(&person) {
            self.known.extend(event.who().map(|who| (person, name(who.user, who.subject))));
        }
        Some(person)
    }

    pub(super) fn meet(&mut self, person: &Person) {
        if self.named
            && let Some(who) = person.who.clone()
        {
            self.known.insert(person.pseudonym, name(who.user, who.subject));
        }
    }

    /// Their name, or the number that stands for them. Of whoever was erased it is the same in every report.
    pub(super) fn name(&self, person: Pseudonym) -> String {
        let number = person.to_string();
        let erased = || format!("erased person {}", number.get(..8).unwrap_or(&number));
        let named = |name: Option<&String>| name.cloned().unwrap_or_else(erased);
        if self.named { named(self.known.get(&person)) } else { number.clone() }
    }
}

fn name(user: String, subject: String) -> String {
    if user.is_empty() { subject } else { user }
}
