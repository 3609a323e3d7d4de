//! The checkpoints of one gateway in their order, and the keys that signed them.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{Checkpoint, KeyStatement, Statement};
use super::finding::{Finding, What};
use super::hash::Hash;
use super::note::{Note, VerifierKey};
use crate::clock::Timestamp;

/// A key, and the time in which it signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    /// The key.
    pub key: VerifierKey,
    /// From when on.
    pub from: Timestamp,
    /// From when on the next one did.
    pub until: Option<Timestamp>,
    /// The number of the last checkpoint of the key before.
    pub after: u64,
    /// The number of its own last checkpoint, where another key follows.
    pub last: Option<u64>,
}

/// What one gateway has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Whose it is.
    pub origin: String,
    /// Its keys, the first one first.
    pub keys: Vec<KeyInUse>,
    /// Its checkpoints, by their numbers.
    pub checkpoints: BTreeMap<u64, Checkpoint>,
}

/// A note, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sighted {
    pub(super) place: String,
    pub(super) note: String,
    /// Whether that is a file of checkpoints, in which all are, and not an event.
    pub(super) filed: bool,
}

/// Reads everything that was signed. With a key, only what leads to it counts.
pub(super) fn read(all: &[Sighted], key: Option<&VerifierKey>, found: &mut Vec<Finding>) -> Vec<Series> {
    let (mut words, mut checkpoints, mut filed) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut of_files = BTreeSet::new();
    for sighted in all {
        let note = Note::read(&sighted.note).ok();
        let said = note.and_then(|note| Some((Statement::read(note.unchecked())?, note)));
        match said {
            Some((Statement::Key(word), note)) => {
                if sighted.filed {
                    of_files.insert(word.origin.clone());
                }
                words.push((word, note, &sighted.place));
            }
            Some((Statement::Checkpoint(checkpoint), note)) => {
                if sighted.filed {
                    filed.insert((checkpoint.origin.clone(), checkpoint.number));
                }
                checkpoints.push((checkpoint, note, &sighted.place));
            }
            None if is_torn(sighted, all) => {}
            None => {
                found.push(Finding::of(What::Unsigned, &sighted.place, "what stands there is no checkpoint"))
            }
        }
    }
    let origins =
        words.iter().map(|(word, ..)| &word.origin).chain(checkpoints.iter().map(|(it, ..)| &it.origin));
    let origins: BTreeSet<_> = origins.cloned().collect();
    of_files.extend(filed.iter().map(|(origin, _)| origin.clone()));
    // Gateways that share a database see one another's checkpoints there: without the file of those they say nothing.
    let is_here = |origin: &String| {
        of_files.is_empty() || of_files.contains(origin) || key.is_some_and(|key| key.name() == origin)
    };
    let mut series = Vec::new();
    for origin in origins.into_iter().filter(is_here) {
        let words: Vec<_> = words.iter().filter(|(word, ..)| word.origin == origin).collect();
        let keys = keys(&words, key.filter(|key| key.name() == origin), found);
        let own = checkpoints.iter().filter(|(checkpoint, ..)| checkpoint.origin == origin);
        let mut one = Series { origin: origin.clone(), keys, checkpoints: BTreeMap::new() };
        own.for_each(|(checkpoint, note, place)| one.take(checkpoint, note, place, found));
        let place = all.first().map_or("", |sighted| &sighted.place);
        if key.is_some_and(|key| !one.keys.iter().any(|known| known.key == *key)) {
            let words = format!("what {} has signed does not lead to the key that was given", one.origin);
            found.push(Finding::of(What::UnknownKey, place, words));
            continue;
        }
        one.find_gaps(place, found);
        one.find_unfiled(place, &filed, found);
        if !one.keys.is_empty() {
            series.push(one);
        }
    }
    series
}

/// Whether a process ended while it wrote this: the whole of it follows, or nothing does.
fn is_torn(torn: &Sighted, all: &[Sighted]) -> bool {
    let start = torn.note.trim_end_matches(['\n', '\u{FFFD}']);
    let is_last = all.iter().rfind(|other| other.place == torn.place) == Some(torn);
    is_last || all.iter().any(|other| other != torn && other.note.starts_with(start))
}

/// What is said of a word that no key has given.
const NOBODYS: &str = "the word for a key there is signed by no key of the record";

type Word<'a, 'b> = (KeyStatement, Note<'a>, &'b String);

/// The keys in their order, from the first one's own word on.
fn keys(words: &[&Word<'_, '_>], given: Option<&VerifierKey>, found: &mut Vec<Finding>) -> Vec<KeyInUse> {
    let signed = |(word, note, _): &Word<'_, '_>, key: &VerifierKey| {
        matches!(note.signed_by(key), Ok(Some(_))).then(|| word.clone())
    };
    let first = words.iter().find_map(|word| signed(word, &word.0.key).filter(|first| first.after == 0));
    let first = first
        .map(|first| (first.key, first.from))
        .or_else(|| Some((given?.clone(), Timestamp::from_seconds(0))));
    let Some((key, from)) = first else {
        words.iter().for_each(|(.., place)| found.push(Finding::of(What::Unsigned, place, NOBODYS)));
        return Vec::new();
    };
    let mut keys = vec![KeyInUse { key, from, until: None, after: 0, last: None }];
    while let Some(last) = keys.last_mut() {
        let mut next: Vec<_> = words.iter().filter_map(|word| signed(word, &last.key)).collect();
        next.retain(|next| next.key != last.key);
        next.dedup();
        if let [_, second, ..] = &next[..] {
            let words = format!("key {} has named two keys that follow it", last.key.short_id());
            found.push(Finding::of(What::TwoOfOneNumber, &second.origin, words));
        }
        let Some(KeyStatement { key, from, after, .. }) = next.into_iter().next() else { break };
        (last.until, last.last) = (Some(from), Some(after));
        keys.push(KeyInUse { key, from, until: None, after, last: None });
        if keys.len() > words.len() + 1 {
            break;
        }
    }
    let signs = |word: &Word<'_, '_>| keys.iter().any(|known| signed(word, &known.key).is_some());
    for (.., place) in words.iter().filter(|word| !signs(word)) {
        found.push(Finding::of(What::Unsigned, place, NOBODYS));
    }
    keys
}

impl Series {
    /// Takes a checkpoint that one of the keys has signed in its time.
    fn take(&mut self, checkpoint: &Checkpoint, note: &Note<'_>, place: &str, found: &mut Vec<Finding>) {
        let number = checkpoint.number;
        let mut tell = |what, words: String| found.push(Finding::of(what, place, words));
        let signed = self.keys.iter().find_map(|known| match note.signed_by(&known.key) {
            Ok(None) => None,
            Ok(Some(_)) => Some(Ok(known)),
            Err(error) => Some(Err(error)),
        });
        let key = match signed {
            Some(Ok(key)) => key,
            Some(Err(_)) => {
                return tell(What::Unsigned, format!("checkpoint {number} is not what was signed"));
            }
            None => {
                return tell(
                    What::Unsigned,
                    format!("checkpoint {number} is signed by no key of the record"),
                );
            }
        };
        if !mutant!(key.signs(checkpoint), "checkpoint-outside-its-key" => true) {
            let words = format!(
                "checkpoint {number} of {} is signed by key {}, which did not sign then",
                checkpoint.time.rfc3339(),
                key.key.short_id()
            );
            return tell(What::OutsideItsKey, words);
        }
        match self.checkpoints.get(&number) {
            Some(known) if known != checkpoint => {
                tell(What::TwoOfOneNumber, format!("there are two checkpoints {number} that differ"));
            }
            Some(_) => {}
            None => drop(self.checkpoints.insert(number, checkpoint.clone())),
        }
    }

    /// What events tell stands in the file of checkpoints as well, but for what was signed after that was read.
    fn find_unfiled(&self, place: &str, filed: &BTreeSet<(String, u64)>, found: &mut Vec<Finding>) {
        let own = filed.iter().filter(|(origin, _)| *origin == self.origin).map(|(_, number)| *number);
        let own: BTreeSet<_> = own.collect();
        let Some(last) = own.last() else { return };
        for number in self.checkpoints.keys().filter(|number| *number < last && !own.contains(number)) {
            let words = format!("checkpoint {number} is gone from here; an event tells it");
            found.push(Finding::of(What::CheckpointMissing, place, words));
        }
    }

    /// Each names the one before it.
    fn find_gaps(&self, place: &str, found: &mut Vec<Finding>) {
        let mut before: Option<&Checkpoint> = None;
        for checkpoint in self.checkpoints.values() {
            let (last, hash) = match before {
                Some(before) => (before.number, Some(Hash::of(before.text().as_bytes()))),
                None => (0, None),
            };
            let (after, its) = checkpoint.after.map_or((0, None), |(number, hash)| (number, Some(hash)));
            let number = checkpoint.number;
            if after != last {
                let words = format!("checkpoints {} to {after} are gone", last + 1);
                found.push(Finding::of(What::CheckpointMissing, place, words));
            } else if hash != its {
                let words = format!("checkpoint {last} is not the one that {number} follows");
                found.push(Finding::of(What::TwoOfOneNumber, place, words));
            }
            before = Some(checkpoint);
        }
        let (last, due) = (before.map_or(0, |last| last.number), self.keys.last().map_or(0, |key| key.after));
        if due > last {
            let words = format!("checkpoints {} to {due} are gone", last + 1);
            found.push(Finding::of(What::CheckpointMissing, place, words));
        }
    }
}

impl KeyInUse {
    /// Whether it signed when this was made.
    fn signs(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.time >= self.from
            && self.until.is_none_or(|until| checkpoint.time < until)
            && checkpoint.number > self.after
            && self.last.is_none_or(|last| checkpoint.number <= last)
    }
}
