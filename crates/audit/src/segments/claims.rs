//! What a segment says of itself beside its rows, and what answers to questions hang on: all of it can be worked out from the
//! rows, and must be so.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::names::SegmentName;
use super::summary;
use crate::chain::What;

/// What is not so. `unsaid`: no block says what goes on.
pub(super) fn wrong(
    connection: &Connection,
    name: &SegmentName,
    unsaid: bool,
) -> rusqlite::Result<Vec<(What, String)>> {
    let mut wrong = Vec::new();
    let mut tell = |what, words: &str| wrong.push((what, words.to_owned()));
    let said = (text(connection, "process")?, number(connection, "number")?);
    if said != (Some(name.process.to_string()), i64::try_from(name.number).ok()) {
        tell(What::Renamed, "it says itself that it is another segment");
    }
    let going: i64 = connection.query_row("SELECT count(*) FROM going_on", [], |row| row.get(0))?;
    if going > 0 && (unsaid || !name.is_open) {
        tell(What::Inserted, "something goes on in it that was not written");
    }
    // A walk begins at the first row: what stands before it would be told and never looked at.
    let before =
        "SELECT (SELECT count(*) FROM event WHERE n < 1) + (SELECT count(*) FROM going_on WHERE n < 1)";
    if connection.query_row(before, [], |row| row.get::<_, i64>(0))? > 0 {
        tell(What::Inserted, "rows stand before its first one");
    }
    if name.is_open {
        return Ok(wrong);
    }
    if mutant!(!bounds_are_right(connection)?, "store-bounds-unchecked" => false) {
        tell(What::Changed, "how many events of which time it has is not what it says itself");
    }
    if mutant!(!summary_is_right(connection)?, "store-summary-unchecked" => false) {
        tell(What::Changed, "its figures are not what its rows add up to");
    }
    let structure: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if structure != "ok" {
        tell(What::Damaged, &format!("its indexes or pages are not what they should be: {structure}"));
    }
    Ok(wrong)
}

fn text(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    meta(connection, name, |row| row.get(0))
}

fn number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    meta(connection, name, |row| row.get(0))
}

fn meta<T>(
    connection: &Connection,
    name: &str,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<Option<T>>,
) -> rusqlite::Result<Option<T>> {
    let found = connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], read);
    found.optional().map(Option::flatten)
}

fn bounds_are_right(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT min(time), max(coalesce(until, time)), count(*), coalesce(sum(coalesce(count, 1)), 0) FROM event";
    let counted = connection.query_row(sql, [], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?, row.get(3)?))
    })?;
    let begun = number(connection, "begun")?;
    let (since, until, rows, events): (_, _, i64, i64) = counted;
    let said = |name| number(connection, name);
    Ok(said("since")? == since.or(begun)
        && said("until")? == until.or(begun)
        && said("rows")? == Some(rows)
        && said("events")?.unwrap_or(0) == events)
}

fn summary_is_right(connection: &Connection) -> rusqlite::Result<bool> {
    let (mut counted, mut said, mut twice) = (HashMap::new(), HashMap::new(), false);
    summary::count(connection, "event", &mut counted)?;
    summary::read(connection, i64::MIN..i64::MAX, &mut |key, sums| {
        twice |= said.insert(key, sums).is_some()
    })?;
    // SQLite knows no larger numbers.
    let largest = i64::MAX.cast_unsigned();
    for sums in counted.values_mut() {
        for sum in [&mut sums.count, &mut sums.bytes, &mut sums.us, &mut sums.us_max] {
            *sum = (*sum).min(largest);
        }
    }
    Ok(!twice && counted == said)
}
