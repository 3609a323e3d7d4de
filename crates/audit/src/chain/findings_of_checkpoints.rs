//! Chains against what was signed of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::finding::{Finding, What};
use super::order::Chain;
use super::removed::{Removed, day_of};
use super::series::Series;
use super::ties::Head;
use super::verify::Proved;
use super::walk::Whole;
use crate::clock::Timestamp;

/// Finds how far each chain was signed, and where it is not what was. `removed`: what the sink of such a place has removed itself.
pub(super) fn judge(
    chains: &[Chain],
    series: &[Series],
    removed: &dyn Fn(&Head) -> Removed,
    whole: Whole,
    found: &mut Vec<Finding>,
) -> BTreeMap<Arc<str>, Proved> {
    let mut proved = BTreeMap::new();
    for chain in chains {
        let index = index(chain);
        for one in series {
            let signed = one.checkpoints.values().flat_map(|checkpoint| {
                // Of a day of a database that was removed nothing is said: it may have been made anew for what came late.
                let is_gone =
                    |head: &Head| day_of(&head.file).is_some() && removed(head).has_file(&head.file);
                let own = checkpoint.heads.iter().filter(|head| head.chain == chain.name);
                let own = own.filter(move |head| !is_gone(head));
                own.map(move |head| (checkpoint, head))
            });
            let mut last = None;
            for (checkpoint, head) in signed {
                match index.get(&head.number) {
                    Some((hash, place, line)) if *hash == head.hash => {
                        let (block, place, line) = (head.number, (*place).to_owned(), *line);
                        let (checkpoint, time) = (checkpoint.number, checkpoint.time);
                        last =
                            Some(Proved { block, place, line, checkpoint, origin: one.origin.clone(), time });
                    }
                    Some(_) => {
                        rewritten(chain, last.as_ref(), head, checkpoint.number, found);
                        break;
                    }
                    // It was removed, or is told of already.
                    None if head.number <= chain.last() || whole == Whole::Export => {}
                    None => {
                        missing(chain, head, checkpoint.number, found);
                        break;
                    }
                }
            }
            let known: Option<&Proved> = proved.get(&chain.name);
            if let Some(last) = last.filter(|last| known.is_none_or(|known| known.block < last.block)) {
                proved.insert(Arc::clone(&chain.name), last);
            }
        }
    }
    proved
}

type Index<'a> = BTreeMap<u64, (super::hash::Hash, &'a str, u64)>;

fn index(chain: &Chain) -> Index<'_> {
    let mut index = Index::new();
    for section in &chain.sections {
        if let Some(footer) = &section.carried {
            index.insert(footer.number, (footer.hash, &section.name, 1));
        }
        let blocks = section.blocks.iter();
        index
            .extend(blocks.map(|block| (block.number, (block.hash, section.name.as_str(), block.last_line))));
    }
    index
}

/// Blocks that agree with one another, and not with what was signed. The first that may be wrong follows the last that was
/// signed as it is.
fn rewritten(chain: &Chain, last: Option<&Proved>, head: &Head, checkpoint: u64, found: &mut Vec<Finding>) {
    let from = last.map_or_else(|| chain.first(), |last| last.block + 1);
    let words =
        format!("some block from {from} to {} is not what checkpoint {checkpoint} signed", head.number);
    let finding = match chain.block(from) {
        Some((section, block)) => Finding::of(What::Rewritten, &section.name, words).at(block.line, block.at),
        None => Finding::of(What::Rewritten, &head.file, words),
    };
    found.push(finding);
}

/// A block that was signed is not there.
fn missing(chain: &Chain, head: &Head, checkpoint: u64, found: &mut Vec<Finding>) {
    let last = chain.last();
    if mutant!(false, "tail-cut-unnoticed" => true) {
        return;
    }
    let words = format!(
        "the end is gone: checkpoint {checkpoint} signed block {}, the last one is {last}",
        head.number
    );
    let section = chain.sections.last();
    if section.is_none_or(|section| section.name != head.file) {
        let words = format!(
            "it is gone: checkpoint {checkpoint} signed block {}, the last one is {last}",
            head.number
        );
        return found.push(Finding::of(What::Missing, &head.file, words));
    }
    let place = section.map_or(head.file.as_str(), |section| &section.name);
    let (line, at) = section.map_or((1, 0), |section| section.behind());
    found.push(Finding::of(What::Cut, place, words).at(line, at));
}

/// Chains that were signed and of which nothing is there, but for what their sinks have removed themselves. `removed`: what
/// those have whose files are called so; none where nobody expects such a file.
pub(super) fn find_missing(
    chains: &[Chain],
    series: &[Series],
    removed: &dyn Fn(&Head) -> Option<Removed>,
    found: &mut Vec<Finding>,
) {
    let there: BTreeSet<_> = chains.iter().map(|chain| &chain.name).collect();
    // The last head of each, and when it was signed first.
    let mut gone: BTreeMap<&Arc<str>, (&Head, Timestamp)> = BTreeMap::new();
    let heads = series
        .iter()
        .flat_map(|one| one.checkpoints.values())
        .flat_map(|checkpoint| checkpoint.heads.iter().map(move |head| (head, checkpoint.time)));
    for (head, time) in heads.filter(|(head, _)| !there.contains(&head.chain)) {
        let last = gone.entry(&head.chain).or_insert((head, time));
        if head.number > last.0.number {
            *last = (head, time);
        }
    }
    let is_missing = |head: &Head, signed| removed(head).is_some_and(|removed| !removed.has(head, signed));
    for (head, _) in gone.into_values().filter(|(head, signed)| is_missing(head, *signed)) {
        let words = format!("nothing is there of chain {}, which had {} blocks", head.chain, head.number);
        found.push(Finding::of(What::Missing, &head.file, words));
    }
}
