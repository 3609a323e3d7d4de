//! The tables of a segment. While it is written it has no index: four of them would take ten times what the rows take.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;

/// What a segment says it is: "PCSG".
const APPLICATION: i32 = 0x5043_5347;
/// The form of its tables.
const VERSION: i32 = 1;

/// How long a statement waits for somebody else.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// The columns of an event and of an interval that goes on. Those that questions look at come first; what they do not
/// look at lies behind, and is not read for a row that does not fit.
macro_rules! columns {
    () => {
        "n INTEGER PRIMARY KEY, time INTEGER NOT NULL, id INTEGER NOT NULL, until INTEGER, kind INTEGER NOT NULL, \
         outcome INTEGER, status INTEGER, person INTEGER, provider INTEGER, route INTEGER, client INTEGER, \
         net INTEGER, session INTEGER, count INTEGER, bytes INTEGER, us INTEGER, us_max INTEGER, latency BLOB, \
         request TEXT, open, rest TEXT, sealed BLOB"
    };
}

/// Tables of a segment that is written. `word` and `person` are its dictionaries; `going_on` has the intervals that are
/// not over, as they were a minute ago. `block` is the chain (`links.rs`).
const TABLES: &str = concat!(
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
     CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
     CREATE TABLE person(id INTEGER PRIMARY KEY, pseudonym BLOB NOT NULL);
     CREATE TABLE event(",
    columns!(),
    ");
     CREATE TABLE going_on(",
    columns!(),
    ");
     CREATE TABLE summary(hour INTEGER NOT NULL, kind INTEGER NOT NULL, outcome INTEGER, provider INTEGER,
       route INTEGER, person INTEGER, count INTEGER NOT NULL, bytes INTEGER NOT NULL, us INTEGER NOT NULL,
       us_max INTEGER NOT NULL, latency BLOB NOT NULL);
     CREATE TABLE block(number INTEGER PRIMARY KEY, last INTEGER NOT NULL, opening TEXT, going BLOB,
       adopted INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, prev BLOB NOT NULL,
       leaves BLOB NOT NULL, hash BLOB NOT NULL);"
);

/// What it has when it is closed.
pub(super) const INDEXES: &str = "
    CREATE UNIQUE INDEX IF NOT EXISTS word_text ON word(text);
    CREATE UNIQUE INDEX IF NOT EXISTS person_pseudonym ON person(pseudonym);
    CREATE INDEX IF NOT EXISTS event_time ON event(time);
    CREATE INDEX IF NOT EXISTS event_kind ON event(kind, time);
    CREATE INDEX IF NOT EXISTS event_person ON event(person, time) WHERE person IS NOT NULL;
    CREATE INDEX IF NOT EXISTS event_route ON event(route, time) WHERE route IS NOT NULL;
    CREATE INDEX IF NOT EXISTS event_client ON event(client, time) WHERE client IS NOT NULL;
    CREATE INDEX IF NOT EXISTS event_net ON event(net, time) WHERE net IS NOT NULL;
    CREATE INDEX IF NOT EXISTS event_session ON event(session, time) WHERE session IS NOT NULL;
    CREATE INDEX IF NOT EXISTS event_request ON event(request) WHERE request IS NOT NULL;
    CREATE INDEX IF NOT EXISTS event_outcome ON event(outcome, time) WHERE outcome > 3;
    CREATE INDEX IF NOT EXISTS event_status ON event(status, time) WHERE status >= 400;";

/// Makes a segment; nobody has one of this name.
pub(super) fn create(path: &Path) -> Result<Connection, StoreError> {
    let fault = StoreError::sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    make_file(path).map_err(StoreError::io(path))?;
    let made = Connection::open_with_flags(path, flags).and_then(fill).map_err(&fault);
    if made.is_err() {
        // Nobody is to find half of one.
        let _ = std::fs::remove_file(path);
    }
    made
}

fn fill(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "page_size", 8192)?;
    configure(&connection)?;
    connection.execute_batch(&format!("BEGIN; {TABLES} COMMIT;"))?;
    connection.pragma_update(None, "user_version", VERSION)?;
    // Last: what has this has all of it.
    connection.pragma_update(None, "application_id", APPLICATION)?;
    Ok(connection)
}

/// One that is nowhere.
#[cfg(any(test, fuzzing))]
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

/// An empty file that its owner alone may read.
pub(super) fn make_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What is committed is in the kernel; the sink sees to the disk every second.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // 8 MiB are moved into the file at a time.
    connection.pragma_update(None, "wal_autocheckpoint", 1024)?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// Opens one that somebody has left, to close it.
pub(super) fn adopt(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(StoreError::sqlite(path))?;
    connection.busy_timeout(BUSY).map_err(StoreError::sqlite(path))?;
    identify(&connection, path)?;
    configure(&connection).map_err(StoreError::sqlite(path))?;
    Ok(connection)
}

/// Opens one to read it. One that is closed changes no more: it is read without a lock.
pub(super) fn read(path: &Path, is_open: bool) -> Result<Connection, StoreError> {
    let fault = StoreError::sqlite(path);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let address = format!("file:{}{}", in_address(path), if is_open { "" } else { "?immutable=1" });
    let connection = Connection::open_with_flags(address, flags).map_err(&fault)?;
    connection.busy_timeout(BUSY).map_err(&fault)?;
    identify(&connection, path)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(&fault)?;
    Ok(connection)
}

/// A path as it stands in an address.
fn in_address(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn identify(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let fault = StoreError::sqlite(path);
    match (pragma("application_id").map_err(&fault)?, pragma("user_version").map_err(&fault)?) {
        (APPLICATION, VERSION) => Ok(()),
        (APPLICATION, version) => Err(StoreError::foreign(path, format!("its form is {version}, not 1"))),
        (0, 0) => Err(StoreError::foreign(path, "it is empty")),
        (other, _) => Err(StoreError::foreign(path, format!("it is of the application {other:#010x}"))),
    }
}
