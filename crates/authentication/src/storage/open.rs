//! From a held file to a connection: ours, whole, of a known version, migrated.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StorageError, migrations, shrink};

/// How long a statement waits for another process (a backup) to let go of the file.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS: usize = 128;

/// Pages of the write-ahead log (4 KiB each) that are moved into the file at a time, and the bytes that the log
/// keeps on the disk afterwards.
const CHECKPOINT: i64 = 250;
const LOG: i64 = 4 << 20;

/// Opens the file that exists at `path`.
pub(super) fn open(path: &Path) -> Result<Connection, StorageError> {
    let fault = |cause| StorageError::from_sqlite(path, cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    identify(&connection, path)?;
    check(&connection, path)?;
    let fresh = shrink::prepare(&connection).map_err(fault)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fault)?;
    if !fresh {
        shrink::migrate(&connection, path);
    }
    configure(&connection).map_err(fault)?;
    migrations::apply(&mut connection, path)?;
    Ok(connection)
}

/// Opens a database that ends with the process.
pub(super) fn in_memory(name: &Path) -> Result<Connection, StorageError> {
    let fault = |cause| StorageError::from_sqlite(name, cause);
    let mut connection = Connection::open_in_memory().map_err(fault)?;
    configure(&connection).map_err(fault)?;
    migrations::apply(&mut connection, name)?;
    Ok(connection)
}

/// Opens the same file once more, for reading.
pub(super) fn reader(path: &Path) -> Result<Connection, StorageError> {
    let fault = |cause| StorageError::from_sqlite(path, cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Refuses what is not ours before anything is written to it, even by a checkpoint on closing.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<(), StorageError> {
    let fault = |cause| StorageError::from_sqlite(path, cause);
    let file = || path.to_owned();
    // When the last connection closes, SQLite moves its log into the file, even where it was only read.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fault)?;
    let (application_id, found, objects) = header(connection).map_err(fault)?;
    let empty = application_id == 0 && found == 0 && objects == 0;
    match application_id {
        migrations::APPLICATION_ID if found > migrations::LATEST => {
            Err(StorageError::Newer { file: file(), found, known: migrations::LATEST })
        }
        migrations::APPLICATION_ID => Ok(()),
        0 if empty => Ok(()),
        application_id => Err(StorageError::Foreign { file: file(), application_id }),
    }
}

fn header(connection: &Connection) -> rusqlite::Result<(i32, i32, i64)> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let objects = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((pragma("application_id")?, pragma("user_version")?, objects))
}

fn check(connection: &Connection, path: &Path) -> Result<(), StorageError> {
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|cause| StorageError::from_sqlite(path, cause))?;
    if finding == "ok" {
        return Ok(());
    }
    Err(StorageError::Corrupt { file: path.to_owned(), detail: finding.replace('\n', " ") })
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // FULL, not NORMAL: under NORMAL a power loss may undo the last commits, and a session that was
    // signed out would live again (invariant 8). Activity is written in batches, so the price is one
    // fsync for a sign-in or sign-out.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A checkpoint is work of the thread that everybody waits for: often and little.
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    connection.pragma_update(None, "journal_size_limit", LOG)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}
