//! The end of a segment: what went on in it has ended, it gets its indexes and its summary, and changes no more. Whatever
//! breaks off on the way is begun anew by whoever finds it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::names::SegmentName;
use super::{links, schema, summary};
use crate::chain::Head;

/// What became of a segment.
#[derive(Debug, Default)]
pub(super) struct Closed {
    /// The end of its chain; none: nothing was written to it, and it is gone.
    pub(super) head: Option<Head>,
    /// Whether that is a block that was added now.
    pub(super) is_longer: bool,
}

/// Closes a segment that nobody writes any more. One that nothing was written to is gone.
pub(super) fn close(folder: &Path, name: &SegmentName) -> Result<Closed, StoreError> {
    let path = name.path(folder);
    if is_nothing(&path) {
        return fs::remove_file(&path).map(|()| Closed::default()).map_err(StoreError::io(&path));
    }
    let connection = schema::adopt(&path)?;
    let closed = name.closed();
    let (head, is_longer) = finish(&connection, &closed).map_err(StoreError::sqlite(&path))?;
    let rows = connection.query_row("SELECT value FROM meta WHERE name = 'rows'", [], |row| row.get(0));
    let rows: i64 = rows.map_err(StoreError::sqlite(&path))?;
    connection.close().map_err(|(_, cause)| StoreError::sqlite(&path)(cause))?;
    if rows == 0 && head.is_none() {
        return fs::remove_file(&path).map(|()| Closed::default()).map_err(StoreError::io(&path));
    }
    settle(folder, &path, &closed.path(folder)).map_err(StoreError::io(&path))?;
    Ok(Closed { head, is_longer })
}

/// Whether its writer ended before there was anything in it.
fn is_nothing(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let is_empty = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len()) == 0;
    is_empty(path) && is_empty(Path::new(&log))
}

/// Gives the end of its chain, and whether something was added to it.
fn finish(connection: &Connection, closed: &SegmentName) -> rusqlite::Result<(Option<Head>, bool)> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let last = connection.query_row("SELECT coalesce(max(n), 0) FROM event", [], |row| row.get(0))?;
    let all = "time, id, until, kind, outcome, status, person, provider, route, client, net, session, count, bytes, \
               us, us_max, latency, request, open, rest, sealed";
    connection.execute_batch(&format!(
        "INSERT INTO event({all}) SELECT {all} FROM going_on ORDER BY n; DELETE FROM going_on;"
    ))?;
    let (head, is_longer) = links::adopt(connection, last)?;
    connection.execute_batch(schema::INDEXES)?;
    summary::write(connection)?;
    connection.execute_batch(
        "INSERT OR REPLACE INTO meta SELECT 'since', coalesce(min(time), (SELECT value FROM meta WHERE name = 'begun'))
           FROM event;
         INSERT OR REPLACE INTO meta SELECT 'until', coalesce(max(coalesce(until, time)),
           (SELECT value FROM meta WHERE name = 'begun')) FROM event;
         INSERT OR REPLACE INTO meta SELECT 'rows', count(*) FROM event;
         INSERT OR REPLACE INTO meta SELECT 'events', sum(coalesce(count, 1)) FROM event;
         ANALYZE; COMMIT;",
    )?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    Ok((head.map(|head| Head { file: closed.file(), ..head }), is_longer))
}

/// On the disk, for reading alone, under its last name.
fn settle(folder: &Path, path: &Path, closed: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()?;
    fs::set_permissions(path, Permissions::from_mode(0o400))?;
    fs::rename(path, closed)?;
    File::open(folder)?.sync_all()
}
