//! The chain of what is written: a block for each statement, whole when it is committed, so that nothing is ever left without
//! its footer. Each day has a chain of its own: with its tables goes all of it, and none of another day.

use std::sync::Arc;

use crate::chain::{BlockHash, Footer, Hash, Head, Opening, Ties};
use crate::clock::Timestamp;

/// Lines of a block at most, beside its opening: a footer tells of 512.
pub(super) const LINES: usize = 511;

/// What the event of a checkpoint says of itself.
const CHECKPOINT: &[u8] = b"\"type\":\"record.checkpoint\"";

/// The chain of one writer on one day, as far as it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    name: Arc<str>,
    /// What a checkpoint calls the place where it lies.
    place: String,
    /// The number of its last block, and its hash; 0 where there is none.
    number: u64,
    hash: Hash,
}

/// A block on its way.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) opening: Option<String>,
    pub(super) footer: String,
    /// Whether it holds more than the event of a checkpoint, which is no reason for the next one.
    pub(super) is_news: bool,
    hash: Hash,
}

/// What a writer's part of a day's table is called.
pub(super) fn place(day: &str, writer: &str) -> String {
    format!("events_{day}/{writer}")
}

impl Chain {
    /// One of which nothing is written yet.
    pub(super) fn new(writer: &str, day: &str) -> Self {
        let (name, place) = (format!("{writer}/{day}").into(), place(day, writer));
        Self { name, place, number: 0, hash: Hash::NONE }
    }

    /// One whose last block is known. A footer that is none was changed there: whoever verifies is told.
    pub(super) fn behind(self, number: u64, footer: &str) -> Self {
        let footer = Footer::read(format!("{footer}\n").as_bytes());
        Self { number, hash: footer.map_or(Hash::NONE, |footer| footer.hash), ..self }
    }

    /// The number of the block that comes next.
    pub(super) const fn next(&self) -> u64 {
        self.number + 1
    }

    /// The block of these lines, each with its line feed. `removed`: the newest place that has been removed just before.
    pub(super) fn block<'l>(
        &self,
        lines: impl IntoIterator<Item = &'l [u8]>,
        removed: Option<String>,
        now: Timestamp,
    ) -> Block {
        let opens = self.number == 0 || removed.is_some();
        let opening = Opening { removed, ..Opening::new(now, &self.name, self.next(), self.hash) };
        let opening = opens.then(|| opening.line());
        let mut is_news = false;
        let lines: Vec<&[u8]> = lines
            .into_iter()
            .inspect(|line| is_news |= memchr::memmem::find(line, CHECKPOINT).is_none())
            .collect();
        let all = || opening.as_deref().into_iter().chain(lines.iter().copied());
        let hashes: Vec<_> = all().map(Hash::of).collect();
        let footer = Footer {
            chain: Arc::clone(&self.name),
            number: self.next(),
            lines: hashes.len() as u64,
            bytes: all().map(|line| line.len() as u64).sum(),
            prev: self.hash,
            leaves: Some(hashes.iter().map(Hash::short).collect()),
            hash: BlockHash::of(&self.hash, &hashes),
        };
        Block {
            number: footer.number,
            hash: footer.hash,
            footer: text(&footer.line()),
            opening: opening.as_deref().map(text),
            is_news,
        }
    }

    /// The block is written.
    pub(super) fn advance(&mut self, block: &Block) {
        (self.number, self.hash) = (block.number, block.hash);
    }

    /// Says where it ends, once that is committed.
    pub(super) fn tell(&self, ties: &Ties, is_news: bool) {
        if self.number > 0 {
            ties.tell(self.head(), is_news);
        }
    }

    fn head(&self) -> Head {
        let Self { name, place, number, hash } = self;
        Head { chain: Arc::clone(name), number: *number, hash: *hash, file: place.clone() }
    }
}

/// A line of ours without its line feed.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_one_another_and_the_first_one_opens() {
        let (ties, now) = (Ties::default(), Timestamp::from_seconds(1_800_000_000));
        let mut chain = Chain::new("postgres/9f", "20261130");
        let first = chain.block([&b"one\n"[..], b"two\n"], None, now);
        let opening = first.opening.clone().unwrap() + "\n";
        let hashes = [opening.as_bytes(), b"one\n", b"two\n"].map(Hash::of);
        let footer = Footer::read(format!("{}\n", first.footer).as_bytes()).unwrap();
        assert_eq!((footer.hash, footer.lines), (BlockHash::of(&Hash::NONE, &hashes), 3));
        chain.advance(&first);
        let second = chain.block([&b"three\n"[..]], None, now);
        assert!(second.opening.is_none() && second.number == 2);
        let again = Chain::new("postgres/9f", "20261130").behind(1, &first.footer);
        assert_eq!(again, chain, "what is read is what was kept in mind");
        let removal = chain.block([], Some("events_20251130/postgres/9f".to_owned()), now);
        let opening = Opening::read(format!("{}\n", removal.opening.unwrap()).as_bytes()).unwrap();
        assert_eq!((opening.number, opening.prev), (2, first.hash));
        assert_eq!(opening.removed.as_deref(), Some("events_20251130/postgres/9f"));
        chain.tell(&ties, true);
        assert_eq!(ties.heads()[0].file, "events_20261130/postgres/9f");
    }

    #[test]
    fn the_event_of_a_checkpoint_alone_is_no_news() {
        let (chain, now) = (Chain::new("postgres/9f", "20261130"), Timestamp::from_seconds(1_800_000_000));
        let checkpoint: &[u8] = b"{\"type\":\"record.checkpoint\"}\n";
        assert!(!chain.block([checkpoint], None, now).is_news);
        assert!(chain.block([checkpoint, b"{}\n"], None, now).is_news);
    }

    #[test]
    fn the_longest_footer_tells_of_every_line() {
        let lines = vec![&b"x\n"[..]; LINES];
        let now = Timestamp::from_seconds(1_800_000_000);
        let block = Chain::new("p/9", "20261130").block(lines, None, now);
        assert!(Footer::read(format!("{}\n", block.footer).as_bytes()).is_some());
    }
}
