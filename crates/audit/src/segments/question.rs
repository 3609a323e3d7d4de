//! A filter as a question to one segment.

use portcullis_events::Kind;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::cursor::Place;
use super::filter::{Client, Filter};
use super::keys::{Pseudonym, StoreKeys};
use super::{fold, outcomes};

/// Kinds up to which their index is the best one to look at.
const FEW: usize = 4;

/// What a filter asks of every segment.
#[derive(Debug)]
pub(super) struct Asked {
    filter: Filter,
    words: Option<Vec<&'static str>>,
    /// Whoever is called so; none: anybody.
    people: Option<Vec<Pseudonym>>,
    client: Option<(&'static str, i64)>,
}

impl Asked {
    pub(super) fn new(filter: &Filter, people: Option<Vec<Pseudonym>>, keys: &StoreKeys) -> Self {
        let client = filter.client.map(|client| match client {
            Client::Address(address) => ("client", keys.address(address)),
            Client::Network(address) => ("net", keys.network(address)),
        });
        Self { filter: filter.clone(), words: filter.words(), people, client }
    }

    /// Whether nobody fits, wherever one looks.
    pub(super) fn is_nobody(&self) -> bool {
        let nobody = self.people.as_ref().is_some_and(Vec::is_empty);
        let nothing = self.words.as_ref().is_some_and(Vec::is_empty);
        let never = self.filter.since.zip(self.filter.until).is_some_and(|(since, until)| since >= until);
        nobody || nothing || never
    }

    /// Whether something between these times may fit.
    pub(super) fn meets(&self, since: u64, until: u64) -> bool {
        self.filter.since.is_none_or(|from| until >= from) && self.filter.until.is_none_or(|to| since < to)
    }

    /// Before when, where that is asked for.
    pub(super) const fn until(&self) -> Option<u64> {
        self.filter.until
    }

    /// The condition for rows of a segment; none: what is asked for is not in its dictionaries.
    pub(super) fn condition(&self, segment: &Connection) -> rusqlite::Result<Option<Condition>> {
        let mut condition = Condition::default();
        let fits = condition.kinds(self.words.as_deref(), segment)?
            && condition.people(self.people.as_deref(), segment)?
            && condition.words("provider", &self.filter.providers, segment)?
            && condition.words("route", &self.filter.routes, segment)?;
        condition.times(&self.filter);
        condition.rest(&self.filter, self.client);
        Ok(fits.then_some(condition))
    }
}

/// A condition, and the values in it.
#[derive(Debug, Default)]
pub(super) struct Condition {
    text: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    /// It, for a `WHERE`.
    pub(super) fn text(&self) -> &str {
        if self.text.is_empty() { "1" } else { &self.text }
    }

    fn and(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(if self.text.is_empty() { "" } else { " AND " });
        self.text.push_str(text);
        self.values.extend(values);
    }

    fn any(&mut self, column: &str, numbers: &[i64]) {
        let places = vec!["?"; numbers.len()].join(", ");
        self.and(&format!("{column} IN ({places})"), numbers.iter().map(|number| Value::Integer(*number)));
    }

    /// Whether the segment has one of the kinds.
    fn kinds(&mut self, words: Option<&[&str]>, segment: &Connection) -> rusqlite::Result<bool> {
        let Some(words) = words.filter(|words| words.len() < Kind::TABLE.len()) else { return Ok(true) };
        let numbers = numbers(words, segment)?;
        self.any(if numbers.len() > FEW { "+kind" } else { "kind" }, &numbers);
        Ok(!numbers.is_empty())
    }

    fn people(&mut self, people: Option<&[Pseudonym]>, segment: &Connection) -> rusqlite::Result<bool> {
        let Some(people) = people else { return Ok(true) };
        let mut find = segment.prepare_cached("SELECT id FROM person WHERE pseudonym = ?1")?;
        let mut numbers = Vec::new();
        for person in people {
            numbers.extend(find.query_row([person.0], |row| row.get::<_, i64>(0)).optional()?);
        }
        self.any("person", &numbers);
        Ok(!numbers.is_empty())
    }

    fn words(&mut self, column: &str, words: &[String], segment: &Connection) -> rusqlite::Result<bool> {
        if words.is_empty() {
            return Ok(true);
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let numbers = numbers(&words, segment)?;
        self.any(column, &numbers);
        Ok(!numbers.is_empty())
    }

    /// An interval fits where it reaches into the time; no interval is longer than [`fold::LONGEST`].
    fn times(&mut self, filter: &Filter) {
        let whole = |time: u64| Value::Integer(i64::try_from(time).unwrap_or(i64::MAX));
        if let Some(since) = filter.since {
            let values = [since.saturating_sub(fold::LONGEST), since, since].map(whole);
            self.and("time >= ? AND (time >= ? OR until >= ?)", values);
        }
        if let Some(until) = filter.until {
            self.and("time < ?", [whole(until)]);
        }
    }

    fn rest(&mut self, filter: &Filter, client: Option<(&str, i64)>) {
        if let Some(outcomes) = filter.outcomes {
            let numbers: Vec<_> = outcomes.numbers().collect();
            self.any("outcome", &numbers);
            if numbers.iter().all(|number| *number > outcomes::GOOD) {
                // As the index has it.
                self.and("outcome > 3", []);
            }
        }
        if let Some((column, hash)) = client {
            self.and(&format!("{column} = ?"), [Value::Integer(hash)]);
        }
        if let Some(session) = filter.session {
            self.and("session = ?", [Value::Integer(session.cast_signed())]);
        }
        if let Some(request) = &filter.request {
            self.and("request = ?", [Value::Text(request.clone())]);
        }
        if let Some((from, to)) = filter.status {
            let [from_value, to] = [from, to].map(|status| Value::Integer(status.cast_signed()));
            self.and("status >= ? AND status <= ?", [from_value, to]);
            if from >= 400 {
                self.and("status >= 400", []);
            }
        }
    }

    /// Only what lies behind a place, newest first.
    pub(super) fn behind(&mut self, place: &Place, process: &str) {
        let time = Value::Integer(i64::try_from(place.time).unwrap_or(i64::MAX));
        match process.cmp(&place.process) {
            std::cmp::Ordering::Less => self.and("time <= ?", [time]),
            std::cmp::Ordering::Equal => {
                let text = mutant!("(time, id) < (?, ?)", "cursor-skips-equal-times" => "(time, 0 * id) < (?, 0 * ?)");
                self.and(text, [time, Value::Integer(place.id)]);
            }
            std::cmp::Ordering::Greater => self.and("time < ?", [time]),
        }
    }
}

fn numbers(words: &[&str], segment: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut find = segment.prepare_cached("SELECT id FROM word WHERE text = ?1")?;
    let mut numbers = Vec::new();
    for word in words {
        numbers.extend(find.query_row(params![word], |row| row.get::<_, i64>(0)).optional()?);
    }
    Ok(numbers)
}
