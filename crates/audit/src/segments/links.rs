//! The chain of what a process writes into its segments: which block a row is in, and what is signed of it.
//!
//! A block is written in the transaction of its rows, and written anew, longer, with those that follow; so no row is ever in
//! none, however a process ends. After half a minute, or 512 rows, it stays as it is, and its hash is told to be signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::leaf::Rows;
use super::names::SegmentName;
use super::stored;
use crate::chain::{BlockHash, Filling, Footer, Hash, Head, LINES, Opening, Ties};
use crate::clock::Timestamp;

/// How long rows are added to a block, in microseconds.
const AGE: u64 = 30_000_000;

/// The chain of one process, over all of its segments.
#[derive(Debug)]
pub(crate) struct Links {
    name: String,
    begun: u32,
    ties: Ties,
    chain: Arc<str>,
    block: Block,
    segment: String,
    /// The segment before, and the time of its newest event.
    before: Option<(String, u64)>,
    /// What the next block begins with.
    opening: Option<Opening>,
    /// Whether that is to be written though nothing happens.
    is_pressing: bool,
}

/// A block that rows are added to.
#[derive(Clone, Debug)]
pub(super) struct Block {
    filling: Filling,
    /// Eight bytes of each hash in it.
    leaves: Vec<[u8; 8]>,
    since: u64,
    opening: Option<String>,
    last: i64,
    /// What goes on, by the hashes of its rows as they were written last.
    going: Arc<BTreeMap<i64, Hash>>,
    /// Whether some of that is another than when the block before was written.
    going_changed: bool,
    /// Rows at its end that were found among what goes on.
    adopted: u64,
    /// Whether there is more in it than events of checkpoints.
    is_news: bool,
}

impl Block {
    pub(super) fn behind(number: u64, prev: Hash, last: i64) -> Self {
        Self {
            filling: Filling::behind(number, prev),
            leaves: Vec::new(),
            since: 0,
            opening: None,
            last,
            going: Arc::default(),
            going_changed: false,
            adopted: 0,
            is_news: false,
        }
    }

    fn next(&self, footer: &Footer) -> Self {
        Self { going: Arc::clone(&self.going), ..Self::behind(footer.number + 1, footer.hash, self.last) }
    }

    fn open(&mut self, opening: &Opening) {
        let line = opening.line();
        self.link(&Hash::of(&line), line.len() as u64);
        self.opening = Some(String::from_utf8_lossy(&line).into_owned());
    }

    fn link(&mut self, hash: &Hash, bytes: u64) {
        self.filling.add(hash, bytes);
        self.leaves.push(hash.short());
    }

    /// A row is added.
    pub(super) fn add(&mut self, n: i64, (hash, bytes): (Hash, u64), is_news: bool) {
        self.link(&hash, bytes);
        self.last = n;
        self.is_news |= is_news;
    }

    /// A row that was found among what goes on is added.
    pub(super) fn adopt(&mut self, n: i64, leaf: (Hash, u64)) {
        self.add(n, leaf, true);
        self.adopted += 1;
        self.going_changed = true;
    }

    /// Something goes on, and stands there so.
    pub(super) fn goes_on(&mut self, place: i64, hash: Hash) {
        Arc::make_mut(&mut self.going).insert(place, hash);
        (self.going_changed, self.is_news) = (true, true);
    }

    /// It is over.
    pub(super) fn is_over(&mut self, place: i64) {
        self.going_changed |= Arc::make_mut(&mut self.going).remove(&place).is_some();
    }

    fn footer(&self, chain: &Arc<str>) -> (Footer, Option<Hash>) {
        let going = self.going_changed.then(|| going_hash(self.going.values()));
        let (mut filling, mut leaves) = (self.filling.clone(), self.leaves.clone());
        if let Some(going) = &going {
            filling.add(going, 32);
            leaves.push(going.short());
        }
        (Footer { leaves: Some(leaves), ..filling.footer(chain) }, going)
    }

    /// Writes it, in the place of what it was before.
    pub(super) fn write(&self, chain: &Arc<str>, connection: &Connection) -> rusqlite::Result<Footer> {
        let (footer, going) = self.footer(chain);
        let add = "INSERT OR REPLACE INTO block VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        connection.prepare_cached(add)?.execute(params![
            footer.number.cast_signed(),
            self.last,
            self.opening,
            going.map(|going| *going.bytes()),
            self.adopted.cast_signed(),
            footer.lines.cast_signed(),
            footer.bytes.cast_signed(),
            footer.prev.bytes(),
            footer.leaves.as_deref().map(<[_]>::as_flattened),
            footer.hash.bytes(),
        ])?;
        Ok(footer)
    }
}

/// What stands in a block for all that goes on: the hash of its rows' hashes.
pub(super) fn going_hash<'a>(rows: impl IntoIterator<Item = &'a Hash>) -> Hash {
    BlockHash::of(&Hash::NONE, rows)
}

impl Links {
    /// One for a store of this process, which writes no segment yet.
    pub(crate) fn new(sink: &str, process: &str, ties: &Ties) -> Self {
        let name = format!("{sink}/{process}");
        Self {
            chain: name.as_str().into(),
            name,
            begun: 1,
            ties: ties.clone(),
            block: Block::behind(1, Hash::NONE, 0),
            segment: String::new(),
            before: None,
            opening: None,
            is_pressing: false,
        }
    }

    /// One that nobody signs.
    pub(crate) fn alone(process: &str) -> Self {
        Self::new("store", process, &Ties::default())
    }

    /// What is signed is told to them.
    pub(super) fn ties(&self) -> Ties {
        self.ties.clone()
    }

    pub(super) const fn chain(&self) -> &Arc<str> {
        &self.chain
    }

    /// Goes on in a new segment.
    pub(super) fn begin(&mut self, segment: &SegmentName, now: u64) {
        self.segment = segment.closed().file();
        self.block.last = 0;
        self.block.going = Arc::default();
        let (file, until) = self.before.clone().unzip();
        self.open(now, |opening| Opening { file, until, ..opening });
    }

    fn open(&mut self, now: u64, say: impl FnOnce(Opening) -> Opening) {
        self.seal();
        let (number, prev) = (self.block.filling.number, self.block.filling.prev);
        let new = || Opening::new(Timestamp::from_seconds(now / 1_000_000), &self.chain, number, prev);
        self.opening = Some(say(self.opening.take().unwrap_or_else(new)));
    }

    /// Says that every closed segment is going to be removed whose newest event is not younger than this.
    pub(super) fn will_remove(&mut self, until: u64, now: u64) {
        let until = mutant!(Some(until), "store-removal-untold" => None);
        self.open(now, |opening| Opening { removed_until: until, ..opening });
        self.is_pressing = true;
    }

    /// Whether something is to be said though nothing has happened.
    pub(super) const fn is_pressing(&self) -> bool {
        self.is_pressing
    }

    /// The block that the next rows belong to. It is that once it is kept.
    pub(super) fn block(&self, now: u64) -> Block {
        let mut block = self.block.clone();
        if block.filling.lines == 0 {
            block.since = now;
            self.opening.iter().for_each(|opening| block.open(opening));
        }
        block
    }

    /// The block is written so.
    pub(super) fn keep(&mut self, block: Block) {
        self.block = block;
        (self.opening, self.is_pressing) = (None, false);
        if self.block.filling.lines >= LINES {
            self.seal();
        }
    }

    /// Ends the block where it is old enough.
    pub(super) fn tend(&mut self, now: u64) {
        if now >= self.block.since.saturating_add(AGE) || now < self.block.since {
            self.seal();
        }
    }

    /// Nothing is added to the block any more.
    fn seal(&mut self) {
        if self.block.filling.lines == 0 {
            return;
        }
        let (footer, _) = self.block.footer(&self.chain);
        let (is_news, next) = (self.block.is_news, self.block.next(&footer));
        self.block = next;
        let Footer { number, hash, .. } = footer;
        let head = Head { chain: Arc::clone(&self.chain), number, hash, file: self.segment.clone() };
        self.ties.tell(head, is_news);
    }

    /// The segment has ended; the time of its newest event is this.
    pub(super) fn leave(&mut self, newest: u64) {
        self.seal();
        self.before = Some((std::mem::take(&mut self.segment), newest));
    }

    /// The segment is gone, or cannot be written: nobody can say which of its blocks are there. What follows is another chain.
    pub(super) fn begin_anew(&mut self, now: u64) {
        self.seal();
        self.ties.end(&self.chain);
        self.begun += 1;
        self.chain = format!("{}-{}", self.name, self.begun).into();
        (self.block, self.before) = (Block::behind(1, Hash::NONE, 0), None);
        if let Some(removed) = self.opening.take().and_then(|opening| opening.removed_until) {
            self.will_remove(removed, now);
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) {
        self.seal();
        self.ties.end(&self.chain);
    }
}

/// Takes the rows behind `last`, which went on when their process ended without an end, into its chain. Gives its end, and
/// whether it is longer now.
pub(super) fn adopt(connection: &Connection, last: i64) -> rusqlite::Result<(Option<Head>, bool)> {
    let Some(stored) = stored::last(connection)? else { return Ok((None, false)) };
    let chain = stored::chain(connection)?.unwrap_or_else(|| "".into());
    let rows = Rows::default().read(connection, "event", (last, i64::MAX))?;
    let head = |footer: &Footer| {
        let (chain, file) = (Arc::clone(&chain), String::new());
        Head { chain, number: footer.number, hash: footer.hash, file }
    };
    let Some(footer) = stored.footer(&chain) else { return Ok((None, false)) };
    if rows.is_empty() {
        return Ok((Some(head(&footer)), false));
    }
    let mut block = Block::behind(footer.number + 1, footer.hash, last);
    rows.iter().for_each(|row| block.adopt(row.n, (row.hash, row.bytes)));
    block.write(&chain, connection).map(|footer| (Some(head(&footer)), true))
}
