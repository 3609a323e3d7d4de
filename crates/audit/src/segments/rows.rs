//! Rows of a segment as events.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params_from_iter};
use zeroize::Zeroizing;

use super::directory::Names;
use super::event::{Event, id_of};
use super::keys::Pseudonym;
use super::latency::Latency;
use super::outcomes;
use super::people::day;

/// The columns, in the order in which [`Segment::event`] reads them.
pub(super) const COLUMNS: &str = "n, time, id, until, kind, outcome, status, person, provider, route, session, count, \
                                  bytes, us, us_max, latency, request, open, rest, sealed";

/// A segment that is being read: its dictionaries, as far as they were looked up.
#[derive(Debug)]
pub(super) struct Segment<'c> {
    connection: &'c Connection,
    process: &'c str,
    words: HashMap<i64, Arc<str>>,
    people: HashMap<i64, Option<Pseudonym>>,
}

impl<'c> Segment<'c> {
    pub(super) fn new(connection: &'c Connection, process: &'c str) -> Self {
        Self { connection, process, words: HashMap::new(), people: HashMap::new() }
    }

    /// A word of the dictionary; a damaged one has none.
    pub(super) fn word(&mut self, number: i64) -> rusqlite::Result<Arc<str>> {
        if let Some(known) = self.words.get(&number) {
            return Ok(Arc::clone(known));
        }
        let mut find = self.connection.prepare_cached("SELECT text FROM word WHERE id = ?1")?;
        let found: Option<String> = find.query_row([number], |row| row.get(0)).optional()?;
        let word: Arc<str> = found.unwrap_or_default().into();
        self.words.insert(number, Arc::clone(&word));
        Ok(word)
    }

    pub(super) fn person(&mut self, number: i64) -> rusqlite::Result<Option<Pseudonym>> {
        if let Some(known) = self.people.get(&number) {
            return Ok(*known);
        }
        let mut find = self.connection.prepare_cached("SELECT pseudonym FROM person WHERE id = ?1")?;
        let found = find.query_row([number], |row| row.get(0).map(Pseudonym)).optional()?;
        self.people.insert(number, found);
        Ok(found)
    }

    fn word_of(&mut self, row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Arc<str>>> {
        row.get::<_, Option<i64>>(column)?.map(|number| self.word(number)).transpose()
    }

    /// The event of a row, with what is personal where there are names to ask for keys.
    pub(super) fn event(
        &mut self,
        row: &Row<'_>,
        goes_on: bool,
        names: Option<&mut Names>,
    ) -> rusqlite::Result<Event> {
        let number = |column| row.get::<_, Option<i64>>(column).map(|value| value.map(i64::cast_unsigned));
        let time = number(1)?.unwrap_or(0);
        let (us, count) = (number(13)?, number(11)?);
        let latency = row.get::<_, Option<Vec<u8>>>(15)?.and_then(|bytes| Latency::from_bytes(&bytes));
        let person = row.get::<_, Option<i64>>(7)?.map(|number| self.person(number)).transpose()?.flatten();
        let mut event = Event {
            id: id_of(self.process, row.get(2)?),
            time,
            until: number(3)?.unwrap_or(time),
            count: count.unwrap_or(1),
            goes_on,
            word: self.word_of(row, 4)?.unwrap_or_default(),
            person,
            provider: self.word_of(row, 8)?,
            route: self.word_of(row, 9)?,
            outcome: row.get::<_, Option<i64>>(5)?.and_then(outcomes::of),
            status: number(6)?,
            session: number(10)?,
            request: row.get(16)?,
            bytes: number(12)?,
            us,
            us_max: number(14)?.or(us),
            latency: latency.or_else(|| us.map(Latency::of)).unwrap_or_default(),
            is_erased: false,
            open: self.open(row)?,
            rest: row.get::<_, Option<String>>(18)?.unwrap_or_default(),
            personal: Zeroizing::default(),
        };
        if let Some(names) = names {
            unseal(&mut event, row.get(19)?, names);
        }
        Ok(event)
    }

    /// Gives the events of the rows that a question finds, in its order, for as long as they are taken.
    pub(super) fn give(
        &mut self,
        sql: &str,
        values: impl IntoIterator<Item = impl ToSql>,
        goes_on: bool,
        mut names: Option<&mut Names>,
        take: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> rusqlite::Result<ControlFlow<()>> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if take(self.event(row, goes_on, names.as_deref_mut())?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn open(&mut self, row: &Row<'_>) -> rusqlite::Result<String> {
        use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
        Ok(match row.get_ref(17)? {
            Integer(number) => self.word(number)?.as_ref().to_owned(),
            Text(text) => String::from_utf8_lossy(text).into_owned(),
            Null | Real(_) | Blob(_) => String::new(),
        })
    }
}

fn unseal(event: &mut Event, sealed: Option<Vec<u8>>, names: &mut Names) {
    let Some(sealed) = sealed else {
        event.is_erased = event.person.is_some_and(|person| names.key(person).is_none());
        return;
    };
    let key = match event.person {
        Some(person) => names.key(person),
        None => names.key_of_day(day(event.time)),
    };
    let opened = key.and_then(|key| key.open(event.id.as_bytes(), &sealed));
    let text = opened.and_then(|text| str::from_utf8(&text).ok().map(|text| Zeroizing::new(text.to_owned())));
    event.is_erased = text.is_none();
    event.personal = text.unwrap_or_default();
}
