//! The chain of what is being written.

use std::path::Path;
use std::sync::Arc;

use memchr::memmem;

use super::footer::{Footer, LINES};
use super::hash::{BlockHash, Hash, LineHash};
use super::opening::{Opening, file_name};
use super::resume::Found;
use super::ties::{Head, Ties};
use crate::clock::Timestamp;

/// What the event of a checkpoint says of itself.
const CHECKPOINT: &[u8] = b"\"type\":\"record.checkpoint\"";

/// Follows what a sink writes, and says what of the chain's own is to be written between.
///
/// It knows only what has been written: bytes that failed are not in the chain, and lines that stand in a file without
/// their footer get it as the first line of the next one.
#[derive(Debug)]
pub(crate) struct Writer {
    /// What chains that begin here are called, and how many have.
    name: String,
    begun: u32,
    ties: Ties,
    chain: Arc<str>,
    /// The block that is being filled.
    block: Filling,
    line: LineHash,
    file: String,
    /// The opening that is still to be written into this file.
    opening: Option<Opening>,
    /// A line of ours that is being written.
    own: Option<Own>,
    /// Whether the block ends once the opening is written.
    ends: bool,
}

/// A block that is being filled.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    pub(crate) number: u64,
    pub(crate) prev: Hash,
    pub(crate) hash: BlockHash,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) leaves: Vec<[u8; 8]>,
    /// Whether its only line is the event of a checkpoint.
    pub(crate) checkpoint: bool,
}

impl Filling {
    pub(crate) fn behind(number: u64, prev: Hash) -> Self {
        let (hash, leaves) = (BlockHash::behind(&prev), Vec::new());
        Self { number, prev, hash, lines: 0, bytes: 0, leaves, checkpoint: false }
    }

    pub(crate) fn add(&mut self, line: &Hash, bytes: u64) {
        self.hash.add(line);
        self.lines += 1;
        self.bytes += bytes;
        if self.lines <= LINES {
            self.leaves.push(line.short());
        }
    }

    pub(crate) fn footer(&self, chain: &Arc<str>) -> Footer {
        let Self { number, prev, lines, bytes, .. } = *self;
        let leaves = (lines <= LINES).then(|| self.leaves.clone());
        Footer { chain: Arc::clone(chain), number, lines, bytes, prev, leaves, hash: self.hash.hash() }
    }
}

#[derive(Debug)]
struct Own {
    line: Vec<u8>,
    done: usize,
    footer: Option<Footer>,
}

impl Writer {
    /// One for a sink of this process, which writes no file yet.
    pub(crate) fn new(sink: &str, process: &str, ties: &Ties) -> Self {
        let name = format!("{sink}/{process}");
        let block = Filling::behind(1, Hash::NONE);
        let mut writer = Self {
            name,
            begun: 0,
            ties: ties.clone(),
            chain: Arc::from(""),
            block,
            line: LineHash::default(),
            file: String::new(),
            opening: None,
            own: None,
            ends: false,
        };
        writer.begin_anew();
        writer
    }

    fn begin_anew(&mut self) {
        self.begun += 1;
        let end = if self.begun > 1 { format!("-{}", self.begun) } else { String::new() };
        self.chain = format!("{}{end}", self.name).into();
        self.block = Filling::behind(1, Hash::NONE);
    }

    /// Goes on in an empty file; `before`: the one that it wrote until now, where its name is known.
    pub(crate) fn go_on(&mut self, path: &Path, before: Option<&Path>, now: Timestamp) {
        self.file = file_name(path);
        self.rewind();
        (self.opening, self.ends) = (None, false);
        self.own.take_if(|own| own.footer.is_none());
        self.end_block();
        self.open(0, before, now);
    }

    /// Goes on in a file in which there is something already.
    pub(crate) fn take_over(&mut self, path: &Path, found: Found, now: Timestamp) {
        if self.chain != found.chain_or(&self.chain) || self.file != file_name(path) {
            self.ties.end(&self.chain);
        }
        (self.own, self.line, self.file) = (None, LineHash::default(), file_name(path));
        self.ends = false;
        let open = found.block.lines;
        match found.chain {
            Some(chain) => (self.chain, self.block) = (chain, found.block),
            None => {
                self.begin_anew();
                self.block = found.block;
            }
        }
        self.open(open, None, now);
    }

    fn open(&mut self, open: u64, before: Option<&Path>, now: Timestamp) {
        // With a footer that is still to be written the block is the next one.
        let (number, prev) = match self.own.as_ref().and_then(|own| own.footer.as_ref()) {
            Some(footer) => (footer.number + 1, footer.hash),
            None => (self.block.number, self.block.prev),
        };
        let opening = Opening::new(now, &self.chain, number, prev);
        self.opening = Some(Opening { open, file: before.map(file_name), ..opening });
    }

    /// The newest of the files that were removed. It is told where the file that is written now opens.
    pub(crate) fn has_removed(&mut self, newest: Option<String>) {
        if let Some(opening) = &mut self.opening {
            opening.removed = newest;
        }
    }

    /// What of the chain's own is to be written before anything else.
    pub(crate) fn own(&mut self) -> Option<&[u8]> {
        if self.own.is_none() && self.line.bytes() == 0 {
            let opening = self.opening.take().map(|opening| opening.line());
            self.own = opening.map(|line| Own { line, done: 0, footer: None });
        }
        self.own.as_ref().map(|own| &own.line[own.done..])
    }

    /// So much of it is written.
    pub(crate) fn wrote_own(&mut self, bytes: usize) {
        let Some(own) = &mut self.own else { return };
        own.done += bytes;
        if own.done < own.line.len() {
            return;
        }
        let Some(Own { line, footer, .. }) = self.own.take() else { return };
        match footer {
            Some(footer) => self.sealed(footer),
            None => {
                self.block.add(&Hash::of(&line), line.len() as u64);
                if std::mem::take(&mut self.ends) {
                    self.end_block();
                }
            }
        }
    }

    fn sealed(&mut self, footer: Footer) {
        let is_news = !(self.block.checkpoint && self.block.lines == 1);
        self.block = Filling::behind(footer.number + 1, footer.hash);
        let Footer { chain, number, hash, .. } = footer;
        self.ties.tell(Head { chain, number, hash, file: self.file.clone() }, is_news);
    }

    /// Bytes of these lines that the block has room for.
    pub(crate) fn room(&self, text: &[u8]) -> usize {
        let left = usize::try_from(LINES.saturating_sub(self.block.lines)).unwrap_or_default();
        memchr::memchr_iter(b'\n', text).nth(left.saturating_sub(1)).map_or(text.len(), |end| end + 1)
    }

    /// These bytes are written, and nothing between them.
    pub(crate) fn wrote(&mut self, mut text: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', text) {
            let (line, rest) = text.split_at(end + 1);
            if self.block.lines == 0 {
                self.block.checkpoint = memmem::find(line, CHECKPOINT).is_some();
            }
            self.block.add(&self.line.end(line), line.len() as u64);
            text = rest;
        }
        if !text.is_empty() {
            self.line.add(text);
        }
        if self.block.lines >= LINES {
            self.end_block();
        }
    }

    /// Ends the block, where there is something in it and no line is half written. The opening stands in it, where there is
    /// to be one.
    pub(crate) fn end_block(&mut self) {
        if self.block.lines == 0 || self.own.is_some() || self.line.bytes() > 0 {
            return;
        }
        self.ends = self.opening.is_some();
        if !self.ends {
            let footer = self.block.footer(&self.chain);
            self.own = Some(Own { line: footer.line(), done: 0, footer: Some(footer) });
        }
    }

    /// Bytes at the end of what is written that are no whole line yet.
    pub(crate) fn half(&self) -> u64 {
        self.own.as_ref().map_or_else(|| self.line.bytes(), |own| own.done as u64)
    }

    /// Forgets a line that is half written: it is written anew, perhaps elsewhere.
    pub(crate) fn rewind(&mut self) {
        self.line = LineHash::default();
        if let Some(own) = &mut self.own {
            own.done = 0;
        }
    }

    /// Nothing comes any more.
    pub(crate) fn end(&self) {
        self.ties.end(&self.chain);
    }
}
