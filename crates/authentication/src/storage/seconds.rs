//! Points in time as columns hold them.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::clock::Timestamp;

/// A point in time as a column holds it: whole seconds since 1970, as an integer.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Timestamp);

impl ToSql for Seconds {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.seconds()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Seconds {
    /// # Errors
    /// [`FromSqlError::OutOfRange`] for times before 1970, which no gateway writes.
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let seconds = i64::column_result(value)?;
        let time = u64::try_from(seconds).map(Timestamp::from_seconds);
        time.map(Self).map_err(|_| FromSqlError::OutOfRange(seconds))
    }
}
