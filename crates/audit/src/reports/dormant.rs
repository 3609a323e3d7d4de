//! Who and what nobody has seen for the whole time that is asked about.

use std::collections::HashSet;
use std::sync::Arc;

use portcullis_events::{Field, Kind, KindSet};

use super::frame::{Cell, Frame, Lead, Type};
use super::persons::Persons;
use super::question::Question;
use super::sums::{Fate, fate, requests};
use super::{Known, Tally};
use crate::segments::{Event, Filter, Person, Pseudonym};

pub(super) struct Dormant {
    persons: Persons,
    since: u64,
    filter: Filter,
    people: HashSet<Pseudonym>,
    routes: HashSet<Arc<str>>,
    providers: HashSet<Arc<str>>,
    /// Rules that have decided nothing so far.
    rules: Vec<String>,
    asleep: Vec<(Pseudonym, u64)>,
}

impl Dormant {
    pub(super) fn new(question: &Question, known: &Known<'_>) -> Self {
        Self {
            persons: Persons::new(question.names),
            since: question.since,
            filter: question.filter.clone(),
            people: HashSet::new(),
            routes: HashSet::new(),
            providers: HashSet::new(),
            rules: known.rules.clone().unwrap_or_default(),
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
        if !self.rules.is_empty() {
            // What lets in is told as the rule, what keeps out as the reason.
            let told = [Field::Rule, Field::Reason].map(|field| event.text(field));
            let told: Vec<_> = told.into_iter().flatten().collect();
            self.rules.retain(|rule| !told.iter().any(|told| is_by(told, rule)));
        }
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
        let is_meant = person.who.as_ref().is_none_or(|who| self.filter.means(who));
        if is_meant && !self.people.contains(&person.pseudonym) && person.last_seen < self.since {
            self.persons.meet(person);
            self.asleep.push((person.pseudonym, person.last_seen));
        }
    }

    fn frame(mut self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame {
        let columns = [("what", Type::Text), ("name", Type::Text), ("last seen", Type::Time)];
        let mut frame = Frame::new(question, &columns);
        self.asleep.sort_by_key(|(person, last)| (*last, self.persons.name(*person)));
        for (person, last) in &self.asleep {
            let cells =
                [Cell::Text("person".into()), Cell::Text(self.persons.name(*person)), Cell::Time(*last)];
            frame.push(cells, self.persons.lead(*person));
        }
        self.push_unused(&mut frame, known);
        frame.notes.push("people are those whom the store knows: whoever never came it cannot name".into());
        frame
    }
}

impl Dormant {
    fn push_unused(&self, frame: &mut Frame, known: &Known<'_>) {
        let is_used = |used: &HashSet<Arc<str>>, name: &str| used.contains(name);
        let mut push = |what: &str, all: Option<&Vec<String>>, used: &dyn Fn(&str) -> bool| {
            let Some(all) = all else {
                frame.notes.push(format!("which {what}s there are nobody has said: give the configuration"));
                return;
            };
            for name in all.iter().filter(|name| !used(name)) {
                let lead = if what == "app" { Lead::to(name) } else { Lead::default() };
                // The store is not asked about the time before.
                frame.push([Cell::Text(what.into()), Cell::Text(name.clone()), Cell::Unknown], lead);
            }
        };
        push("app", known.routes.as_ref(), &|name| is_used(&self.routes, name));
        push("provider", known.providers.as_ref(), &|name| is_used(&self.providers, name));
        let is_unused = |name: &str| self.rules.iter().any(|rule| rule == name);
        push(
            "rule",
            known.rules.as_ref(),
            &|name| mutant!(!is_unused(name), "dormant-names-used-rules" => false),
        );
        if known.rules.is_some() {
            frame.notes.push(RULES.into());
        }
    }
}

/// Whether a decision in words is by this rule.
fn is_by(told: &str, rule: &str) -> bool {
    told.strip_prefix(rule).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// What is not known of rules.
const RULES: &str = "a rule is used where it has decided a request: of several policies of a route the last one is named, and \
                     of what a session does on a route in a quarter of an hour the rule of the first request";
