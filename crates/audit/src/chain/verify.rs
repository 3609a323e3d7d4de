//! What a record proves: the walk over all that is there, and what was signed of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::finding::{Finding, What};
use super::findings_of_checkpoints as of_checkpoints;
use super::lines::Place;
use super::log::read_notes;
use super::note::VerifierKey;
use super::order::{self, Chain};
use super::removed::{Believed, Removed, day_of};
use super::series::{self, Series, Sighted};
use super::ties::Head;
use super::ties_of_others;
use super::walk::{self, Section};
use crate::clock::Timestamp;

pub use super::walk::Whole;

/// What is known of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Its name.
    pub chain: Arc<str>,
    /// Whether it is of a store, which has rows in place of lines.
    pub of_rows: bool,
    /// Its places, in their order.
    pub places: Vec<String>,
    /// Lines that are there, in blocks and behind them.
    pub lines: u64,
    /// Lines of these whose hash alone is there.
    pub hidden: u64,
    /// Lines that a process left behind without a footer, and a later one took in: nobody can say for the time between.
    pub adopted: u64,
    /// Blocks that are there.
    pub blocks: u64,
    /// What was signed last of what is there; none where nothing was.
    pub proved: Option<Proved>,
    /// Lines behind that.
    pub unproved: u64,
    /// Of these, those that are in no block yet.
    pub tail: u64,
}

/// The end of what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The number of the block.
    pub block: u64,
    /// The place that it is in.
    pub place: String,
    /// Its last line there.
    pub line: u64,
    /// The checkpoint.
    pub checkpoint: u64,
    /// Whose that is.
    pub origin: String,
    /// When it was signed.
    pub time: Timestamp,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, in the order of places and lines.
    pub findings: Vec<Finding>,
    /// Every chain.
    pub chains: Vec<ChainReport>,
    /// What was signed, and by which keys.
    pub series: Vec<Series>,
    /// Lines in places that know no chain.
    pub unchained: u64,
}

/// Whether a place of this name is one of those that are verified.
type Expected = Box<dyn Fn(&str) -> bool>;

/// A verification under way.
pub struct Verification {
    whole: Whole,
    sections: Vec<Section>,
    findings: Vec<Finding>,
    signed: Vec<Sighted>,
    witnessed: Vec<Sighted>,
    unchained: u64,
    expected: Vec<Expected>,
    /// Places that have rows.
    of_rows: BTreeSet<String>,
}

impl std::fmt::Debug for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verification").field("findings", &self.findings).finish_non_exhaustive()
    }
}

impl Verification {
    /// Of a whole record, or of a part.
    #[must_use]
    pub fn new(whole: Whole) -> Self {
        let (sections, findings, signed, expected) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (witnessed, of_rows) = (Vec::new(), BTreeSet::new());
        Self { whole, sections, findings, signed, witnessed, unchained: 0, expected, of_rows }
    }

    /// Says that all places with such names are verified, so that one is gone that was signed and is not among them.
    pub fn expect(&mut self, is_one: impl Fn(&str) -> bool + 'static) {
        self.expected.push(Box::new(is_one));
    }

    /// Takes what was signed: the text of a file of checkpoints. To be read before the places, which grow.
    pub fn checkpoints(&mut self, place: &str, text: &str) {
        self.signed.extend(filed(place, text));
    }

    /// Takes what another gateway has signed, which ties what this one has: the text of its file of checkpoints.
    pub fn witness(&mut self, place: &str, text: &str) {
        self.witnessed.extend(filed(place, text));
    }

    /// Walks over a place.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn place(&mut self, place: &mut dyn Place) -> std::io::Result<()> {
        let walked = walk::walk(place, self.whole)?;
        let name = place.name().to_owned();
        if place.has_rows() {
            self.of_rows.insert(name.clone());
        }
        self.sections.extend(walked.sections);
        for mut finding in walked.findings.into_iter().chain(place.take_findings()) {
            finding.event = finding.line.and_then(|row| place.event(row));
            self.findings.push(finding);
        }
        self.unchained += walked.unchained;
        self.signed.extend(place.take_notes().into_iter().map(|note| Sighted {
            place: name.clone(),
            note,
            filed: false,
        }));
        Ok(())
    }

    /// What it comes to. Where a key is given, what was signed must lead to it.
    #[must_use]
    pub fn finish(mut self, key: Option<&VerifierKey>) -> Report {
        let series = series::read(&self.signed, key, &mut self.findings);
        let witnesses = series::read(&self.witnessed, None, &mut self.findings);
        ties_of_others::find(&series, &witnesses, &mut self.findings);
        let is_told = self.findings.iter().any(|finding| finding.what == What::UnknownKey);
        if series.is_empty() && key.is_some() && !is_told {
            let words = "nothing is signed by a key that leads to the one that was given";
            self.findings.push(Finding::of(What::UnknownKey, "checkpoints", words));
        }
        // Each sink's removals are its own, but for the days of a database, which go for all.
        let family = |file: &str, chain: &str| {
            let sink = chain.split('/').next().filter(|_| day_of(file).is_none()).unwrap_or_default();
            (self.expected.iter().position(|is_one| is_one(file)), sink.to_owned())
        };
        let believed = Believed::new(&series, &self.sections);
        let mut removed: BTreeMap<(Option<usize>, String), Removed> = BTreeMap::new();
        for section in &self.sections {
            let of = removed.entry(family(&section.name, &section.chain)).or_default();
            believed.of(section).for_each(|claim| of.learn(claim));
        }
        let removed_of = |family| removed.get(&family).cloned().unwrap_or_default();
        let mut chains = order::chains(self.sections);
        for chain in &mut chains {
            let name = chain.sections.first().map_or("", |section| &section.name);
            let removed = removed_of(family(name, &chain.name));
            order::judge(chain, &removed, self.whole == Whole::Export, &mut self.findings);
        }
        let removed = |head: &Head| removed_of(family(&head.file, &head.chain));
        let proved = of_checkpoints::judge(&chains, &series, &removed, self.whole, &mut self.findings);
        if self.whole == Whole::Record {
            let removed = |head: &Head| {
                let family = family(&head.file, &head.chain);
                family.0.is_some().then(|| removed_of(family))
            };
            of_checkpoints::find_missing(&chains, &series, &removed, &mut self.findings);
        }
        let is_of_rows = |place: &str| self.of_rows.contains(place);
        let chains = chains.iter().map(|chain| report(chain, &proved, &is_of_rows)).collect();
        let rows = |finding: Finding| if is_of_rows(&finding.place) { finding.of_rows() } else { finding };
        let mut findings: Vec<_> = self.findings.into_iter().map(rows).collect();
        findings.sort();
        findings.dedup();
        Report { findings, chains, series, unchained: self.unchained }
    }
}

fn filed<'a>(place: &'a str, text: &'a str) -> impl Iterator<Item = Sighted> + 'a {
    read_notes(text).map(|note| Sighted { place: place.to_owned(), note, filed: true })
}

fn report(chain: &Chain, proved: &BTreeMap<Arc<str>, Proved>, of_rows: &dyn Fn(&str) -> bool) -> ChainReport {
    let blocks = || chain.sections.iter().flat_map(|section| &section.blocks);
    let sum = |of: fn(&Section) -> u64| chain.sections.iter().map(of).sum::<u64>();
    let tail = sum(|section| section.tail.len() as u64);
    let proved = proved.get(&chain.name).cloned();
    let end = proved.as_ref().map_or(0, |proved| proved.block);
    ChainReport {
        chain: Arc::clone(&chain.name),
        of_rows: chain.sections.iter().any(|section| of_rows(&section.name)),
        places: chain.sections.iter().map(|section| section.name.clone()).collect(),
        lines: blocks().map(|block| block.lines).sum::<u64>() + tail,
        hidden: sum(|section| section.hidden),
        adopted: sum(|section| section.adopted),
        blocks: blocks().count() as u64,
        unproved: blocks().filter(|block| block.number > end).map(|block| block.lines).sum::<u64>() + tail,
        proved,
        tail,
    }
}
