//! Erasing somebody: their key is deleted and its bytes are overwritten, so that what was sealed under it is nobody's any
//! more (invariants 15 and 27). No row is changed: whatever proves the rows goes on to prove them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::erasures::Erasures;
use super::error::StoreError;
use super::keys::Pseudonym;
use super::people::identify;
use super::{names, schema};

/// How long whoever reads may take until the log can be emptied.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is tried meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// Erases somebody from the store in a folder, whoever writes it meanwhile: everything that they did up to `until`, in
/// microseconds since 1970, can be read by nobody when this returns, and the bytes of their key are in no file of the folder.
/// Somebody who is erased already is erased once more, so that what broke off can be finished.
///
/// # Errors
/// Where a list or the file of keys cannot be written. Then it can be done again.
pub fn erase(folder: &Path, person: Pseudonym, until: u64) -> Result<(), StoreError> {
    let path = folder.join(names::PEOPLE);
    let connection = open(&path)?;
    // First of all: what is on the list is destroyed at the next start, whatever breaks off here.
    if mutant!(true, "erasure-off-the-list" => false) {
        Erasures::add(folder, person, until)?;
    }
    delete(&connection, &path, std::iter::once(person))?;
    overwrite(&connection, &path)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let fault = StoreError::sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&fault)?;
    connection.busy_timeout(schema::BUSY).map_err(&fault)?;
    identify(&connection, path)?;
    connection.pragma_update(None, "secure_delete", true).map_err(&fault)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(&fault)?;
    Ok(connection)
}

/// Deletes the keys and names of people; gives how many had some.
pub(super) fn delete(
    connection: &Connection,
    path: &Path,
    people: impl Iterator<Item = Pseudonym>,
) -> Result<usize, StoreError> {
    let delete = || {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut gone = 0;
        for person in people {
            gone +=
                connection.prepare_cached("DELETE FROM person WHERE pseudonym = ?1")?.execute([person.0])?;
            connection.prepare_cached("DELETE FROM alias WHERE pseudonym = ?1")?.execute([person.0])?;
        }
        connection.execute_batch("COMMIT")?;
        Ok(gone)
    };
    delete().map_err(|error| {
        let _ = connection.execute_batch("ROLLBACK");
        StoreError::sqlite(path)(error)
    })
}

/// Writes the file anew without what was deleted, and empties its log, which has pages as they were before. `secure_delete`
/// writes zeros over what is deleted; what SQLite leaves in the free part of a page that it builds anew is its own affair.
pub(super) fn overwrite(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    if mutant!(false, "erased-key-stays-in-the-file" => true) {
        return Ok(());
    }
    let fault = StoreError::sqlite(path);
    connection.execute_batch("VACUUM").map_err(&fault)?;
    let until = Instant::now() + PATIENCE;
    while !is_emptied(connection).map_err(&fault)? {
        if Instant::now() >= until {
            let busy = "somebody reads it all the time: the key is deleted, and its bytes are still in its log; try again";
            return Err(StoreError::io(path)(std::io::Error::new(std::io::ErrorKind::ResourceBusy, busy)));
        }
        thread::park_timeout(PAUSE);
    }
    Ok(())
}

fn is_emptied(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        .map(|busy| busy == 0)
}
