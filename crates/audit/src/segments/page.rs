//! A page of events, newest first.

use rusqlite::{Connection, params_from_iter};

use super::catalogue::{Catalogue, Damaged, Listed};
use super::cursor::{Cursor, Place};
use super::directory::Names;
use super::event::Event;
use super::filter::Filter;
use super::question::Asked;
use super::read_lane::{AskError, Patience};
use super::reader::{Visit, tables, visit};
use super::rows::{COLUMNS, Segment};

/// The most events of a page.
pub const LARGEST: usize = 1_000;

/// A page that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Which events.
    pub filter: &'a Filter,
    /// Behind which page; none: the newest.
    pub behind: Option<&'a Cursor>,
    /// How many at most; more than [`LARGEST`] are not given.
    pub limit: usize,
    /// Whether what is personal is told.
    pub personal: bool,
}

/// Some events, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins; none: there is nothing behind this one.
    pub next: Option<Cursor>,
    /// Up to where everything was looked at, in microseconds since 1970, where there was no time for all: what happened
    /// before is on the pages behind.
    pub looked_back_to: Option<u64>,
    /// Segments that could not be read.
    pub damaged: Vec<Damaged>,
}

/// Gathers a page.
pub(super) struct Pager<'a> {
    question: Question<'a>,
    found: Vec<(Place, Event)>,
    looked_back_to: Option<u64>,
    damaged: Vec<Damaged>,
}

impl<'a> Pager<'a> {
    pub(super) fn new(question: Question<'a>, damaged: Vec<Damaged>) -> Self {
        let limit = mutant!(question.limit.clamp(1, LARGEST), "page-without-bound" => question.limit);
        let question = Question { limit, ..question };
        Self { question, found: Vec::new(), looked_back_to: None, damaged }
    }

    /// Looks at one segment after another, whichever has the newest event first, until none that is left can have an event
    /// of this page.
    pub(super) fn walk(
        &mut self,
        catalogue: &Catalogue,
        mut listed: Vec<Listed>,
        asked: &Asked,
        names: &mut Names,
        patience: &Patience,
    ) -> Result<(), AskError> {
        let newest = self.newest(asked);
        listed.retain(|listed| asked.meets(listed.since(), listed.until()) && listed.since() <= newest);
        listed.sort_by_key(|listed| std::cmp::Reverse(listed.until()));
        let newest = listed.first().map_or(newest, |first| newest.min(first.until()));
        for listed in &listed {
            if self.is_full_before(listed.until()) {
                break;
            }
            // There is always something that was looked at, or else whoever asks again is where they were.
            if patience.is_over() && listed.until() < newest {
                self.stop_at(listed.until());
                break;
            }
            let (behind, most) = (self.question.behind.map(|cursor| &cursor.place), self.question.limit + 1);
            let mut found = Vec::new();
            let read = |segment: &Connection| {
                let names = self.question.personal.then_some(&mut *names);
                search(segment, listed, asked, behind, most, names, &mut found)
            };
            match visit(catalogue, listed, patience, read)? {
                Visit::Read(()) => self.add(found),
                Visit::Gone => {}
                Visit::Damaged(damaged) => self.damaged.push(damaged),
            }
        }
        Ok(())
    }

    /// The newest that an event of this page can be.
    fn newest(&self, asked: &Asked) -> u64 {
        let before = asked.until().map_or(u64::MAX, |until| until.saturating_sub(1));
        self.question.behind.map_or(before, |cursor| before.min(cursor.place.time))
    }

    /// Whether it has all events that it can have, where the others are not newer than this.
    fn is_full_before(&self, until: u64) -> bool {
        self.found.len() > self.question.limit && self.found.last().is_some_and(|(last, _)| last.time > until)
    }

    fn add(&mut self, found: Vec<(Place, Event)>) {
        self.found.extend(found);
        self.found.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
        self.found.truncate(self.question.limit + 1);
    }

    /// There is no time left: whatever is not newer than this is for the next page.
    fn stop_at(&mut self, until: u64) {
        self.found.retain(|(place, _)| place.time > until);
        self.looked_back_to = Some(until.saturating_add(1));
    }

    pub(super) fn page(mut self) -> Page {
        let is_more = self.found.len() > self.question.limit;
        self.found.truncate(self.question.limit);
        let last = self.found.last().filter(|_| is_more).map(|(place, _)| place.clone());
        let looked = self.looked_back_to.filter(|_| !is_more);
        // Behind every other one of that moment, whichever process is its: none is called so.
        let stopped = looked.map(|time| Place { time: time - 1, process: "z".into(), id: 0 });
        let next = last.or(stopped).map(|place| Cursor::new(place, self.question.filter));
        let events = self.found.into_iter().map(|(_, event)| event).collect();
        Page { events, next, looked_back_to: looked, damaged: self.damaged }
    }
}

/// The newest rows of a segment that fit.
fn search(
    connection: &Connection,
    listed: &Listed,
    asked: &Asked,
    behind: Option<&Place>,
    most: usize,
    mut names: Option<&mut Names>,
    found: &mut Vec<(Place, Event)>,
) -> rusqlite::Result<()> {
    let process = &listed.name.process;
    let Some(mut condition) = asked.condition(connection)? else { return Ok(()) };
    if let Some(place) = behind {
        condition.behind(place, process);
    }
    let mut segment = Segment::new(connection, process);
    for (table, goes_on) in tables(listed) {
        let chosen = condition.text();
        let sql =
            format!("SELECT {COLUMNS} FROM {table} WHERE {chosen} ORDER BY time DESC, id DESC LIMIT {most}");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(&condition.values))?;
        while let Some(row) = rows.next()? {
            let event = segment.event(row, *goes_on, names.as_deref_mut())?;
            found.push((Place { time: event.time, process: process.clone(), id: row.get(2)? }, event));
        }
    }
    Ok(())
}
