//! What is written from now on.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::catalogue::Listed;
use super::directory::Names;
use super::event::Event;
use super::question::Asked;
use super::rows::{COLUMNS, Segment};

/// Up to where somebody has been told. Intervals are told once they are over.
#[derive(Clone, Debug, Default)]
pub struct Mark {
    /// The last row of each segment.
    seen: BTreeMap<(u64, Box<str>), i64>,
    begun: bool,
}

impl Mark {
    /// Whether a segment may have something new.
    pub(super) fn is_behind(&self, listed: &Listed) -> bool {
        let seen = self.seen.get(&key(listed)).copied().unwrap_or(0);
        listed.bounds.is_none_or(|bounds| i64::try_from(bounds.rows).is_ok_and(|rows| rows > seen))
    }

    /// From now on everything is new.
    pub(super) const fn begin(&mut self) {
        self.begun = true;
    }

    /// Tells what a segment has behind the mark, and moves it.
    pub(super) fn tell(
        &mut self,
        connection: &Connection,
        listed: &Listed,
        asked: &Asked,
        names: Option<&mut Names>,
        take: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> rusqlite::Result<ControlFlow<()>> {
        let newest =
            connection.query_row("SELECT max(n) FROM event", [], |row| row.get::<_, Option<i64>>(0))?;
        let before = self.seen.insert(key(listed), newest.unwrap_or(0)).unwrap_or(0);
        let condition = asked.condition(connection)?.filter(|_| self.begun);
        let Some(condition) = condition else { return Ok(ControlFlow::Continue(())) };
        let chosen = condition.text();
        let sql = format!("SELECT {COLUMNS} FROM event WHERE {chosen} AND n > ? AND n <= ? ORDER BY n");
        let bounds = [before, newest.unwrap_or(0)].map(Value::Integer);
        let mut segment = Segment::new(connection, &listed.name.process);
        segment.give(&sql, condition.values.iter().chain(&bounds), false, names, take)
    }
}

fn key(listed: &Listed) -> (u64, Box<str>) {
    (listed.name.number, listed.name.process.clone())
}
