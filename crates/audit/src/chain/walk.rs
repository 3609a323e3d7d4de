//! The walk over one place: its blocks, and what is wrong within it. It needs no other place, for each tells where it goes
//! on from.

use std::io;
use std::sync::Arc;

use super::finding::{Finding, What};
use super::findings_of_block::{self as of_block, Judged};
use super::footer::Footer;
use super::hash::Hash;
use super::lines::{Piece, Place, Placed};
use super::opening::Opening;
use super::removed::Claim;

/// A line that is in no block yet.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) hash: Hash,
    pub(super) line: u64,
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) hidden: bool,
}

/// A block that was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) hash: Hash,
    /// How many lines it has.
    pub(super) lines: u64,
    /// Its first line.
    pub(super) line: u64,
    /// The byte where that begins.
    pub(super) at: u64,
    /// Its last line, which is the one before its footer.
    pub(super) last_line: u64,
    /// The byte behind its footer.
    pub(super) end: u64,
}

impl Block {
    /// What follows it: the line, and the byte where that begins.
    pub(super) const fn behind(&self) -> (u64, u64) {
        (self.last_line + 2, self.end)
    }
}

/// What one place holds of a chain.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) chain: Arc<str>,
    /// The number of its first block.
    pub(super) first: u64,
    /// The hash of the block before that.
    pub(super) prev: Hash,
    /// The file in which the block before is, as it says itself.
    pub(super) before: Option<String>,
    /// The time of the newest event there, in a store.
    pub(super) before_until: Option<u64>,
    /// What the sink says it has removed itself.
    pub(super) removed: Vec<Claim>,
    /// A footer that stands at its beginning and is of lines at the end of the file before.
    pub(super) carried: Option<Footer>,
    pub(super) blocks: Vec<Block>,
    /// What is in no block.
    pub(super) tail: Vec<Leaf>,
    /// Lines in blocks whose text is left out.
    pub(super) hidden: u64,
    /// Lines that a process left without a footer, and a later one took in.
    pub(super) adopted: u64,
    /// Bytes at the end that are no line.
    pub(super) rest: u64,
}

impl Section {
    fn new(name: &str, chain: &Arc<str>, first: u64, prev: Hash) -> Self {
        Self {
            name: name.to_owned(),
            chain: Arc::clone(chain),
            first,
            prev,
            before: None,
            before_until: None,
            removed: Vec::new(),
            carried: None,
            blocks: Vec::new(),
            tail: Vec::new(),
            hidden: 0,
            adopted: 0,
            rest: 0,
        }
    }

    /// What follows its last block: the line, and the byte where that begins.
    pub(super) fn behind(&self) -> (u64, u64) {
        let tail = self.tail.first().map(|leaf| (leaf.line, leaf.at));
        tail.or_else(|| self.blocks.last().map(Block::behind)).unwrap_or((1, 0))
    }

    /// The number of the block that comes next, and the hash of the one before it.
    pub(super) fn next(&self) -> (u64, Hash) {
        self.blocks.last().map_or((self.first, self.prev), |block| (block.number + 1, block.hash))
    }
}

/// What was found in a place.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) sections: Vec<Section>,
    pub(super) findings: Vec<Finding>,
    /// Lines that belong to no chain at all.
    pub(super) unchained: u64,
}

/// Whether lines may be left out, and blocks at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// It is a whole record.
    Record,
    /// It is a part of one, of which hashes stand for the lines that are left out.
    Export,
}

struct Walk<'a> {
    name: &'a str,
    whole: Whole,
    section: Option<Section>,
    pending: Vec<Leaf>,
    /// What an opening within the block says and is not so: what its footer says of single lines is more exact.
    doubts: Vec<Finding>,
    /// Where the next piece begins.
    end: (u64, u64),
    walked: Walked,
}

/// Walks over a place.
pub(super) fn walk(place: &mut dyn Place, whole: Whole) -> io::Result<Walked> {
    let name = place.name().to_owned();
    let (section, pending, doubts, walked) = (None, Vec::new(), Vec::new(), Walked::default());
    let mut walk = Walk { name: &name, whole, section, pending, doubts, end: (1, 0), walked };
    while let Some(placed) = place.next()? {
        walk.take(placed);
    }
    Ok(walk.finish())
}

impl Walk<'_> {
    fn take(&mut self, Placed { line, at, bytes, piece }: Placed) {
        self.end = (line, at);
        let leaf = |hash| Leaf { hash, line, at, bytes, hidden: false };
        match piece {
            Piece::Line(hash) | Piece::Past(hash) => self.pending.push(leaf(hash)),
            Piece::Hidden(hash) => {
                if self.whole == Whole::Record {
                    let words = "the line is left out, and its hash stands in its place";
                    self.walked.findings.push(Finding::of(What::Hidden, self.name, words).at(line, at));
                }
                self.pending.push(Leaf { hidden: true, ..leaf(hash) });
            }
            Piece::Opening(opening, hash) => {
                self.open(&opening, line, at);
                self.pending.push(leaf(hash));
            }
            Piece::Footer(footer) => self.end_block(&footer, line, at),
            Piece::Rest => {
                if let Some(section) = &mut self.section {
                    section.rest = bytes;
                }
            }
        }
        self.end = (line + 1, at + bytes);
    }

    fn open(&mut self, opening: &Opening, line: u64, at: u64) {
        match &mut self.section {
            None => self.begin(opening),
            Some(section) if section.chain == opening.chain => {
                section.removed.extend(Claim::of(opening));
                // The first one behind a footer that was carried over says which file that was.
                if section.carried.is_some() && section.blocks.is_empty() {
                    section.before.clone_from(&opening.file);
                }
                let (number, prev) = section.next();
                if (opening.number, opening.prev) != (number, prev) {
                    let words = format!(
                        "the chain is said to go on with block {}, and block {number} is due",
                        opening.number
                    );
                    self.walked.findings.push(Finding::of(What::Rewritten, self.name, words).at(line, at));
                }
                self.adopt(opening);
            }
            Some(_) => {
                let words = format!("another chain begins here: {}", opening.chain);
                self.walked.findings.push(Finding::of(What::Rewritten, self.name, words).at(line, at));
                self.close_section();
                self.begin(opening);
            }
        }
    }

    fn begin(&mut self, opening: &Opening) {
        let mut section = Section::new(self.name, &opening.chain, opening.number, opening.prev);
        section.before.clone_from(&opening.file);
        section.before_until = opening.until;
        section.removed.extend(Claim::of(opening));
        self.section = Some(section);
        self.adopt(opening);
    }

    /// Lines above an opening that are in no block are as many as it says.
    fn adopt(&mut self, opening: &Opening) {
        let there = self.pending.len() as u64;
        if let Some(section) = &mut self.section {
            section.adopted += there.min(opening.open);
        }
        if there == opening.open {
            return;
        }
        let (line, at) = match self.pending.get(usize::try_from(opening.open).unwrap_or(usize::MAX)) {
            Some(leaf) => (leaf.line, leaf.at),
            None => self.end,
        };
        let what = if there > opening.open { What::Inserted } else { What::Dropped };
        let words =
            format!("{there} lines without a footer stand above an opening that tells of {}", opening.open);
        self.doubts.push(Finding::of(what, self.name, words).at(line, at));
    }

    fn end_block(&mut self, footer: &Footer, line: u64, at: u64) {
        let Some(section) = &mut self.section else { return self.first_footer(footer, line, at) };
        let mut found = Vec::new();
        let judged = of_block::judge(section, &self.pending, footer, (line, at), &mut found);
        if found.is_empty() || footer.leaves.is_none() {
            found.append(&mut self.doubts);
        }
        self.doubts.clear();
        self.walked.findings.append(&mut found);
        if let Judged::Block(number, hash) = judged {
            let first = self.pending.first().map_or((line, at), |leaf| (leaf.line, leaf.at));
            let (lines, last_line) = (self.pending.len() as u64, line.saturating_sub(1));
            let end = at + footer.line().len() as u64;
            section.hidden += self.pending.iter().filter(|leaf| leaf.hidden).count() as u64;
            section.blocks.push(Block { number, hash, lines, line: first.0, at: first.1, last_line, end });
        }
        self.pending.clear();
    }

    /// A footer before any opening: of the file before, of an export, or of a file whose beginning is gone.
    fn first_footer(&mut self, footer: &Footer, line: u64, at: u64) {
        if line == 1 {
            let mut section = Section::new(self.name, &footer.chain, footer.number + 1, footer.hash);
            section.carried = Some(footer.clone());
            self.section = Some(section);
            return;
        }
        if self.whole == Whole::Record {
            let words = format!("the file begins in the midst of block {}", footer.number);
            let first = self.pending.first().map_or((line, at), |leaf| (leaf.line, leaf.at));
            self.walked.findings.push(Finding::of(What::Beheaded, self.name, words).at(first.0, first.1));
        }
        self.section = Some(Section::new(self.name, &footer.chain, footer.number, footer.prev));
        if self.whole == Whole::Record {
            // What is left of the block proves nothing.
            if let Some(section) = &mut self.section {
                (section.first, section.prev) = (footer.number + 1, footer.hash);
            }
            self.pending.clear();
        } else {
            self.end_block(footer, line, at);
        }
    }

    fn close_section(&mut self) {
        if let Some(mut section) = self.section.take() {
            section.tail = std::mem::take(&mut self.pending);
            self.walked.sections.push(section);
        }
        self.walked.findings.append(&mut self.doubts);
    }

    fn finish(mut self) -> Walked {
        if self.section.is_none() {
            self.walked.unchained = self.pending.len() as u64;
        }
        self.close_section();
        self.walked
    }
}
