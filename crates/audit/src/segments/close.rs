//! The end of a segment: what went on in it has ended, it gets its indexes and its summary, and changes no more. Whatever
//! breaks off on the way is begun anew by whoever finds it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::names::SegmentName;
use super::{schema, summary};

/// Closes a segment that nobody writes any more; gives what it is called now. One that nothing was written to is gone.
pub(super) fn close(folder: &Path, name: &SegmentName) -> Result<Option<SegmentName>, StoreError> {
    let path = name.path(folder);
    if is_nothing(&path) {
        return fs::remove_file(&path).map(|()| None).map_err(StoreError::io(&path));
    }
    let connection = schema::adopt(&path)?;
    let rows = finish(&connection).map_err(StoreError::sqlite(&path))?;
    connection.close().map_err(|(_, cause)| StoreError::sqlite(&path)(cause))?;
    if rows == 0 {
        return fs::remove_file(&path).map(|()| None).map_err(StoreError::io(&path));
    }
    let closed = name.closed();
    settle(folder, &path, &closed.path(folder)).map_err(StoreError::io(&path))?;
    Ok(Some(closed))
}

/// Whether its writer ended before there was anything in it.
fn is_nothing(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let is_empty = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len()) == 0;
    is_empty(path) && is_empty(Path::new(&log))
}

/// Gives how many rows it has.
fn finish(connection: &Connection) -> rusqlite::Result<i64> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let all = "time, id, until, kind, outcome, status, person, provider, route, client, net, session, count, bytes, \
               us, us_max, latency, request, open, rest, sealed";
    connection.execute_batch(&format!(
        "INSERT INTO event({all}) SELECT {all} FROM going_on ORDER BY n; DELETE FROM going_on;"
    ))?;
    connection.execute_batch(schema::INDEXES)?;
    summary::write(connection)?;
    connection.execute_batch(
        "INSERT OR REPLACE INTO meta SELECT 'since', min(time) FROM event;
         INSERT OR REPLACE INTO meta SELECT 'until', max(coalesce(until, time)) FROM event;
         INSERT OR REPLACE INTO meta SELECT 'rows', count(*) FROM event;
         INSERT OR REPLACE INTO meta SELECT 'events', sum(coalesce(count, 1)) FROM event;
         ANALYZE; COMMIT;",
    )?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.query_row("SELECT value FROM meta WHERE name = 'rows'", [], |row| row.get(0))
}

/// On the disk, for reading alone, under its last name.
fn settle(folder: &Path, path: &Path, closed: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()?;
    fs::set_permissions(path, Permissions::from_mode(0o400))?;
    fs::rename(path, closed)?;
    File::open(folder)?.sync_all()
}
