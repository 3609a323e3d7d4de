//! What a store holds of one person.

use std::ops::ControlFlow;
use std::path::PathBuf;

use rusqlite::Connection;

use super::catalogue::Listed;
use super::directory::{Names, Person};
use super::error::StoreError;
use super::event::Event;
use super::filter::Filter;
use super::keys::Pseudonym;
use super::question::Asked;
use super::read_lane::{AskError, Patience};
use super::reader::{Reader, Walked, each_of, tables};

/// What a store holds of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who it is.
    pub person: Person,
    /// The provider that they are known by.
    pub provider: String,
    /// Events about them.
    pub events: u64,
    /// The time of the first of these, in microseconds since 1970.
    pub first: Option<u64>,
    /// The time of the last.
    pub last: Option<u64>,
    /// The files that they are in, the oldest first.
    pub segments: Vec<Share>,
}

/// A part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The file.
    pub file: PathBuf,
    /// Events in it.
    pub events: u64,
}

/// Whom a subject may mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Whoever the store knows by it, each at another provider.
    pub known: Vec<Holding>,
    /// Whoever was erased: the provider, what stands for them, and when that was, in microseconds since 1970.
    pub erased: Vec<(String, Pseudonym, u64)>,
}

#[derive(Debug, Default)]
struct Counted {
    events: u64,
    first: Option<u64>,
    last: Option<u64>,
}

impl Reader {
    /// Whoever has this subject at one of these providers; `anywhere`: also at others that the store has heard of.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    pub fn find(
        &self,
        subject: &str,
        providers: &[&str],
        anywhere: bool,
        patience: &Patience,
    ) -> Result<Found, AskError> {
        let mut found = Found::default();
        let (turn, names, _) = self.begin(&Filter::default(), patience)?;
        let mut people = Vec::new();
        for provider in providers {
            let (person, before) = names.now(provider, subject);
            people.extend(names.known(person)?.map(|person| ((*provider).to_owned(), person)));
            found.erased.extend(before.into_iter().map(|(who, until)| ((*provider).to_owned(), who, until)));
        }
        if anywhere {
            people.extend(elsewhere(&names, subject, providers)?);
        }
        drop((turn, names));
        for (provider, person) in people {
            found.known.push(self.holding(provider, person, patience)?);
        }
        Ok(found)
    }

    fn holding(&self, provider: String, person: Person, patience: &Patience) -> Result<Holding, AskError> {
        let mut holding =
            Holding { person, provider, events: 0, first: None, last: None, segments: Vec::new() };
        let asked = self.asked_of(holding.person.pseudonym);
        self.walk(
            patience,
            |_| true,
            |segment, listed| {
                let counted = count(segment, listed, &asked)?;
                if counted.events > 0 {
                    holding.events += counted.events;
                    holding.first = holding.first.into_iter().chain(counted.first).min();
                    holding.last = holding.last.max(counted.last);
                    holding.segments.push(Share { file: listed.path.clone(), events: counted.events });
                }
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(holding)
    }

    /// Gives every event about somebody, with all that is personal, segment by segment, the oldest segment first.
    /// `take` says whether it goes on.
    ///
    /// # Errors
    /// Where the store cannot be read, or there was no turn in time.
    pub fn each_about(
        &self,
        person: Pseudonym,
        patience: &Patience,
        take: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Walked, AskError> {
        let (_turn, mut names, _) = self.begin(&Filter::default(), patience)?;
        let asked = self.asked_of(person);
        self.walk(
            patience,
            |_| true,
            |segment, listed| each_of(segment, listed, &asked, Some(&mut names), take),
        )
    }
}

/// Whoever was told with this subject, by whichever provider, but those.
fn elsewhere(names: &Names, subject: &str, but: &[&str]) -> Result<Vec<(String, Person)>, StoreError> {
    let mut found = Vec::new();
    for pseudonym in names.called(subject)? {
        let Some(person) = names.known(pseudonym)? else { continue };
        let who =
            person.who.as_ref().filter(|who| who.subject == subject && !but.contains(&who.provider.as_str()));
        found.extend(who.map(|who| who.provider.clone()).map(|provider| (provider, person)));
    }
    Ok(found)
}

fn count(segment: &Connection, listed: &Listed, asked: &Asked) -> rusqlite::Result<Counted> {
    let mut counted = Counted::default();
    let Some(condition) = asked.condition(segment)? else { return Ok(counted) };
    for (table, _) in tables(listed) {
        let sql = format!(
            "SELECT coalesce(sum(coalesce(count, 1)), 0), min(time), max(coalesce(until, time)) FROM {table} WHERE {}",
            condition.text()
        );
        let values = rusqlite::params_from_iter(&condition.values);
        let time = |row: &rusqlite::Row<'_>, column| {
            row.get(column).map(|time: Option<i64>| time.map(i64::cast_unsigned))
        };
        let (events, first, last): (i64, _, _) =
            segment.query_row(&sql, values, |row| Ok((row.get(0)?, time(row, 1)?, time(row, 2)?)))?;
        counted.events += events.cast_unsigned();
        counted.first = counted.first.into_iter().chain(first).min();
        counted.last = counted.last.max(last);
    }
    Ok(counted)
}
