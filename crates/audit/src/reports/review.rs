//! Who can reach what, and whether they did: for whoever must confirm that it is right.
//!
//! By which rules somebody may go where is known to whoever judges requests ([`Reach`]). What the judge does not know of a
//! person (groups of somebody who is not here) stays unknown here: it is neither yes nor no.

use std::collections::HashMap;
use std::sync::Arc;

use portcullis_events::{Field, Kind, KindSet, Mark, Seen};

use super::frame::{Cell, Frame, Lead, Type};
use super::persons::Persons;
use super::question::Question;
use super::sums::{Fate, Sums, fate, requests};
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
    /// What the rules of the route come to, in a few letters: others, where any of them was changed.
    pub print: String,
}

impl Access {
    /// The rules by which somebody may, as a mark keeps them: in words that have a bound there, and as they read then.
    #[must_use]
    pub fn rule(&self) -> String {
        let end = self.by.char_indices().map(|(at, _)| at).take_while(|at| *at <= RULE).last();
        let words = if self.by.len() <= RULE { &self.by } else { &self.by[..end.unwrap_or_default()] };
        format!("{} #{}", words.trim_end(), self.print)
    }
}

/// Judges where somebody may go.
pub trait Reach: std::fmt::Debug {
    /// The routes that somebody may reach, or that it is not known of.
    fn reach(&self, who: &Who) -> Vec<Access>;
}

/// Bytes of a rule's words.
const RULE: usize = 100;

/// What a reviewer has said of an access last.
#[derive(Clone, Debug)]
struct Marked {
    mark: Mark,
    rule: String,
    at: u64,
    reviewer: Option<String>,
    reason: Option<String>,
}

impl Marked {
    fn of(event: &Event) -> Option<Self> {
        let line = event.to_json();
        let seen = Seen::read(line.as_bytes()).ok()?;
        let text = |field| seen.text(field).map(str::to_owned);
        Some(Self {
            mark: Mark::named(seen.text(Field::Mark)?)?,
            rule: text(Field::Rule).unwrap_or_default(),
            at: event.time,
            reviewer: text(Field::Operator),
            reason: text(Field::Reason),
        })
    }
}

/// What is to be looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// It was to be taken away, and is still there.
    StillThere,
    /// It was to be taken away; whether it was hangs on what nobody knows of them.
    PerhapsThere,
    /// The rules are others than at the last mark.
    Changed,
    /// Nobody has marked it, and it was not used.
    Unused,
    /// Nobody has marked it.
    Used,
    /// Somebody is to be asked.
    Asked,
    /// It is to stay.
    Kept,
}

impl State {
    fn of(last: Option<&Marked>, access: &Access, is_used: bool) -> Self {
        match last {
            None if is_used => Self::Used,
            None => Self::Unused,
            Some(marked) if mutant!(marked.rule != access.rule(), "review-keeps-marks-of-other-rules" => false) => {
                Self::Changed
            }
            Some(marked) => match marked.mark {
                Mark::Keep => Self::Kept,
                Mark::Revoke if access.verdict == Verdict::Unknown => Self::PerhapsThere,
                Mark::Revoke => Self::StillThere,
                Mark::Ask => Self::Asked,
            },
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::StillThere => "to be revoked, and still there",
            Self::PerhapsThere => "to be revoked; whether it still is there is not known",
            Self::Changed => "other rules than at the last mark",
            Self::Unused => "not used in this time, and not marked",
            Self::Used => "not marked",
            Self::Asked => "somebody is to be asked",
            Self::Kept => "marked",
        }
    }
}

pub(super) struct Review {
    persons: Persons,
    named: bool,
    used: HashMap<(Pseudonym, Arc<str>), Sums>,
    marks: HashMap<(Pseudonym, Arc<str>), Marked>,
    people: Vec<Person>,
}

impl Review {
    pub(super) fn new(question: &Question) -> Self {
        Self {
            persons: Persons::new(question.names),
            named: question.names,
            used: HashMap::new(),
            marks: HashMap::new(),
            people: Vec::new(),
        }
    }

    fn row(&self, person: &Person, access: &Access) -> (State, [Cell; 12], Lead) {
        let key = (person.pseudonym, Arc::from(access.route.as_str()));
        let (used, last) = (self.used.get(&key), self.marks.get(&key));
        let times = used.map_or(0, Sums::all);
        let may = match access.verdict {
            Verdict::Yes => "yes",
            Verdict::AfterStepUp => "after a stronger sign-in",
            Verdict::Unknown => "unknown",
        };
        let state = State::of(last, access, times > 0);
        let who = person.who.as_ref();
        let told = |of: fn(&Marked) -> Option<&str>| {
            let said = last.filter(|_| self.named).map(of);
            said.map_or(Cell::None, Cell::text)
        };
        let row = [
            Cell::Text(self.persons.name(person.pseudonym)),
            Cell::text(who.map(|who| who.provider.as_str())),
            Cell::Text(access.route.clone()),
            Cell::Text(may.into()),
            Cell::text(Some(&access.by)),
            Cell::Number(times),
            Cell::time(used.and_then(|used| used.last)),
            Cell::Text(state.words().into()),
            Cell::text(last.map(|marked| marked.mark.as_str())),
            told(|marked| marked.reviewer.as_deref()),
            Cell::time(last.map(|marked| marked.at)),
            told(|marked| marked.reason.as_deref()),
        ];
        (state, row, self.persons.lead(person.pseudonym).and(Field::Route, &access.route))
    }
}

impl Tally for Review {
    fn kinds(&self) -> KindSet {
        requests()
    }

    /// To be refused is no use of an app.
    fn take(&mut self, event: &Event) {
        let is_use = fate(event.outcome) != Fate::Refused;
        if let Some((person, route)) = self.persons.see(event).zip(event.route.clone()).filter(|_| is_use) {
            self.used.entry((person, route)).or_default().add(event);
        }
    }

    fn kept(&self) -> KindSet {
        KindSet::of([Kind::AccessReviewed])
    }

    /// The last one holds, in whatever order segments are read.
    fn keep(&mut self, event: &Event) {
        let Some(key) = event.person.zip(event.route.clone()) else { return };
        let Some(marked) = Marked::of(event) else { return };
        if self.marks.get(&key).is_none_or(|known| known.at <= marked.at) {
            self.marks.insert(key, marked);
        }
    }

    fn wants_people(&self) -> bool {
        true
    }

    fn meet(&mut self, person: &Person) {
        self.persons.meet(person);
        self.people.push(person.clone());
    }

    /// What was to be taken away, has changed or is unused stands first: it is what a reviewer has to look at.
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
                ("review", Type::Text),
                ("mark", Type::Text),
                ("reviewer", Type::Text),
                ("marked", Type::Time),
                ("why", Type::Text),
            ],
        );
        let Some(reach) = known.reach else {
            frame.notes.push("who may go where nobody has said: give the configuration".into());
            return frame;
        };
        let mut rows = Vec::new();
        let mut people: Vec<_> = self.people.iter().collect();
        people.sort_by_key(|person| self.persons.name(person.pseudonym));
        for person in people {
            let Some(who) = &person.who else {
                frame.notes.push(format!("{} is somebody who has been erased", person.pseudonym));
                continue;
            };
            if !question.filter.means(who) {
                continue;
            }
            let reached = reach.reach(who);
            let meant = reached.iter().filter(|access| question.filter.means_route(&access.route));
            rows.extend(meant.map(|access| self.row(person, access)));
        }
        rows.sort_by_key(|(state, ..)| *state);
        rows.into_iter().for_each(|(_, row, lead)| frame.push(row, lead));
        frame.notes.push("people are those whom the store knows; the rules are those in force".into());
        frame
            .notes
            .push("uses are of the time that is asked about; marks are of all times that are kept".into());
        let nowhere = "rules are asked as if from nowhere: what one opens to some networks alone is not here, nor are apps \
                       that take no sessions";
        frame.notes.push(nowhere.into());
        frame
    }
}
