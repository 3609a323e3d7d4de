//! What is written from now on.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::catalogue::Listed;
use super::event::Event;
use super::people::Names;
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
        mut names: Option<&mut Names>,
        take: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> rusqlite::Result<ControlFlow<()>> {
        let newest =
            connection.query_row("SELECT max(n) FROM event", [], |row| row.get::<_, Option<i64>>(0))?;
        let before = self.seen.insert(key(listed), newest.unwrap_or(0)).unwrap_or(0);
        let condition = asked.condition(connection)?.filter(|_| self.begun);
        let Some(condition) = condition else { return Ok(ControlFlow::Continue(())) };
        let chosen = if condition.text.is_empty() { "1" } else { &condition.text };
        let sql = format!("SELECT {COLUMNS} FROM event WHERE {chosen} AND n > ? AND n <= ? ORDER BY n");
        let (mut segment, mut statement) =
            (Segment::new(connection, &listed.name.process), connection.prepare(&sql)?);
        let bounds = [before, newest.unwrap_or(0)].map(Value::Integer);
        let mut rows = statement.query(params_from_iter(condition.values.iter().chain(&bounds)))?;
        while let Some(row) = rows.next()? {
            if take(segment.event(row, false, names.as_deref_mut())?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn key(listed: &Listed) -> (u64, Box<str>) {
    (listed.name.number, listed.name.process.clone())
}
