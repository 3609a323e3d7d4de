//! Blocks of whole lines, and the pool that they come from. The pool has a bound in bytes: what is held for sinks that do
//! not keep up never takes more memory than that (invariant 28).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::LONGEST_LINE;
use super::head::EventHead;

/// Bytes of text behind which a block is full.
const FULL: usize = 64 * 1024;
const CAPACITY: usize = FULL + LONGEST_LINE;
/// Lines of a block.
const HEADS: usize = 512;
/// What a block that is being filled takes of the pool.
pub(crate) const BLOCK_BYTES: usize = CAPACITY + HEADS * size_of::<EventHead>();
/// Blocks that wait to be filled anew, rather than being given back to the system.
const SPARE: usize = 32;

/// Whole lines of one lane, in their order, each with its head.
#[derive(Debug)]
pub struct Block {
    lane: u16,
    parts: Parts,
    cost: usize,
    home: Weak<Pool>,
}

#[derive(Debug, Default)]
struct Parts {
    text: Vec<u8>,
    heads: Vec<EventHead>,
}

impl Block {
    /// The lane that the events happened in.
    #[must_use]
    pub const fn lane(&self) -> u16 {
        self.lane
    }

    /// The lines, each with its line feed.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.parts.text
    }

    /// The heads of the lines.
    #[must_use]
    pub fn heads(&self) -> &[EventHead] {
        &self.parts.heads
    }

    /// The line of a head, with its line feed.
    #[must_use]
    pub fn line(&self, head: &EventHead) -> &[u8] {
        &self.parts.text[head.start as usize..(head.start + head.len) as usize]
    }

    /// The same events in other lines, which `write` makes of each; outside of any pool.
    #[must_use]
    pub fn rewritten(&self, mut write: impl FnMut(&[u8], &mut Vec<u8>)) -> Self {
        let parts = Parts {
            text: Vec::with_capacity(self.text().len()),
            heads: Vec::with_capacity(self.heads().len()),
        };
        let mut block = Self { lane: self.lane, parts, cost: 0, home: Weak::new() };
        for head in self.heads() {
            block.add(*head, |text, _| write(self.line(head), text));
        }
        block
    }

    /// Bytes of memory that it holds.
    #[must_use]
    pub const fn cost(&self) -> usize {
        self.cost
    }

    pub(crate) fn has_room(&self) -> bool {
        self.parts.text.len() < FULL && self.parts.heads.len() < HEADS
    }

    /// Adds a line that `write` writes. Where it never comes to its end, what it wrote is dropped at the next one.
    pub(crate) fn add(&mut self, mut head: EventHead, write: impl FnOnce(&mut Vec<u8>, &mut EventHead)) {
        let start = self.parts.heads.last().map_or(0, |last| last.start + last.len);
        self.parts.text.truncate(start as usize);
        write(&mut self.parts.text, &mut head);
        head.start = start;
        head.len = u32::try_from(self.parts.text.len()).unwrap_or(u32::MAX) - start;
        self.parts.heads.push(head);
    }

    /// The same lines in no more memory than they need, where that is much less.
    pub(crate) fn compact(mut self) -> Self {
        if self.parts.text.len() >= CAPACITY / 4 {
            return self;
        }
        let parts =
            Parts { text: self.parts.text.as_slice().into(), heads: self.parts.heads.as_slice().into() };
        let cost = parts.text.len() + size_of_val(parts.heads.as_slice());
        if let Some(pool) = self.home.upgrade() {
            pool.taken.fetch_sub(self.cost - cost, Relaxed);
            pool.keep(std::mem::replace(&mut self.parts, parts));
            self.cost = cost;
        }
        self
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(pool) = self.home.upgrade() {
            pool.keep(std::mem::take(&mut self.parts));
            pool.taken.fetch_sub(self.cost, Relaxed);
        }
    }
}

/// Where blocks come from and go back to.
#[derive(Debug)]
pub(crate) struct Pool {
    bound: usize,
    taken: AtomicUsize,
    free: Mutex<Vec<Parts>>,
}

impl Pool {
    pub(crate) fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { bound, taken: AtomicUsize::new(0), free: Mutex::default() })
    }

    pub(crate) const fn bound(&self) -> usize {
        self.bound
    }

    /// Bytes that blocks hold now.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Relaxed)
    }

    /// An empty block; none where the bound is reached.
    pub(crate) fn take(self: &Arc<Self>, lane: u16) -> Option<Block> {
        let more = |taken: usize| {
            let fits = taken + BLOCK_BYTES <= self.bound;
            mutant!(fits, "record-of-a-stranger-unbounded" => true).then_some(taken + BLOCK_BYTES)
        };
        self.taken.fetch_update(Relaxed, Relaxed, more).ok()?;
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let fresh = || Parts { text: Vec::with_capacity(CAPACITY), heads: Vec::with_capacity(HEADS) };
        let parts = free.unwrap_or_else(fresh);
        Some(Block { lane, parts, cost: BLOCK_BYTES, home: Arc::downgrade(self) })
    }

    fn keep(&self, mut parts: Parts) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.text.capacity() >= CAPACITY && free.len() < SPARE {
            parts.text.clear();
            parts.heads.clear();
            free.push(parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn filled(pool: &Arc<Pool>, lines: usize) -> Block {
        let mut block = pool.take(3).unwrap();
        for seq in 0..lines as u64 {
            let head = EventHead::new(Kind::SignedOut, 0, seq);
            block.add(head, |text, _| text.extend_from_slice(format!("line {seq}\n").as_bytes()));
        }
        block
    }

    #[test]
    fn invariant_28_what_is_held_for_sinks_has_a_bound() {
        let pool = Pool::new(2 * BLOCK_BYTES);
        let (one, two) = (pool.take(0).unwrap(), pool.take(0).unwrap());
        assert!(pool.take(0).is_none());
        drop(one);
        assert!(pool.take(0).is_some());
        drop(two);
        assert_eq!(pool.taken(), 0);
    }

    #[test]
    fn a_few_lines_take_no_more_than_they_need() {
        let pool = Pool::new(2 * BLOCK_BYTES);
        let block = filled(&pool, 3).compact();
        assert_eq!((block.text(), block.lane()), (&b"line 0\nline 1\nline 2\n"[..], 3));
        assert_eq!(block.line(&block.heads()[1]), b"line 1\n");
        assert!(pool.taken() < 300, "{}", pool.taken());
        assert_eq!(pool.taken(), block.cost());
        drop(block);
        assert_eq!(pool.taken(), 0);
    }

    #[test]
    fn a_line_that_broke_off_is_not_seen() {
        let pool = Pool::new(BLOCK_BYTES);
        let mut block = filled(&pool, 1);
        block.parts.text.extend_from_slice(b"half of a li");
        block.add(EventHead::new(Kind::SignedOut, 0, 1), |text, _| text.extend_from_slice(b"whole\n"));
        assert_eq!(block.text(), b"line 0\nwhole\n");
    }

    #[test]
    fn a_block_never_grows() {
        let pool = Pool::new(BLOCK_BYTES);
        let mut block = pool.take(0).unwrap();
        while block.has_room() {
            block.add(EventHead::new(Kind::SignedOut, 0, 0), |text, _| {
                text.resize(text.len() + LONGEST_LINE, b' ')
            });
        }
        assert!(block.parts.text.capacity() == CAPACITY && block.parts.heads.capacity() == HEADS);
    }
}
