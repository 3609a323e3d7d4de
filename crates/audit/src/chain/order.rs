//! The places of one chain in their order: whether each goes on where the one before ends.

use std::sync::Arc;

use super::finding::{Finding, What};
use super::hash::BlockHash;
use super::removed::Removed;
use super::walk::{Block, Section};

/// A chain over all of its places.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) name: Arc<str>,
    pub(super) sections: Vec<Section>,
}

impl Chain {
    /// A block, and the place that it is in.
    pub(super) fn block(&self, number: u64) -> Option<(&Section, &Block)> {
        self.sections.iter().find_map(|section| {
            let block = section.blocks.iter().find(|block| block.number == number)?;
            Some((section, block))
        })
    }

    /// The number of its first block that is there, and of its last one.
    pub(super) fn first(&self) -> u64 {
        self.sections
            .first()
            .map_or(0, |section| section.carried.as_ref().map_or(section.first, |footer| footer.number))
    }

    pub(super) fn last(&self) -> u64 {
        self.sections.iter().map(|section| section.next().0.saturating_sub(1)).max().unwrap_or_default()
    }
}

/// Sorts places into chains.
pub(super) fn chains(mut sections: Vec<Section>) -> Vec<Chain> {
    sections.sort_by(|one, other| {
        // Of two with the same beginning the longer one comes first: the other is its copy.
        let longer = other.next().0.cmp(&one.next().0);
        let start = one.chain.cmp(&other.chain).then(one.first.cmp(&other.first));
        start.then(longer).then_with(|| one.name.cmp(&other.name))
    });
    let mut chains: Vec<Chain> = Vec::new();
    for section in sections {
        match chains.last_mut().filter(|chain| chain.name == section.chain) {
            Some(chain) => chain.sections.push(section),
            None => chains.push(Chain { name: Arc::clone(&section.chain), sections: vec![section] }),
        }
    }
    chains
}

/// Says what is wrong between the places of a chain. What is `removed` its sink has removed itself; `begins`: a chain may begin
/// in its midst.
pub(super) fn judge(chain: &mut Chain, removed: &Removed, begins: bool, found: &mut Vec<Finding>) {
    remove_copies(chain, found);
    if let Some(first) = chain.sections.first().filter(|_| !begins) {
        judge_first(first, removed, found);
    }
    for index in 1..chain.sections.len() {
        let (before, rest) = chain.sections.split_at_mut(index);
        if let (Some(before), Some(section)) = (before.last_mut(), rest.first()) {
            judge_next(before, section, found);
        }
    }
}

fn judge_first(first: &Section, removed: &Removed, found: &mut Vec<Finding>) {
    let is_first = first.first == 1 && first.carried.is_none();
    let known = first.before.as_deref().is_some_and(|before| removed.covers(before));
    if is_first || mutant!(known, "missing-file-unnoticed" => true) {
        return;
    }
    let name = first.before.as_deref().unwrap_or("a file whose name is not known");
    let words =
        format!("it is gone: {} goes on behind its block {}", first.name, first.first.saturating_sub(1));
    found.push(Finding::of(What::Missing, name, words));
}

/// A place with blocks that another one has as well is a copy, or another way that the chain is said to have gone.
fn remove_copies(chain: &mut Chain, found: &mut Vec<Finding>) {
    let mut kept: Vec<Section> = Vec::new();
    for section in std::mem::take(&mut chain.sections) {
        let twice = section.blocks.iter().find_map(|block| {
            let (holder, other) = kept.iter().find_map(|other| {
                let there = other.blocks.binary_search_by_key(&block.number, |other| other.number).ok()?;
                Some((other, &other.blocks[there]))
            })?;
            Some((holder.name.clone(), block, other.hash == block.hash))
        });
        let Some((holder, block, same)) = twice else {
            kept.push(section);
            continue;
        };
        let (what, words) = match same {
            true => (What::Copied, format!("block {} stands in {holder} as well", block.number)),
            false => (What::Rewritten, format!("block {} is another one in {holder}", block.number)),
        };
        found.push(Finding::of(what, &section.name, words).at(block.line, block.at));
    }
    chain.sections = kept;
}

fn judge_next(before: &mut Section, section: &Section, found: &mut Vec<Finding>) {
    let (number, prev) = before.next();
    let end = before.behind();
    if let Some(footer) = &section.carried {
        let tail = std::mem::take(&mut before.tail);
        let hash = BlockHash::of(&footer.prev, tail.iter().map(|leaf| &leaf.hash));
        if (footer.number, footer.prev, footer.hash) == (number, prev, hash) {
            return;
        }
        if tail.is_empty() {
            let words = format!(
                "the file begins with the footer of block {}, whose lines are nowhere",
                footer.number
            );
            return found.push(Finding::of(What::Beheaded, &section.name, words).at(1, 0));
        }
        let words = format!("its last lines are not those of block {number}, which ends in {}", section.name);
        let at = tail.first().map_or(end, |leaf| (leaf.line, leaf.at));
        return found.push(Finding::of(What::Changed, &before.name, words).at(at.0, at.1));
    }
    if let Some(leaf) = before.tail.first() {
        let words = format!("{} lines stand behind its last block, and it was closed", before.tail.len());
        found.push(Finding::of(What::Inserted, &before.name, words).at(leaf.line, leaf.at));
    } else if before.rest > 0 {
        let words = format!("{} bytes stand behind its last line, and it was closed", before.rest);
        found.push(Finding::of(What::Inserted, &before.name, words));
    }
    before.tail.clear();
    let named = section.before.as_deref();
    if section.first > number {
        let gone = section.first - number;
        match named.filter(|named| *named != before.name) {
            Some(named) => {
                let words = format!("it is gone, with {gone} blocks from block {number} on");
                found.push(Finding::of(What::Missing, named, words));
            }
            None => {
                let words = format!("its end is gone: {gone} blocks from block {number} on");
                found.push(Finding::of(What::Cut, &before.name, words).at(end.0, end.1));
            }
        }
    } else if section.prev != prev {
        let words = format!("its last block is not the one that {} goes on behind", section.name);
        found.push(Finding::of(What::Rewritten, &before.name, words).at(end.0, end.1));
    } else if let Some(named) = named.filter(|named| *named != before.name) {
        let words = format!("it was called {named}");
        found.push(Finding::of(What::Renamed, &before.name, words));
    }
}
