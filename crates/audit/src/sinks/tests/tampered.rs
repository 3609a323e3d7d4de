//! A thousand ways to tamper with a record, each by chance, and each found where it was done.

use std::ops::Range;

use super::rig::{Record, Rig, around, eventful, exactly, is_own, joined, lines};
use crate::chain::dice::Dice;
use crate::chain::{
    BlockHash, Checkpoint, Finding, Footer, Hash, Opening, SignerKey, Statement, What, read_notes,
};

const ROUNDS: usize = 1000;

/// What must be found: something of one of these kinds, in this file, there.
#[derive(Debug)]
struct Expected {
    file: String,
    at: Option<Range<u64>>,
    what: &'static [What],
}

const ANY: &[What] = &[
    What::Changed,
    What::Inserted,
    What::Dropped,
    What::Moved,
    What::Footer,
    What::Cut,
    What::Beheaded,
    What::Rewritten,
];

impl Expected {
    fn is_met_by(&self, finding: &Finding) -> bool {
        let there = match (&self.at, finding.at) {
            (Some(range), Some(at)) => range.contains(&at),
            (Some(_), None) => false,
            (None, _) => true,
        };
        finding.place == self.file && there && self.what.contains(&finding.what)
    }
}

struct Tampering<'a> {
    dice: &'a mut Dice,
    record: Record,
    rig: &'a Rig,
}

impl Tampering<'_> {
    fn file(&mut self) -> String {
        let names: Vec<_> = self.record.files.keys().cloned().collect();
        self.dice.pick(&names).clone()
    }

    fn edit(&mut self, edit: impl FnOnce(&mut Dice, &mut Vec<(usize, Vec<u8>)>) -> Range<u64>) -> Expected {
        let file = self.file();
        let mut all = lines(&self.record.files[&file]);
        let at = Some(edit(self.dice, &mut all));
        self.record.files.insert(file.clone(), joined(&all));
        Expected { file, at, what: ANY }
    }

    fn flip(&mut self) -> Expected {
        self.edit(|dice, all| {
            let index = dice.below(all.len());
            let byte = dice.below(all[index].1.len());
            let ends = byte + 1 == all[index].1.len();
            let at = if ends { around(all, index) } else { exactly(all, index) };
            all[index].1[byte] ^= 1 << dice.below(8);
            at
        })
    }

    fn delete(&mut self) -> Expected {
        self.edit(|dice, all| {
            let index = dice.below(all.len());
            let at = around(all, index);
            all.remove(index);
            at
        })
    }

    fn insert(&mut self) -> Expected {
        self.edit(|dice, all| {
            let index = dice.below(all.len());
            let at = around(all, index);
            let line = b"{\"v\":1,\"time\":\"2027-01-15T08:00:00.000000Z\",\"event\":\"x-0-1\",\"type\":\"signed-out\"}\n";
            all.insert(index, (all[index].0, line.to_vec()));
            at
        })
    }

    fn duplicate(&mut self) -> Expected {
        self.edit(|dice, all| {
            let index = dice.below(all.len());
            let at = around(all, index);
            all.insert(index, all[index].clone());
            at
        })
    }

    fn swap(&mut self) -> Expected {
        self.edit(|dice, all| {
            let (one, other) = loop {
                let (one, other) = (dice.below(all.len()), dice.below(all.len()));
                if one < other && all[one].1 != all[other].1 {
                    break (one, other);
                }
            };
            let (start, end) = (around(all, one), around(all, other));
            let (a, b) = (all[one].1.clone(), all[other].1.clone());
            (all[one].1, all[other].1) = (b, a);
            start.start..end.end
        })
    }

    fn cut(&mut self) -> Expected {
        let file = self.file();
        let bytes = self.record.files.get_mut(&file).unwrap();
        let cut =
            if self.dice.below(2) == 0 { 1 + self.dice.below(400) } else { 1 + self.dice.below(bytes.len()) };
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        let what = &[What::Cut, What::Inserted, What::Missing, What::Rewritten];
        Expected { file, at: None, what }
    }

    fn remove_file(&mut self) -> Expected {
        let file = self.file();
        self.record.files.remove(&file);
        Expected { file, at: None, what: &[What::Missing, What::Cut] }
    }

    fn rename(&mut self) -> Expected {
        let files: Vec<_> =
            self.record.files.keys().filter(|name| *name != "events.jsonl").cloned().collect();
        // That the last file of a chain is called otherwise nobody can tell: none names it.
        let named: Vec<_> = files.iter().filter(|name| self.is_named(name)).cloned().collect();
        let file = self.dice.pick(&named).clone();
        let bytes = self.record.files.remove(&file).unwrap();
        let name = format!("events.2027011{}T000000Z-abcdef-0001.jsonl", self.dice.below(9));
        self.record.files.insert(name.clone(), bytes);
        Expected { file: name, at: None, what: &[What::Renamed] }
    }

    fn is_named(&self, name: &str) -> bool {
        let part = format!("\"file\":\"{name}\"");
        self.record.files.values().any(|bytes| String::from_utf8_lossy(bytes).contains(&part))
    }

    fn copy(&mut self) -> Expected {
        let file = self.file();
        let bytes = self.record.files[&file].clone();
        self.record.files.insert("zzz.jsonl".to_owned(), bytes);
        Expected { file: "zzz.jsonl".to_owned(), at: None, what: &[What::Copied] }
    }

    fn replay(&mut self) -> Expected {
        let (file, other) = loop {
            let (file, other) = (self.file(), self.file());
            if file != other {
                break (file, other);
            }
        };
        let bytes = self.record.files[&other].clone();
        self.record.files.insert(file.clone(), bytes);
        let last = file.clone().max(other);
        Expected { file: last, at: None, what: &[What::Copied, What::Missing, What::Cut] }
    }

    /// A line is another, and its footer fits.
    fn edit_one_footer(&mut self) -> Expected {
        self.edit(|dice, all| {
            let events: Vec<_> = (0..all.len()).filter(|index| !is_own(&all[*index].1)).collect();
            let index = *dice.pick(&events);
            let at = 0..around(all, index).end;
            change(&mut all[index].1, dice);
            let footer = (index..all.len()).find(|index| Footer::read(&all[*index].1).is_some()).unwrap();
            let start =
                (0..index).rfind(|index| Footer::read(&all[*index].1).is_some()).map_or(0, |at| at + 1);
            let old = Footer::read(&all[footer].1).unwrap();
            all[footer].1 = refooted(&old, &old.prev, &all[start..footer]).line();
            at
        })
    }

    /// A line is another, and everything behind it fits, to the end of its chain.
    fn rewrite(&mut self) -> Expected {
        let chain = main_chain(&self.record);
        let (file, index) = loop {
            let file = self.dice.pick(&chain).clone();
            let all = lines(&self.record.files[&file]);
            let index = self.dice.below(all.len());
            if !is_own(&all[index].1) {
                break (file, index);
            }
        };
        let mut all = lines(&self.record.files[&file]);
        let at = all[index].0 as u64;
        change(&mut all[index].1, self.dice);
        self.record.files.insert(file.clone(), joined(&all));
        rechain(&mut self.record, &chain);
        // Somewhere at or before it: from the block on that follows what was signed last as it is.
        Expected {
            file: format!("{}\u{0}{file}", chain.join("\u{0}")),
            at: Some(0..at + 1),
            what: &[What::Rewritten],
        }
    }

    /// The record is rewritten, and old checkpoints are signed anew with the key that is there now.
    fn sign_anew(&mut self) -> Expected {
        self.rewrite();
        let notes: Vec<_> = read_notes(&self.record.log).collect();
        let pick = 1 + self.dice.below(2);
        let Some(Statement::Checkpoint(mut checkpoint)) = statement(&notes[pick]) else { unreachable!() };
        for head in &mut checkpoint.heads {
            head.hash = Hash::of(b"forged");
        }
        let forged = self.rig_signer().sign(&checkpoint.text()).unwrap();
        let rest = notes.iter().enumerate().map(|(at, note)| if at == pick { &forged } else { note });
        self.record.log = rest.map(|note| format!("{note}\n")).collect();
        Expected { file: "checkpoints".to_owned(), at: None, what: &[What::OutsideItsKey, What::Unsigned] }
    }

    fn rig_signer(&self) -> SignerKey {
        let kept: serde_json::Value = serde_json::from_slice(&self.rig.book.written().unwrap()).unwrap();
        let key = kept["key"].as_str().unwrap();
        let pkcs8 = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key).unwrap();
        SignerKey::read(kept["origin"].as_str().unwrap(), &pkcs8).unwrap()
    }

    fn drop_checkpoint(&mut self) -> Expected {
        let notes: Vec<_> = read_notes(&self.record.log).collect();
        let of_checkpoints: Vec<_> = (0..notes.len() - 1)
            .filter(|at| matches!(statement(&notes[*at]), Some(Statement::Checkpoint(_))))
            .collect();
        let gone = *self.dice.pick(&of_checkpoints);
        let left = notes.iter().enumerate().filter(|(at, _)| *at != gone);
        self.record.log = left.map(|(_, note)| format!("{note}\n")).collect();
        Expected { file: "checkpoints".to_owned(), at: None, what: &[What::CheckpointMissing] }
    }

    /// Beside the end of a chain stands another one.
    fn fork(&mut self) -> Expected {
        let file = self.file();
        let mut all = lines(&self.record.files[&file]);
        let events: Vec<_> = (0..all.len()).filter(|index| !is_own(&all[*index].1)).collect();
        let index = *self.dice.pick(&events);
        change(&mut all[index].1, self.dice);
        let mut forked = self.record.clone();
        forked.files = [("zzz.jsonl".to_owned(), joined(&all))].into();
        rechain(&mut forked, &["zzz.jsonl".to_owned()]);
        self.record.files.extend(forked.files);
        Expected { file: "zzz.jsonl".to_owned(), at: None, what: &[What::Copied, What::Rewritten] }
    }
}

fn statement(note: &str) -> Option<Statement> {
    Statement::read(crate::chain::Note::read(note).unwrap().unchecked())
}

/// Another event, of whatever it was.
fn change(line: &mut [u8], dice: &mut Dice) {
    let digit = line.windows(8).position(|part| part == b"\"time\":\"").unwrap() + 8 + dice.below(4);
    line[digit] = if line[digit] == b'0' { b'1' } else { b'0' };
}

fn refooted(old: &Footer, prev: &Hash, lines: &[(usize, Vec<u8>)]) -> Footer {
    let hashes: Vec<_> = lines.iter().map(|(_, line)| Hash::of(line)).collect();
    let leaves = Some(hashes.iter().map(Hash::short).collect());
    Footer { prev: *prev, leaves, hash: BlockHash::of(prev, &hashes), ..old.clone() }
}

/// The files of the longest chain, in their order.
fn main_chain(record: &Record) -> Vec<String> {
    let report = record.verify();
    report.chains.iter().max_by_key(|chain| chain.places.len()).unwrap().places.clone()
}

/// Works out every footer and opening of these files anew.
fn rechain(record: &mut Record, files: &[String]) {
    let mut prev: Option<Hash> = None;
    for file in files {
        let mut all = lines(&record.files[file]);
        let mut start = 0;
        for index in 0..all.len() {
            if let Some(opening) = Opening::read(&all[index].1) {
                let prev = *prev.get_or_insert(opening.prev);
                all[index].1 = Opening { prev, ..opening }.line();
            } else if let Some(footer) = Footer::read(&all[index].1) {
                let new = refooted(&footer, &prev.unwrap_or(footer.prev), &all[start..index]);
                prev = Some(new.hash);
                all[index].1 = new.line();
                start = index + 1;
            }
        }
        record.files.insert(file.clone(), joined(&all));
    }
}

const WAYS: usize = 16;

fn tamper(tampering: &mut Tampering<'_>, way: usize) -> (&'static str, Expected) {
    match way {
        0 => ("flip", tampering.flip()),
        1 => ("flip again", tampering.flip()),
        2 => ("delete", tampering.delete()),
        3 => ("insert", tampering.insert()),
        4 => ("duplicate", tampering.duplicate()),
        5 => ("swap", tampering.swap()),
        6 => ("cut", tampering.cut()),
        7 => ("remove a file", tampering.remove_file()),
        8 => ("rename", tampering.rename()),
        9 => ("copy", tampering.copy()),
        10 => ("replay", tampering.replay()),
        11 => ("one footer", tampering.edit_one_footer()),
        12 => ("rewrite", tampering.rewrite()),
        13 => ("sign anew", tampering.sign_anew()),
        14 => ("drop a checkpoint", tampering.drop_checkpoint()),
        _ => ("fork", tampering.fork()),
    }
}

#[test]
fn invariant_28_whatever_is_done_to_a_record_afterwards_is_found_where_it_was_done() {
    let (rig, mut dice) = (eventful(), Dice(0x9E37_79B9_7F4A_7C15));
    let whole = rig.record();
    for round in 0..ROUNDS {
        let mut tampering = Tampering { dice: &mut dice, record: whole.clone(), rig: &rig };
        let (name, expected) = tamper(&mut tampering, round % WAYS);
        let found = tampering.record.findings();
        let files: Vec<_> = expected.file.split('\0').map(str::to_owned).collect();
        let met = match &files[..] {
            [_] => found.iter().any(|finding| expected.is_met_by(finding)),
            // Over many files: in the file itself up to there, or in one before.
            [chain @ .., file] => found.iter().any(|finding| {
                let at = chain.iter().position(|name| *name == finding.place);
                let own = chain.iter().position(|name| name == file);
                let before =
                    at < own || finding.at.is_some_and(|at| expected.at.as_ref().unwrap().contains(&at));
                finding.what == What::Rewritten && at.is_some() && at <= own && before
            }),
            [] => false,
        };
        assert!(met, "round {round}, {name}: {expected:?}\nfound {found:#?}");
    }
}

#[test]
fn invariant_28_a_word_that_nobody_has_signed_excuses_nothing() {
    let (rig, mut dice) = (eventful(), Dice(7));
    let mut excused = rig.record();
    let chain = main_chain(&excused);
    let sink = excused.verify().chains[0].chain.split('/').next().unwrap().to_owned();
    let long_ago = crate::clock::Timestamp::from_seconds(1_700_000_000);
    let forged = Opening {
        removed: Some("zzzzzz.99999999T999999Z-zzzzzzzzzzzz-9999.jsonl".to_owned()),
        ..Opening::new(long_ago, &format!("{sink}/forged").into(), 1, Hash::of(b"nothing"))
    };
    excused.files.insert("events.20000101T000000Z-aaaaaaaaaaaa-0001.jsonl".to_owned(), forged.line());
    let says = |record: &Record, what: What| record.findings().iter().any(|finding| finding.what == what);
    for file in &chain[..chain.len() - 1] {
        let mut record = excused.clone();
        record.files.remove(file);
        assert!(says(&record, What::Missing), "{file}: {:#?}", record.findings());
    }
    for _ in 0..20 {
        let mut tampered = Tampering { dice: &mut dice, record: excused.clone(), rig: &rig };
        tampered.rewrite();
        assert!(says(&tampered.record, What::Rewritten), "{:#?}", tampered.record.findings());
    }
}

/// A checkpoint of a number that was signed already, with another text, by the key itself.
#[test]
fn invariant_28_two_checkpoints_of_one_number_are_told() {
    let rig = eventful();
    let mut tampering = Tampering { dice: &mut Dice(7), record: rig.record(), rig: &rig };
    let notes: Vec<_> = read_notes(&tampering.record.log).collect();
    let Some(Statement::Checkpoint(last)) = statement(notes.last().unwrap()) else { panic!("no checkpoint") };
    let other = Checkpoint { heads: Vec::new(), ..last };
    let signed = tampering.rig_signer().sign(&other.text()).unwrap();
    tampering.record.log += &format!("{signed}\n");
    assert!(super::rig::has(&tampering.record.findings(), What::TwoOfOneNumber));
}
