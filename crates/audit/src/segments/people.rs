//! Who people are, as the store knows them: a key for each, under which everything personal of their rows is sealed. Whose
//! key is gone is nobody any more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::draft::Who;
use super::erase;
use super::erasures::Erasures;
use super::error::StoreError;
use super::keys::{Pseudonym, StoreKeys};
use super::{names, schema};
use crate::secret::SealingKey;

/// What the file says it is: "PCPE".
const APPLICATION: i32 = 0x5043_5045;

/// People whose keys are at hand.
const KNOWN: usize = 20_000;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS person(pseudonym BLOB PRIMARY KEY, key BLOB NOT NULL, last BLOB,
      first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS alias(name INTEGER, pseudonym BLOB, PRIMARY KEY(name, pseudonym)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS day(day INTEGER PRIMARY KEY, key BLOB NOT NULL);";

const DAY: u64 = 86_400_000_000;

/// The day of a moment.
pub(super) const fn day(time: u64) -> i64 {
    (time / DAY) as i64
}

/// What a person's key is bound to where it is kept.
pub(super) fn place(pseudonym: Pseudonym) -> Vec<u8> {
    [b"person ".as_slice(), &pseudonym.0].concat()
}

fn day_place(day: i64) -> Vec<u8> {
    format!("day {day}").into_bytes()
}

/// The writer's side. What it writes between two commits is there after both or after none.
#[derive(Debug)]
pub(super) struct People {
    pub(super) keys: StoreKeys,
    path: PathBuf,
    connection: Connection,
    known: HashMap<Pseudonym, Known>,
    day: Option<(i64, SealingKey)>,
    begun: bool,
    folder: PathBuf,
    erasures: Erasures,
    /// What the file was when `known` and `erasures` were read: another number where somebody else has written since.
    version: Option<i64>,
}

/// Somebody whom an event is about.
#[derive(Debug)]
pub(super) enum Met {
    /// What is personal is sealed under this key.
    Known(Pseudonym, SealingKey),
    /// They were erased since it happened: nothing personal of it is kept.
    Erased(Pseudonym),
}

#[derive(Debug)]
struct Known {
    key: SealingKey,
    user: String,
    seen: u64,
}

/// How late `last_seen` may be.
const SEEN: u64 = 60_000_000;

impl People {
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let (keys, path) = (StoreKeys::load_or_create(folder)?, folder.join(names::PEOPLE));
        let fault = StoreError::sqlite(&path);
        if let Err(error) = schema::make_file(&path)
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(StoreError::io(&path)(error));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(&fault)?;
        connection.busy_timeout(schema::BUSY).map_err(&fault)?;
        identify(&connection, &path)?;
        configure(&connection).map_err(&fault)?;
        drop(fault);
        let erasures = Erasures::merge(folder)?;
        destroy_what_came_back(&connection, &path, &erasures)?;
        let (known, folder) = (HashMap::new(), folder.to_owned());
        let mut people =
            Self { keys, path, connection, known, day: None, begun: false, folder, erasures, version: None };
        people.learn()?;
        Ok(people)
    }

    /// Forgets the keys that are at hand, and reads the list of erasures, where somebody else has written to the file.
    pub(super) fn learn(&mut self) -> Result<(), StoreError> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0));
        let version = Some(version.map_err(StoreError::sqlite(&self.path))?);
        if mutant!(version != self.version, "erased-key-stays-at-hand" => self.version.is_none()) {
            self.known.clear();
            self.day = None;
            self.erasures = Erasures::read(&self.folder)?;
            self.version = version;
        }
        Ok(())
    }

    /// Who somebody is at a moment: what they did before they were erased is another's than what they do since.
    fn who(&self, who: &Who, began: u64) -> Result<Pseudonym, Pseudonym> {
        let mut person = self.keys.pseudonym(&who.provider, &who.subject);
        while let Some(until) = self.erasures.until(person) {
            if mutant!(began <= until, "what-was-waiting-is-sealed-anew" => false) {
                return Err(person);
            }
            person = self.keys.after(person);
        }
        Ok(person)
    }

    /// The key of a person, who is written down where that is news. `began`: when the first of what is told happened, `time`:
    /// when the last did.
    pub(super) fn meet(&mut self, who: &Who, began: u64, time: u64) -> Result<Met, StoreError> {
        let pseudonym = match self.who(who, began) {
            Ok(pseudonym) => pseudonym,
            Err(erased) => return Ok(Met::Erased(erased)),
        };
        if let Some(known) = self.known.get(&pseudonym)
            && known.user == who.user
            && time < known.seen.saturating_add(SEEN)
        {
            return Ok(Met::Known(pseudonym, known.key.clone()));
        }
        self.begin()?;
        // Nobody erases anybody from now on; somebody may have until now.
        let pseudonym = match self.who(who, began) {
            Ok(pseudonym) => pseudonym,
            Err(erased) => return Ok(Met::Erased(erased)),
        };
        let key = self.write_down(who, pseudonym, time).map_err(StoreError::sqlite(&self.path))?;
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(pseudonym, Known { key: key.clone(), user: who.user.clone(), seen: time });
        Ok(Met::Known(pseudonym, key))
    }

    fn write_down(&self, who: &Who, pseudonym: Pseudonym, time: u64) -> rusqlite::Result<SealingKey> {
        let found = "SELECT key FROM person WHERE pseudonym = ?1";
        let found = self.connection.prepare_cached(found)?.query_row([pseudonym.0], |row| row.get(0));
        let kept = found.optional()?.and_then(|key: Vec<u8>| self.keys.unwrap(&place(pseudonym), &key));
        let is_new = kept.is_none();
        let key = kept.unwrap_or_else(SealingKey::random);
        let sealed = key.seal(b"last", who.to_json().as_bytes());
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        if is_new {
            let wrapped = self.keys.wrap(&place(pseudonym), &key);
            let add = "INSERT OR REPLACE INTO person VALUES (?1, ?2, ?3, ?4, ?4)";
            self.connection.prepare_cached(add)?.execute(params![pseudonym.0, wrapped, sealed, time])?;
        } else {
            let change = "UPDATE person SET last = ?2, last_seen = max(last_seen, ?3), \
                          first_seen = min(first_seen, ?3) WHERE pseudonym = ?1";
            self.connection.prepare_cached(change)?.execute(params![pseudonym.0, sealed, time])?;
        }
        for name in [&who.user, &who.subject] {
            let add = "INSERT OR IGNORE INTO alias VALUES (?1, ?2)";
            self.connection.prepare_cached(add)?.execute(params![self.keys.name(name), pseudonym.0])?;
        }
        Ok(key)
    }

    /// The key of what is nobody's and of this moment's day.
    pub(super) fn key_of_day(&mut self, time: u64) -> Result<SealingKey, StoreError> {
        let day = day(time);
        if let Some((known, key)) = &self.day
            && *known == day
        {
            return Ok(key.clone());
        }
        self.begin()?;
        let key = self.make_day(day).map_err(StoreError::sqlite(&self.path))?;
        self.day = Some((day, key.clone()));
        Ok(key)
    }

    fn make_day(&self, day: i64) -> rusqlite::Result<SealingKey> {
        if let Some(key) = key_of_day(&self.connection, &self.keys, day)? {
            return Ok(key);
        }
        let key = SealingKey::random();
        let add = "INSERT OR REPLACE INTO day VALUES (?1, ?2)";
        self.connection.execute(add, params![day, self.keys.wrap(&day_place(day), &key)])?;
        Ok(key)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if !self.begun {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::sqlite(&self.path))?;
            self.begun = true;
            self.learn()?;
        }
        Ok(())
    }

    /// Keeps what was written down.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if self.begun {
            self.connection.execute_batch("COMMIT").map_err(StoreError::sqlite(&self.path))?;
            self.begun = false;
        }
        Ok(())
    }

    /// Forgets what was written down since the last commit.
    pub(super) fn roll_back(&mut self) {
        if self.begun {
            let _ = self.connection.execute_batch("ROLLBACK");
            self.begun = false;
        }
        self.known.clear();
        self.day = None;
    }

    /// Forgets whoever was not seen since, and keys of days before.
    pub(super) fn forget(path: &Path, before: u64) -> Result<(), StoreError> {
        let fault = StoreError::sqlite(path);
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(&fault)?;
        connection.busy_timeout(schema::BUSY).map_err(&fault)?;
        connection.pragma_update(None, "secure_delete", true).map_err(&fault)?;
        let forget = |sql: &str, before: i64| connection.execute(sql, [before]).map_err(&fault);
        forget(
            "DELETE FROM alias WHERE pseudonym IN (SELECT pseudonym FROM person WHERE last_seen < ?1)",
            before as i64,
        )?;
        forget("DELETE FROM person WHERE last_seen < ?1", before as i64)?;
        forget("DELETE FROM day WHERE day < ?1", day(before)).map(drop)
    }
}

/// A file that was put back from a backup has keys again of people who were erased since.
fn destroy_what_came_back(
    connection: &Connection,
    path: &Path,
    erasures: &Erasures,
) -> Result<(), StoreError> {
    if mutant!(erase::delete(connection, path, erasures.people())?, "restored-key-opens-again" => 0) == 0 {
        return Ok(());
    }
    tracing::warn!(file = %path.display(), "keys of people who have been erased came back, as from a backup; they are destroyed again");
    erase::overwrite(connection, path)
}

pub(super) fn identify(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let fault = StoreError::sqlite(path);
    let found: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(&fault)?;
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(&fault)?;
    if found == APPLICATION || (found == 0 && objects == 0) {
        return Ok(());
    }
    Err(StoreError::foreign(path, format!("it is of the application {found:#010x}")))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A row whose key is lost is lost: a key is on the disk before the row is committed.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)
}

pub(super) fn key_of_day(
    connection: &Connection,
    keys: &StoreKeys,
    day: i64,
) -> rusqlite::Result<Option<SealingKey>> {
    let found = connection
        .prepare_cached("SELECT key FROM day WHERE day = ?1")?
        .query_row([day], |row| row.get::<_, Vec<u8>>(0));
    Ok(found.optional()?.and_then(|key| keys.unwrap(&day_place(day), &key)))
}
