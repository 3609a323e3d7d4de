//! Who people are, for whoever reads: their keys, as long as they are there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::draft::Who;
use super::erasures::Erasures;
use super::error::StoreError;
use super::keys::{Pseudonym, StoreKeys};
use super::people::{identify, key_of_day, place};
use super::{names, schema};
use crate::secret::SealingKey;

/// Somebody whom the store knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What stands for them in rows.
    pub pseudonym: Pseudonym,
    /// Who they are, by their last event; none where their key is gone.
    pub who: Option<Who>,
    /// Their first event, in microseconds since 1970.
    pub first_seen: u64,
    /// Their last event, up to a minute.
    pub last_seen: u64,
}

/// The reader's side, for one question: keys that it has read are forgotten with it.
#[derive(Debug)]
pub(super) struct Names {
    keys: StoreKeys,
    path: PathBuf,
    connection: Connection,
    people: HashMap<Pseudonym, Option<SealingKey>>,
    days: HashMap<i64, Option<SealingKey>>,
    /// Whose keys are none, also where no process has destroyed them yet after they came back.
    erasures: Erasures,
}

impl Names {
    pub(super) fn open(folder: &Path, keys: &StoreKeys) -> Result<Self, StoreError> {
        let path = folder.join(names::PEOPLE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(StoreError::sqlite(&path))?;
        connection.busy_timeout(schema::BUSY).map_err(StoreError::sqlite(&path))?;
        identify(&connection, &path)?;
        let (keys, erasures) = (keys.clone(), Erasures::read(folder)?);
        Ok(Self { keys, path, connection, people: HashMap::new(), days: HashMap::new(), erasures })
    }

    /// Whoever was ever called so, by name or subject: at most a thousand.
    pub(super) fn called(&self, name: &str) -> Result<Vec<Pseudonym>, StoreError> {
        let find = || {
            let mut statement =
                self.connection.prepare("SELECT pseudonym FROM alias WHERE name = ?1 LIMIT 1000")?;
            let found = statement.query_map([self.keys.name(name)], |row| row.get(0).map(Pseudonym))?;
            let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
            found.retain(|person| !self.erasures.has(*person));
            Ok(found)
        };
        find().map_err(StoreError::sqlite(&self.path))
    }

    /// The key of a person; none: it is gone.
    pub(super) fn key(&mut self, pseudonym: Pseudonym) -> Option<&SealingKey> {
        let (connection, keys) = (&self.connection, &self.keys);
        let is_erased = self.erasures.has(pseudonym);
        let find = || {
            if mutant!(is_erased, "erased-before-the-start-is-read" => false) {
                return None;
            }
            let mut statement =
                connection.prepare_cached("SELECT key FROM person WHERE pseudonym = ?1").ok()?;
            let found: Vec<u8> = statement.query_row([pseudonym.0], |row| row.get(0)).optional().ok()??;
            keys.unwrap(&place(pseudonym), &found)
        };
        self.people.entry(pseudonym).or_insert_with(find).as_ref()
    }

    /// The key of what is nobody's, of a day; none: it is gone.
    pub(super) fn key_of_day(&mut self, day: i64) -> Option<&SealingKey> {
        let (connection, keys) = (&self.connection, &self.keys);
        let find = || key_of_day(connection, keys, day).ok().flatten();
        self.days.entry(day).or_insert_with(find).as_ref()
    }

    /// Everybody, whoever was seen last first.
    pub(super) fn people(&mut self, take: &mut dyn FnMut(Person) -> bool) -> Result<(), StoreError> {
        let fault = StoreError::sqlite(&self.path);
        let sql = "SELECT pseudonym, key, last, first_seen, last_seen FROM person ORDER BY last_seen DESC";
        let mut statement = self.connection.prepare(sql).map_err(&fault)?;
        let mut rows = statement.query([]).map_err(&fault)?;
        while let Some(row) = rows.next().map_err(&fault)? {
            let person = self.person(row).map_err(&fault)?;
            if !self.erasures.has(person.pseudonym) && !take(person) {
                break;
            }
        }
        Ok(())
    }

    /// Whom the store knows by what stands for them; none: nobody.
    pub(super) fn known(&self, pseudonym: Pseudonym) -> Result<Option<Person>, StoreError> {
        if self.erasures.has(pseudonym) {
            return Ok(None);
        }
        let sql = "SELECT pseudonym, key, last, first_seen, last_seen FROM person WHERE pseudonym = ?1";
        let found = self.connection.query_row(sql, [pseudonym.0], |row| self.person(row)).optional();
        found.map_err(StoreError::sqlite(&self.path))
    }

    /// Who somebody is now, and up to when they were erased before, the first time first.
    pub(super) fn now(&self, provider: &str, subject: &str) -> (Pseudonym, Vec<(Pseudonym, u64)>) {
        let (mut person, mut before) = (self.keys.pseudonym(provider, subject), Vec::new());
        while let Some(until) = self.erasures.until(person) {
            before.push((person, until));
            person = self.keys.after(person);
        }
        (person, before)
    }

    fn person(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Person> {
        let pseudonym = Pseudonym(row.get(0)?);
        let (key, last): (Vec<u8>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
        let key = self.keys.unwrap(&place(pseudonym), &key);
        let last = key.zip(last).and_then(|(key, last)| key.open(b"last", &last));
        let seen = |column| row.get(column).map(|time: i64| time.cast_unsigned());
        let who = last.and_then(|last| Who::of_json(&last));
        Ok(Person { pseudonym, who, first_seen: seen(3)?, last_seen: seen(4)? })
    }
}
