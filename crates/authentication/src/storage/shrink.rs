//! Room that deleted rows leave goes back to the disk, a little at a time.

use std::path::Path;

use rusqlite::Connection;

use super::{Database, StorageError};

/// SQLite's number for `auto_vacuum = INCREMENTAL`.
const INCREMENTAL: i64 = 2;

/// Free pages (4 KiB each) given back in one step.
const STEP: i64 = 64;

/// Free pages that stay for what comes next.
const SPARE: i64 = 256;

impl Database {
    /// Gives back one step; true while there is more to give back than is worth keeping.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn shrink(&self) -> Result<bool, StorageError> {
        self.tidy(step).await
    }
}

fn step(connection: &mut Connection) -> rusqlite::Result<bool> {
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free <= SPARE {
        return Ok(false);
    }
    connection.pragma(None, "incremental_vacuum", STEP.min(free - SPARE), |_| Ok(()))?;
    let last = free - STEP <= SPARE;
    if last {
        // The file itself becomes shorter when the log is moved into it.
        connection.pragma(None, "wal_checkpoint", "PASSIVE", |_| Ok(()))?;
    }
    Ok(!last)
}

/// Lets a file that is still empty shrink later; true where it was empty.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<bool> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    }
    Ok(pages == 0)
}

/// Rewrites a file of an older gateway, once, so that it can shrink. Where the disk has no room for that it
/// serves as it is.
pub(super) fn migrate(connection: &Connection, path: &Path) {
    if let Err(error) = rewrite(connection) {
        tracing::warn!(
            file = %path.display(), %error,
            "the state file could not be rewritten and does not shrink; the next start tries again"
        );
    }
}

fn rewrite(connection: &Connection) -> rusqlite::Result<()> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode == INCREMENTAL {
        return Ok(());
    }
    connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    connection.execute_batch("VACUUM")
}
