//! A block and its footer: whether they belong together and stand where they were written, and what is wrong where they do
//! not.

use std::cmp::Ordering;

use super::finding::{Finding, What};
use super::footer::{Footer, LINES};
use super::hash::{BlockHash, Hash};
use super::walk::{Leaf, Section};

/// Lines of one block of which each is told by itself.
const EACH: usize = 16;

/// What becomes of a footer.
pub(super) enum Judged {
    /// It ends the block of this number, which has this hash as far as what follows is concerned.
    Block(u64, Hash),
    /// It belongs elsewhere; the chain goes on as if it were not there.
    Stray,
}

/// Judges the lines above a footer, which stands at this line and byte.
pub(super) fn judge(
    section: &Section,
    lines: &[Leaf],
    footer: &Footer,
    at: (u64, u64),
    found: &mut Vec<Finding>,
) -> Judged {
    let (number, prev) = section.next();
    let hash = hash(&prev, lines);
    let mut case = Case { name: &section.name, lines, footer, at, found };
    if case.is_right(&section.chain, number, &prev, &hash) {
        return Judged::Block(number, hash);
    }
    if footer.hash == hash || (footer.prev == prev && case.leaves_are(lines)) {
        case.tell(
            What::Footer,
            at,
            format!("the footer of block {number} is not the one that was written; its lines are"),
        );
        return Judged::Block(number, hash);
    }
    if footer.prev == prev {
        case.tell_of_lines(lines);
        return Judged::Block(footer.number.max(number), footer.hash);
    }
    case.elsewhere(number, &prev)
}

fn hash(prev: &Hash, lines: &[Leaf]) -> Hash {
    BlockHash::of(prev, lines.iter().map(|leaf| &leaf.hash))
}

struct Case<'a> {
    name: &'a str,
    lines: &'a [Leaf],
    footer: &'a Footer,
    at: (u64, u64),
    found: &'a mut Vec<Finding>,
}

impl<'a> Case<'a> {
    fn is_right(&self, chain: &str, number: u64, prev: &Hash, hash: &Hash) -> bool {
        let Footer { lines, bytes, leaves, .. } = self.footer;
        // Of lines that are left out nobody knows the length.
        let known = !self.lines.iter().any(|leaf| leaf.hidden);
        let long = leaves.is_none() && *lines > LINES;
        let there = long || mutant!(self.leaves_are(self.lines), "leaf-order-unchecked" => true);
        there
            && self.footer.hash == *hash
            && self.footer.prev == *prev
            && self.footer.number == number
            && *self.footer.chain == *chain
            && *lines == self.lines.len() as u64
            && (!known || *bytes == self.lines.iter().map(|leaf| leaf.bytes).sum::<u64>())
    }

    fn leaves_are(&self, lines: &[Leaf]) -> bool {
        let Some(leaves) = &self.footer.leaves else { return false };
        leaves.len() == lines.len() && leaves.iter().zip(lines).all(|(leaf, line)| *leaf == line.hash.short())
    }

    fn tell(&mut self, what: What, (line, at): (u64, u64), words: String) {
        self.found.push(Finding::of(what, self.name, words).at(line, at));
    }

    /// Where a line begins; the footer, behind the last one.
    fn place(&self, lines: &[Leaf], index: usize) -> (u64, u64) {
        lines.get(index).map_or(self.at, |leaf| (leaf.line, leaf.at))
    }

    /// The block is not behind the one that stands before it.
    fn elsewhere(&mut self, number: u64, prev: &Hash) -> Judged {
        let its = self.footer.number;
        match its.cmp(&number) {
            Ordering::Less => {
                let words = format!("block {its} stands behind block {}", number - 1);
                self.tell(What::Moved, self.place(self.lines, 0), words);
                return Judged::Stray;
            }
            Ordering::Greater => self.behind_a_gap(number, prev),
            Ordering::Equal => self.behind_another(number),
        }
        Judged::Block(its, self.footer.hash)
    }

    /// Those above the lines of this block, and those.
    fn split(&self) -> (&'a [Leaf], &'a [Leaf]) {
        let own = usize::try_from(self.footer.lines).unwrap_or(usize::MAX).min(self.lines.len());
        self.lines.split_at(self.lines.len() - own)
    }

    fn behind_another(&mut self, number: u64) {
        let (above, own) = self.split();
        let before = number.saturating_sub(1);
        let words = format!("what stands as block {before} is not what block {number} was written behind");
        self.tell(What::Rewritten, self.place(self.lines, 0), words);
        if !above.is_empty() {
            let words = format!("{} lines belong to no block", above.len());
            self.tell(What::Inserted, self.place(above, 0), words);
        }
        if hash(&self.footer.prev, own) != self.footer.hash {
            self.tell_of_lines(own);
        }
    }

    fn behind_a_gap(&mut self, number: u64, prev: &Hash) {
        let (above, own) = self.split();
        let (its, next) = (self.footer.number, self.footer.number == number + 1);
        let behind = |lines: &[Leaf]| next && !lines.is_empty() && hash(prev, lines) == self.footer.prev;
        if behind(above) {
            let words = format!("the footer of block {number} is gone; its lines are as they were written");
            return self.tell(What::Dropped, self.place(own, 0), words);
        }
        if let Some((damaged, _)) = above.split_last().filter(|(_, lines)| behind(lines)) {
            let words =
                format!("the footer of block {number} is not the one that was written; its lines are");
            return self.tell(What::Footer, (damaged.line, damaged.at), words);
        }
        let intact = self.intact_at_the_end();
        let first = self.lines.len() - intact;
        // What stands there is the damaged piece; where there is none, what follows the gap.
        let at = self.place(self.lines, first.saturating_sub(usize::from(first > 0)));
        let what = if first == 0 { What::Dropped } else { What::Changed };
        self.tell(what, at, format!("blocks {number} to {} are not there whole", its - 1));
        if intact < own.len() && first > 1 {
            self.tell_of_lines(own);
        }
    }

    /// How many lines at the end are those of the footer.
    fn intact_at_the_end(&self) -> usize {
        let leaves = self.footer.leaves.iter().flatten().rev();
        leaves.zip(self.lines.iter().rev()).take_while(|(leaf, line)| **leaf == line.hash.short()).count()
    }

    /// Says which lines are not those of the footer.
    fn tell_of_lines(&mut self, lines: &[Leaf]) {
        let number = self.footer.number;
        let Some(leaves) = &self.footer.leaves else {
            let words = format!("some line of the {} of block {number} is not what was written", lines.len());
            return self.tell(What::Changed, self.place(lines, 0), words);
        };
        let same = |(leaf, line): (&[u8; 8], &Leaf)| *leaf == line.hash.short();
        let start = leaves.iter().zip(lines).take_while(|(leaf, line)| same((leaf, line))).count();
        let left = leaves.len().min(lines.len()) - start;
        let pairs = leaves.iter().rev().zip(lines.iter().rev());
        let end = pairs.take(left).take_while(|(leaf, line)| same((leaf, line))).count();
        let (expected, there) = (&leaves[start..leaves.len() - end], &lines[start..lines.len() - end]);
        let at = self.place(lines, start);
        let count = |more: usize, less: usize| match more - less {
            1 => "a line".to_owned(),
            more => format!("{more} lines"),
        };
        match there.len().cmp(&expected.len()) {
            Ordering::Greater => {
                let words = format!("{} more than were written", count(there.len(), expected.len()));
                self.tell(What::Inserted, at, words);
            }
            Ordering::Less => {
                let words = format!("{} that were written here are gone", count(expected.len(), there.len()));
                self.tell(What::Dropped, at, words);
            }
            Ordering::Equal => self.tell_of_others(expected, there),
        }
    }

    /// As many lines as there were, and others.
    fn tell_of_others(&mut self, expected: &[[u8; 8]], there: &[Leaf]) {
        let mut sorted = (expected.to_vec(), there.iter().map(|leaf| leaf.hash.short()).collect::<Vec<_>>());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        if sorted.0 == sorted.1 {
            let words = "lines stand in another order than they were written in".to_owned();
            return self.tell(What::Moved, self.place(there, 0), words);
        }
        let others = there.iter().zip(expected).filter(|(line, leaf)| line.hash.short() != **leaf);
        for (line, _) in others.take(EACH) {
            self.tell(What::Changed, (line.line, line.at), "the line is not what was written".to_owned());
        }
    }
}
