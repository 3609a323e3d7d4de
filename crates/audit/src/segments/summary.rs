//! What a segment holds, in figures: a line for each hour, kind, outcome, provider, route and person. Closed segments keep
//! them; of those that are written they are counted when somebody asks.

use std::collections::HashMap;
use std::sync::Arc;

use portcullis_events::{Kind, Outcome};
use rusqlite::{Connection, params};

use super::keys::Pseudonym;
use super::latency::Latency;

const HOUR: u64 = 3_600_000_000;

/// So many events of an hour have this in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where the hour begins, in microseconds since 1970. An interval counts in the hour of its first event.
    pub hour: u64,
    /// The kind; none: this version does not know it.
    pub kind: Option<Kind>,
    /// How the requests ended.
    pub outcome: Option<Outcome>,
    /// The provider.
    pub provider: Option<Arc<str>>,
    /// The route.
    pub route: Option<Arc<str>>,
    /// The person.
    pub person: Option<Pseudonym>,
    /// How often.
    pub count: u64,
    /// Bytes of all responses.
    pub bytes: u64,
    /// Microseconds of all of them.
    pub us: u64,
    /// Microseconds of the longest.
    pub us_max: u64,
    /// How long they took.
    pub latency: Latency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) hour: i64,
    pub(super) kind: i64,
    pub(super) outcome: Option<i64>,
    pub(super) provider: Option<i64>,
    pub(super) route: Option<i64>,
    pub(super) person: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) us: u64,
    pub(super) us_max: u64,
    pub(super) latency: Latency,
}

/// Adds up what a table of rows holds.
pub(super) fn count(
    connection: &Connection,
    table: &str,
    sums: &mut HashMap<Key, Sums>,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT time, kind, outcome, provider, route, person, count, bytes, us, us_max, latency FROM {table}"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let time: i64 = row.get(0)?;
        let key = Key {
            hour: time / HOUR as i64,
            kind: row.get(1)?,
            outcome: row.get(2)?,
            provider: row.get(3)?,
            route: row.get(4)?,
            person: row.get(5)?,
        };
        add(sums.entry(key).or_default(), row)?;
    }
    Ok(())
}

fn add(sums: &mut Sums, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
    let number = |column| row.get::<_, Option<i64>>(column).map(|number| number.map(i64::cast_unsigned));
    let (bytes, us) = (number(7)?.unwrap_or(0), number(8)?);
    sums.count = sums.count.saturating_add(number(6)?.unwrap_or(1));
    sums.bytes = sums.bytes.saturating_add(bytes);
    sums.us = sums.us.saturating_add(us.unwrap_or(0));
    sums.us_max = sums.us_max.max(number(9)?.or(us).unwrap_or(0));
    let latency = row.get::<_, Option<Vec<u8>>>(10)?.and_then(|bytes| Latency::from_bytes(&bytes));
    if let Some(latency) = latency.or_else(|| us.map(Latency::of)) {
        sums.latency.add(&latency);
    }
    Ok(())
}

/// Writes the summary of a segment.
pub(super) fn write(connection: &Connection) -> rusqlite::Result<()> {
    let mut sums = HashMap::new();
    count(connection, "event", &mut sums)?;
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_unstable_by_key(|(key, _)| *key);
    connection.execute("DELETE FROM summary", [])?;
    let add = "INSERT INTO summary VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut add = connection.prepare(add)?;
    for (key, sums) in sums {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        add.execute(params![
            key.hour,
            key.kind,
            key.outcome,
            key.provider,
            key.route,
            key.person,
            whole(sums.count),
            whole(sums.bytes),
            whole(sums.us),
            whole(sums.us_max),
            sums.latency.to_bytes(),
        ])?;
    }
    Ok(())
}

/// Reads the summary of a closed segment, from one hour to before another.
pub(super) fn read(
    connection: &Connection,
    hours: std::ops::Range<i64>,
    take: &mut dyn FnMut(Key, Sums),
) -> rusqlite::Result<()> {
    let sql = "SELECT hour, kind, outcome, provider, route, person, count, bytes, us, us_max, latency \
               FROM summary WHERE hour >= ?1 AND hour < ?2";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([hours.start, hours.end])?;
    while let Some(row) = rows.next()? {
        let key = Key {
            hour: row.get(0)?,
            kind: row.get(1)?,
            outcome: row.get(2)?,
            provider: row.get(3)?,
            route: row.get(4)?,
            person: row.get(5)?,
        };
        let mut sums = Sums::default();
        add(&mut sums, row)?;
        take(key, sums);
    }
    Ok(())
}

/// The hour of a moment.
pub(super) const fn hour(time: u64) -> i64 {
    (time / HOUR) as i64
}

/// Where an hour begins.
pub(super) fn beginning(hour: i64) -> u64 {
    (hour.max(0) as u64).saturating_mul(HOUR)
}
