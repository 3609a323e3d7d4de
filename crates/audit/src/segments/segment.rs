//! The segment that is written.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use portcullis_events::Kind;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::draft::Draft;
use super::error::StoreError;
use super::fold::Work;
use super::keys::Pseudonym;
use super::leaf::Leaf;
use super::links::{Block, Links};
use super::names::{self, SegmentName};
use super::people::{Met, People, day};
use super::settings::Limits;
use super::{outcomes, schema};
use crate::chain::Hash;

/// Words that the dictionary holds; what comes after them stands in its row.
const WORDS: usize = 16_384;
/// The longest word of the dictionary, in bytes.
const LONGEST: usize = 1_024;
/// Addresses whose hashes are at hand.
const ADDRESSES: usize = 4_096;

macro_rules! insert {
    ($table:literal) => {
        concat!(
            "INSERT OR REPLACE INTO ",
            $table,
            "(n, time, id, until, kind, outcome, status, person, provider, route, client, net, session, count, bytes, \
             us, us_max, latency, request, open, rest, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
             ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"
        )
    };
}

/// A row for good.
const EVENT: &str = insert!("event");
/// A row of what goes on, in the place of the one before.
const GOING_ON: &str = insert!("going_on");

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: SegmentName,
    pub(super) path: PathBuf,
    connection: Connection,
    words: Dictionary<Box<str>>,
    people: Dictionary<Pseudonym>,
    addresses: HashMap<IpAddr, (i64, i64)>,
    next: i64,
    rows: u64,
    day: i64,
    /// The time of its newest row.
    pub(super) newest: u64,
    /// Whether something has been committed that may not be on the disk.
    is_dirty: bool,
    leaf: Leaf,
}

/// What has a number in this segment. Numbers that were given since the last commit are taken back with it.
#[derive(Debug)]
struct Dictionary<T> {
    known: HashMap<T, i64>,
    fresh: Vec<T>,
}

impl<T: Eq + std::hash::Hash + Clone> Dictionary<T> {
    fn new() -> Self {
        Self { known: HashMap::new(), fresh: Vec::new() }
    }

    /// The number, and whether it is new.
    fn number(&mut self, of: &T) -> (i64, bool) {
        if let Some(number) = self.known.get(of) {
            return (*number, false);
        }
        let number = self.known.len() as i64 + 1;
        self.known.insert(of.clone(), number);
        self.fresh.push(of.clone());
        (number, true)
    }

    fn commit(&mut self) {
        self.fresh.clear();
    }

    fn roll_back(&mut self) {
        for fresh in self.fresh.drain(..) {
            self.known.remove(&fresh);
        }
    }
}

impl Segment {
    /// Begins a new one, with the number after all others.
    pub(super) fn create(folder: &Path, process: &str, now: u64) -> Result<Self, StoreError> {
        let last = names::segments(folder).map_err(StoreError::io(folder))?.pop();
        let number = last.map_or(1, |last| last.number + 1);
        let name = SegmentName::new(number, process);
        let path = name.path(folder);
        let connection = schema::create(&path)?;
        let begun = "INSERT INTO meta VALUES ('process', ?1), ('number', ?2), ('begun', ?3)";
        let begun = connection.execute(begun, params![process, number as i64, now as i64]);
        begun.map_err(StoreError::sqlite(&path))?;
        let (words, people, addresses) = (Dictionary::new(), Dictionary::new(), HashMap::new());
        let (next, rows, day, newest, is_dirty) = (1, 0, day(now), 0, true);
        let leaf = Leaf::default();
        Ok(Self { name, path, connection, words, people, addresses, next, rows, day, newest, is_dirty, leaf })
    }

    /// Writes all of it, or none.
    pub(super) fn write(
        &mut self,
        work: &Work,
        people: &mut People,
        links: &mut Links,
        now: u64,
    ) -> Result<(), StoreError> {
        let (rows, mut block) = (self.next, links.block(now));
        let written = self.attempt(work, people, links, &mut block);
        if written.is_err() {
            let _ = self.connection.execute_batch("ROLLBACK");
            people.roll_back();
            self.words.roll_back();
            self.people.roll_back();
            self.next = rows;
            return written;
        }
        links.keep(block);
        self.words.commit();
        self.people.commit();
        self.rows += (self.next - rows).cast_unsigned();
        self.is_dirty = true;
        Ok(())
    }

    fn attempt(
        &mut self,
        work: &Work,
        people: &mut People,
        links: &Links,
        block: &mut Block,
    ) -> Result<(), StoreError> {
        people.learn()?;
        self.batch("BEGIN IMMEDIATE")?;
        for draft in &work.events {
            let n = self.next;
            let leaf = self.insert(EVENT, n, draft, people)?;
            block.add(n, leaf, draft.kind != Kind::RecordCheckpoint);
            self.next += 1;
        }
        for (place, draft) in &work.going {
            let (hash, _) = self.insert(GOING_ON, *place, draft, people)?;
            block.goes_on(*place, hash);
        }
        let fault = StoreError::sqlite(&self.path);
        for place in &work.over {
            block.is_over(*place);
            let over = self.connection.prepare_cached("DELETE FROM going_on WHERE n = ?1");
            over.and_then(|mut over| over.execute([place])).map_err(&fault)?;
        }
        block.write(links.chain(), &self.connection).map_err(&fault)?;
        drop(fault);
        // The keys first: a row whose key is nowhere can be read by nobody.
        people.commit()?;
        self.batch("COMMIT")
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(StoreError::sqlite(&self.path))
    }

    /// Writes a row, and gives its hash, and of how many bytes that is.
    fn insert(
        &mut self,
        sql: &str,
        n: i64,
        draft: &Draft,
        people: &mut People,
    ) -> Result<(Hash, u64), StoreError> {
        let id = super::event::id_text(&self.name.process, draft.lane, draft.seq);
        let (person, key) = match &draft.who {
            Some(who) => match people.meet(who, draft.time, draft.tally.until)? {
                Met::Known(person, key) => (Some(person), Some(key)),
                Met::Erased(person) => (Some(person), None),
            },
            None => (None, Some(people.key_of_day(draft.time)?)),
        };
        let sealed = draft.sealed();
        let seals = key.as_ref().filter(|_| !sealed.is_empty());
        let sealed = seals.map(|key| key.seal(id.as_bytes(), sealed.as_bytes()));
        let client = draft.client.filter(|_| key.is_some());
        let (client, net) = client.map(|client| self.address(client, people)).unzip();
        let numbers = self.numbers(draft, person).map_err(StoreError::sqlite(&self.path))?;
        let fault = StoreError::sqlite(&self.path);
        let row = Row { draft, person, client, net, numbers, sealed: sealed.flatten() };
        let (tally, many) = (&draft.tally, row.many());
        let mut insert = self.connection.prepare_cached(sql).map_err(&fault)?;
        let values = params![
            n,
            whole(draft.time),
            super::event::id_number(draft.lane, draft.seq),
            many.then_some(whole(tally.until)),
            row.numbers.kind,
            draft.outcome.map(outcomes::number),
            draft.status.map(whole),
            row.numbers.person,
            row.numbers.provider,
            row.numbers.route,
            client,
            net,
            (draft.session != 0).then_some(draft.session.cast_signed()),
            many.then_some(whole(tally.count)),
            draft.bytes.then_some(whole(tally.bytes)),
            draft.us.then_some(whole(tally.us)),
            many.then_some(whole(tally.us_max)),
            many.then(|| tally.latency.to_bytes()),
            draft.request.as_deref(),
            row.numbers.open(),
            row.numbers.rest,
            row.sealed,
        ];
        insert.execute(values).map_err(&fault)?;
        self.newest = self.newest.max(tally.until);
        Ok(row.chained(&mut self.leaf))
    }

    fn numbers(&mut self, draft: &Draft, person: Option<Pseudonym>) -> rusqlite::Result<Numbers> {
        let (open, rest) = draft.open();
        let is_word = !open.is_empty() && open.len() <= LONGEST && self.words.known.len() < WORDS;
        let word = is_word.then(|| self.word(&open)).transpose()?;
        Ok(Numbers {
            kind: self.word(draft.kind.word())?,
            person: person.map(|person| self.person(person)).transpose()?,
            provider: draft.provider.as_deref().map(|provider| self.word(provider)).transpose()?,
            route: draft.route.as_deref().map(|route| self.word(route)).transpose()?,
            open: (word, open),
            rest: (!rest.is_empty()).then_some(rest),
        })
    }

    fn word(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(number) = self.words.known.get(text) {
            return Ok(*number);
        }
        let (number, _) = self.words.number(&text.into());
        let add = "INSERT INTO word VALUES (?1, ?2)";
        self.connection.prepare_cached(add)?.execute(params![number, text])?;
        Ok(number)
    }

    fn person(&mut self, person: Pseudonym) -> rusqlite::Result<i64> {
        let (number, is_new) = self.people.number(&person);
        if is_new {
            let add = "INSERT INTO person VALUES (?1, ?2)";
            self.connection.prepare_cached(add)?.execute(params![number, person.0])?;
        }
        Ok(number)
    }

    fn address(&mut self, client: IpAddr, people: &People) -> (i64, i64) {
        if self.addresses.len() >= ADDRESSES {
            self.addresses.clear();
        }
        let hashes = || (people.keys.address(client), people.keys.network(client));
        *self.addresses.entry(client).or_insert_with(hashes)
    }

    /// Whether it is full, or of another day.
    pub(super) fn is_full(&self, limits: &Limits, now: u64) -> bool {
        let went_back = now.saturating_add(3_600_000_000) < self.newest;
        self.rows >= limits.rows || self.bytes() >= limits.bytes || day(now) > self.day || went_back
    }

    fn bytes(&self) -> u64 {
        let pages: i64 =
            self.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap_or(0);
        pages.cast_unsigned().saturating_mul(8192)
    }

    /// How many rows it has.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether its file is where it was.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.is_file())
    }

    /// Sees to it that what is committed outlives a loss of power as well.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_dirty) {
            return Ok(());
        }
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        File::open(&log).and_then(|log| log.sync_data()).map_err(StoreError::io(&log))
    }
}

struct Numbers {
    kind: i64,
    person: Option<i64>,
    provider: Option<i64>,
    route: Option<i64>,
    /// What is open: its number where it is in the dictionary, and the text.
    open: (Option<i64>, String),
    rest: Option<String>,
}

impl Numbers {
    fn open(&self) -> Value {
        match &self.open {
            (Some(word), _) => Value::Integer(*word),
            (None, text) if text.is_empty() => Value::Null,
            (None, text) => Value::Text(text.clone()),
        }
    }
}

/// A row as it is written.
struct Row<'a> {
    draft: &'a Draft,
    person: Option<Pseudonym>,
    client: Option<i64>,
    net: Option<i64>,
    numbers: Numbers,
    sealed: Option<Vec<u8>>,
}

impl Row<'_> {
    const fn many(&self) -> bool {
        self.draft.tally.count > 1
    }

    /// What the chain has of it; `leaf.rs` reads the same.
    fn chained(&self, leaf: &mut Leaf) -> (Hash, u64) {
        let (Numbers { kind, person, provider, route, open, rest }, draft) = (&self.numbers, self.draft);
        let (tally, many) = (&draft.tally, self.many());
        leaf.begin()
            .number(Some(whole(draft.time)))
            .number(Some(super::event::id_number(draft.lane, draft.seq)))
            .number(many.then_some(whole(tally.until)))
            .word(Some(*kind), draft.kind.word().as_bytes())
            .number(draft.outcome.map(outcomes::number))
            .number(draft.status.map(whole))
            .word(*person, &self.person.map_or([0; 16], |person| person.0))
            .word(*provider, draft.provider.as_deref().unwrap_or_default().as_bytes())
            .word(*route, draft.route.as_deref().unwrap_or_default().as_bytes())
            .number(self.client)
            .number(self.net)
            .number((draft.session != 0).then_some(draft.session.cast_signed()))
            .number(many.then_some(whole(tally.count)))
            .number(draft.bytes.then_some(whole(tally.bytes)))
            .number(draft.us.then_some(whole(tally.us)))
            .number(many.then_some(whole(tally.us_max)))
            .bytes(many.then(|| tally.latency.to_bytes()).as_deref())
            .text(draft.request.as_deref());
        match open {
            (Some(word), text) => leaf.word(Some(*word), text.as_bytes()),
            (None, text) => leaf.text((!text.is_empty()).then_some(text)),
        };
        leaf.text(rest.as_deref())
            .bytes(mutant!(self.sealed.as_deref(), "store-chain-forgets-what-is-sealed" => None))
            .hash()
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
