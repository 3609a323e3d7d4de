//! What of a row is chained: every column as it stands, and the words that its numbers stand for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::chain::{self, Hash};

/// The columns that are chained, in their order; where a row stands is told by its place among the others.
pub(super) const COLUMNS: &str = "time, id, until, kind, outcome, status, person, provider, route, client, net, session, \
                                  count, bytes, us, us_max, latency, request, open, rest, sealed";

/// How many of them there are, and those that are numbers of a dictionary.
const COUNT: usize = 21;
const KIND: usize = 3;
const PERSON: usize = 6;
const WORDS: [usize; 4] = [KIND, 7, 8, OPEN];
const OPEN: usize = 18;
const REST: usize = 19;

/// The bytes that are hashed. Of each value its kind comes first, and its length where that differs, so that no two rows
/// have the same.
#[derive(Debug, Default)]
pub(super) struct Leaf(Vec<u8>);

impl Leaf {
    /// The values of a row follow.
    pub(super) fn begin(&mut self) -> &mut Self {
        self.0.clear();
        self
    }

    pub(super) fn number(&mut self, value: Option<i64>) -> &mut Self {
        self.value(value.map_or(ValueRef::Null, ValueRef::Integer))
    }

    pub(super) fn text(&mut self, value: Option<&str>) -> &mut Self {
        self.value(value.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes())))
    }

    pub(super) fn bytes(&mut self, value: Option<&[u8]>) -> &mut Self {
        self.value(value.map_or(ValueRef::Null, ValueRef::Blob))
    }

    /// A number of a dictionary, and what it stands for.
    pub(super) fn word(&mut self, number: Option<i64>, word: &[u8]) -> &mut Self {
        let Some(number) = number else { return self.value(ValueRef::Null) };
        self.0.push(5);
        self.0.extend_from_slice(&number.to_be_bytes());
        self.sized(mutant!(word, "store-chain-forgets-words" => &[]))
    }

    fn value(&mut self, value: ValueRef<'_>) -> &mut Self {
        match value {
            ValueRef::Null => self.0.push(0),
            ValueRef::Integer(number) => {
                self.0.push(1);
                self.0.extend_from_slice(&number.to_be_bytes());
            }
            ValueRef::Real(number) => {
                self.0.push(2);
                self.0.extend_from_slice(&number.to_bits().to_be_bytes());
            }
            ValueRef::Text(text) => {
                self.0.push(3);
                return self.sized(text);
            }
            ValueRef::Blob(bytes) => {
                self.0.push(4);
                return self.sized(bytes);
            }
        }
        self
    }

    fn sized(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// The hash, and of how many bytes it is.
    pub(super) fn hash(&self) -> (Hash, u64) {
        (Hash::of(&self.0), self.0.len() as u64)
    }
}

/// A row that was read.
#[derive(Debug)]
pub(super) struct Chained {
    pub(super) n: i64,
    pub(super) hash: Hash,
    pub(super) bytes: u64,
    /// The signed note that it tells.
    pub(super) note: Option<String>,
}

/// Reads rows again, as they are chained.
#[derive(Debug, Default)]
pub(super) struct Rows {
    words: HashMap<i64, Option<Arc<str>>>,
    people: HashMap<i64, Option<Vec<u8>>>,
    leaf: Leaf,
}

impl Rows {
    /// The rows of a table behind one and up to another.
    pub(super) fn read(
        &mut self,
        connection: &Connection,
        table: &str,
        (behind, last): (i64, i64),
    ) -> rusqlite::Result<Vec<Chained>> {
        let sql = format!("SELECT {COLUMNS}, n FROM {table} WHERE n > ?1 AND n <= ?2 ORDER BY n");
        let mut statement = connection.prepare_cached(&sql)?;
        let (mut rows, mut found) = (statement.query([behind, last])?, Vec::new());
        while let Some(row) = rows.next()? {
            found.push(self.row(connection, row)?);
        }
        Ok(found)
    }

    fn row(&mut self, connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Chained> {
        self.leaf.begin();
        for column in 0..COUNT {
            match row.get_ref(column)? {
                ValueRef::Integer(number) if WORDS.contains(&column) => {
                    let word = self.word(connection, number)?;
                    self.leaf.word(Some(number), word.as_deref().unwrap_or_default().as_bytes());
                }
                ValueRef::Integer(number) if column == PERSON => {
                    self.person(connection, number)?;
                    let person = self.people.get(&number).and_then(Option::as_deref);
                    self.leaf.word(Some(number), person.unwrap_or_default());
                }
                value @ (ValueRef::Null
                | ValueRef::Integer(_)
                | ValueRef::Real(_)
                | ValueRef::Text(_)
                | ValueRef::Blob(_)) => {
                    self.leaf.value(value);
                }
            }
        }
        let ((hash, bytes), note) = (self.leaf.hash(), self.note(row)?);
        Ok(Chained { n: row.get(COUNT)?, hash, bytes, note })
    }

    fn word(&mut self, connection: &Connection, number: i64) -> rusqlite::Result<Option<Arc<str>>> {
        if let Some(known) = self.words.get(&number) {
            return Ok(known.clone());
        }
        let mut find = connection.prepare_cached("SELECT text FROM word WHERE id = ?1")?;
        let found = find.query_row([number], |row| row.get::<_, Option<String>>(0)).optional()?.flatten();
        let found: Option<Arc<str>> = found.map(Into::into);
        self.words.insert(number, found.clone());
        Ok(found)
    }

    fn person(&mut self, connection: &Connection, number: i64) -> rusqlite::Result<()> {
        if let Entry::Vacant(unknown) = self.people.entry(number) {
            let mut find = connection.prepare_cached("SELECT pseudonym FROM person WHERE id = ?1")?;
            let found = find.query_row([number], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?;
            unknown.insert(found.flatten());
        }
        Ok(())
    }

    /// The signed note of a row that tells of a checkpoint or a key.
    fn note(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<String>> {
        let known = |column: usize| match row.get_ref(column) {
            Ok(ValueRef::Integer(number)) => self.words.get(&number).cloned().flatten(),
            Ok(ValueRef::Text(text)) => Some(String::from_utf8_lossy(text).into()),
            Ok(ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_)) | Err(_) => None,
        };
        let Some(kind) = known(KIND).filter(|kind| kind.starts_with("record.") || kind.starts_with("key"))
        else {
            return Ok(None);
        };
        let parts = [known(OPEN), known(REST)].into_iter().flatten().filter(|part| !part.is_empty());
        let parts: String = parts.map(|part| format!(",{part}")).collect();
        Ok(chain::note(format!("{{\"type\":\"{kind}\"{parts}}}\n").as_bytes()))
    }
}
