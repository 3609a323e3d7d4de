//! A thousand ways to tamper with a store, each by chance, and each found in the segment where it was done, and at the event
//! where it was done to one.

use std::fs;
use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::record::{Record, eventful, name};
use super::*;
use crate::chain::dice::Dice;
use crate::chain::{BlockHash, Finding as Found, Footer, Hash, Opening, What};
use crate::segments::event::id_of;
use crate::segments::leaf::{COLUMNS, Rows};
use crate::segments::stored;

const ROUNDS: usize = 1000;

/// What must be found: something in one of these segments; at this event, where it was done to one.
#[derive(Debug, Default)]
struct Expected {
    segments: Vec<String>,
    event: Option<String>,
    what: Option<What>,
}

impl Expected {
    fn is_met_by(&self, found: &Found) -> bool {
        let event = self.event.as_ref().is_none_or(|event| found.event.as_ref() == Some(event));
        self.segments.contains(&found.place) && event && self.what.is_none_or(|what| found.what == what)
    }
}

struct Tampering<'a> {
    dice: &'a mut Dice,
    record: &'a Record,
}

fn opened(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn count(segment: &Connection, table: &str) -> i64 {
    segment.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn id(segment: &Connection, path: &Path, n: i64) -> String {
    let id: i64 = segment.query_row("SELECT id FROM event WHERE n = ?1", [n], |row| row.get(0)).unwrap();
    let file = name(path);
    let process = file.split(['-', '.']).nth(1).unwrap();
    id_of(process, id)
}

impl Tampering<'_> {
    /// Any segment, or any that is closed.
    fn segment(&mut self, closed: bool) -> PathBuf {
        let all = self.record.segments();
        let all: Vec<_> = all.iter().filter(|path| !closed || path.extension().unwrap() == "seg").collect();
        all[self.dice.below(all.len())].clone()
    }

    /// One row of a table, by how many stand before it.
    fn nth(&mut self, segment: &Connection, table: &str) -> i64 {
        let rows = usize::try_from(count(segment, table)).unwrap();
        i64::try_from(self.dice.below(rows)).unwrap()
    }

    /// A segment, and the number of one of its rows.
    fn row(&mut self) -> (PathBuf, Connection, i64) {
        let path = self.segment(false);
        let segment = opened(&path);
        let n = 1 + self.nth(&segment, "event");
        (path, segment, n)
    }

    fn at(path: &Path, event: Option<String>) -> Expected {
        Expected { segments: vec![name(path)], event, what: None }
    }

    /// Some value of some row is another.
    fn change(&mut self) -> Expected {
        let (path, segment, n) = self.row();
        let event = id(&segment, &path, n);
        let columns: Vec<_> = COLUMNS.split(", ").filter(|column| *column != "id").collect();
        loop {
            let column = columns[self.dice.below(columns.len())].trim();
            let sql = format!("SELECT {column} FROM event WHERE n = ?1");
            let other = match segment.query_row(&sql, [n], |row| row.get(0)).unwrap() {
                Value::Integer(number) => Value::Integer(number ^ (1 << self.dice.below(62))),
                Value::Text(text) => Value::Text(format!("{text}x")),
                Value::Blob(mut bytes) if !bytes.is_empty() => {
                    let at = self.dice.below(bytes.len());
                    bytes[at] ^= 1 << self.dice.below(8);
                    Value::Blob(bytes)
                }
                Value::Null | Value::Real(_) | Value::Blob(_) => continue,
            };
            segment
                .execute(&format!("UPDATE event SET {column} = ?1 WHERE n = ?2"), params![other, n])
                .unwrap();
            return Self::at(&path, Some(event));
        }
    }

    fn drop_row(&mut self) -> Expected {
        let (path, segment, n) = self.row();
        segment.execute("DELETE FROM event WHERE n = ?1", [n]).unwrap();
        Self::at(&path, None)
    }

    /// A row more, in the midst or at the end.
    fn insert(&mut self) -> Expected {
        let (path, segment, n) = self.row();
        let at = if self.dice.below(2) == 0 { n } else { count(&segment, "event") };
        for later in (at + 1..=count(&segment, "event")).rev() {
            segment.execute("UPDATE event SET n = n + 1 WHERE n = ?1", [later]).unwrap();
        }
        let copy =
            format!("INSERT INTO event(n, {COLUMNS}) SELECT {}, {COLUMNS} FROM event WHERE n = ?1", at + 1);
        segment.execute(&copy, [n]).unwrap();
        Self::at(&path, None)
    }

    fn swap(&mut self) -> Expected {
        let (path, segment, one) = self.row();
        let other = 1 + one % count(&segment, "event");
        for (from, to) in [(one, 0), (other, one), (0, other)] {
            segment.execute("UPDATE event SET n = ?2 WHERE n = ?1", [from, to]).unwrap();
        }
        Self::at(&path, None)
    }

    fn truncate(&mut self) -> Expected {
        let path = self.segment(true);
        let length = fs::metadata(&path).unwrap().len();
        let left = self.dice.below(usize::try_from(length).unwrap()) as u64;
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(left).unwrap();
        Self::at(&path, None)
    }

    fn remove(&mut self) -> Expected {
        let path = self.segment(false);
        for end in ["", "-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(end);
            let _ = fs::remove_file(file);
        }
        Expected { what: Some(What::Missing), ..Self::at(&path, None) }
    }

    fn remove_chain(&mut self) -> Expected {
        let path = self.segment(false);
        let of = |path: &Path| name(path).split(['-', '.']).nth(1).unwrap().to_owned();
        let all: Vec<_> = self.record.segments().into_iter().filter(|other| of(other) == of(&path)).collect();
        all.iter().for_each(|path| fs::remove_file(path).unwrap());
        Expected { segments: vec![name(all.last().unwrap())], event: None, what: Some(What::Missing) }
    }

    /// Two files change places, or one takes the other's.
    fn exchange(&mut self, both: bool) -> Expected {
        let (one, other) = loop {
            let (one, other) = (self.segment(true), self.segment(true));
            if one != other {
                break (one, other);
            }
        };
        let (a, b) = (fs::read(&one).unwrap(), fs::read(&other).unwrap());
        fs::write(&one, b).unwrap();
        if both {
            fs::write(&other, a).unwrap();
        }
        Expected { segments: vec![name(&one)], ..Expected::default() }
    }

    /// A word of the dictionary is another, or a person somebody else.
    fn rename_word(&mut self) -> Expected {
        let path = self.segment(false);
        let segment = opened(&path);
        let changed = match self.dice.below(4) {
            0 => segment.execute("UPDATE person SET pseudonym = zeroblob(16) WHERE id = 1", []),
            _ => {
                // One that some row says: others stood in what went on, and say nothing any more.
                let said = "(SELECT kind AS word FROM event UNION SELECT route FROM event UNION SELECT open FROM event)";
                let said = format!("{said} WHERE typeof(word) = 'integer'");
                let nth = self.nth(&segment, &said);
                let word = format!("SELECT word FROM {said} ORDER BY word LIMIT 1 OFFSET {nth}");
                segment.execute(&format!("UPDATE word SET text = text || 'x' WHERE id = ({word})"), [])
            }
        };
        assert_eq!(changed.unwrap(), 1);
        Self::at(&path, None)
    }

    /// What answers hang on beside the rows.
    fn change_claims(&mut self) -> Expected {
        let path = self.segment(true);
        let segment = opened(&path);
        let hour = "(SELECT rowid FROM summary ORDER BY random() LIMIT 1)";
        let changed = match self.dice.below(7) {
            0 => segment.execute(&format!("DELETE FROM summary WHERE rowid = {hour}"), []),
            1 => segment.execute(&format!("UPDATE summary SET count = count + 1 WHERE rowid = {hour}"), []),
            2 => segment.execute("UPDATE meta SET value = value + 1 WHERE name = 'since'", []),
            3 => segment.execute("UPDATE meta SET value = value - 1 WHERE name = 'until'", []),
            4 => segment.execute("UPDATE meta SET value = value - 1 WHERE name = 'events'", []),
            5 => segment.execute("UPDATE meta SET value = '0123456789ab' WHERE name = 'process'", []),
            _ => segment.execute("UPDATE meta SET value = value + 1 WHERE name = 'number'", []),
        };
        assert_eq!(changed.unwrap(), 1);
        Self::at(&path, None)
    }

    /// Something of a block is another.
    fn change_block(&mut self) -> Expected {
        let path = self.segment(false);
        let segment = opened(&path);
        let nth = self.nth(&segment, "block");
        let what = [
            "hash = zeroblob(32)",
            // Before the first block of a chain stand zeros.
            "prev = cast(replace(hex(zeroblob(16)), '0', 'a') as blob)",
            "leaves = zeroblob(8)",
            "last = last - 1",
            "last = last + 1",
            "rows = rows + 1",
            "bytes = bytes + 1",
            "number = number + 1000",
            "hash = x'00'",
            "leaves = 7",
            "opening = replace(coalesce(opening, 'x'), '1', '2')",
            "going = zeroblob(32)",
            "opening = 'x'",
        ];
        let what = what[self.dice.below(what.len())];
        let which = format!("SELECT number FROM block ORDER BY number LIMIT 1 OFFSET {nth}");
        let changed = segment.execute(&format!("UPDATE block SET {what} WHERE number = ({which})"), []);
        assert_eq!(changed.unwrap(), 1);
        Self::at(&path, None)
    }

    /// The last blocks are gone with their rows.
    fn cut(&mut self) -> Expected {
        let path = self.segment(false);
        let segment = opened(&path);
        let left = self.nth(&segment, "block");
        let cut = format!(
            "DELETE FROM block WHERE number > (SELECT min(number) FROM block) + {left} - 1;
             DELETE FROM event WHERE n > (SELECT coalesce(max(last), 0) FROM block);"
        );
        segment.execute_batch(&cut).unwrap();
        Self::at(&path, None)
    }

    /// What goes on is otherwise.
    fn change_going(&mut self) -> Expected {
        let path =
            self.record.segments().into_iter().find(|path| path.extension().unwrap() == "open").unwrap();
        let segment = opened(&path);
        let going = "(SELECT n FROM going_on ORDER BY random() LIMIT 1)";
        let changed = match self.dice.below(3) {
            0 => segment.execute(
                &format!("UPDATE going_on SET count = coalesce(count, 1) + 1 WHERE n = {going}"),
                [],
            ),
            1 => segment.execute(&format!("DELETE FROM going_on WHERE n = {going}"), []),
            _ => {
                let copy = format!(
                    "INSERT INTO going_on(n, {COLUMNS}) SELECT n + 1000, {COLUMNS} FROM going_on LIMIT 1"
                );
                segment.execute(&copy, [])
            }
        };
        assert_eq!(changed.unwrap(), 1);
        Self::at(&path, None)
    }

    /// A row is another, and every block behind it fits, to the end of its chain.
    fn rewrite(&mut self) -> Expected {
        let (path, segment, n) = self.row();
        segment.execute("UPDATE event SET time = time + 1 WHERE n = ?1", [n]).unwrap();
        let of = |path: &Path| name(path).split(['-', '.']).nth(1).unwrap().to_owned();
        let all: Vec<_> = self.record.segments().into_iter().filter(|other| of(other) == of(&path)).collect();
        let mut prev = None;
        for path in &all {
            rechain(&opened(path), &mut prev);
        }
        let segments = all.iter().map(|path| name(path)).collect();
        Expected { segments, event: None, what: Some(What::Rewritten) }
    }

    /// A byte of a file is another.
    fn flip(&mut self) -> PathBuf {
        let path = self.segment(true);
        let mut bytes = fs::read(&path).unwrap();
        let at = self.dice.below(bytes.len());
        bytes[at] ^= 1 << self.dice.below(8);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// Works out every block of a segment anew.
fn rechain(segment: &Connection, prev: &mut Option<Hash>) {
    let chain = stored::chain(segment).unwrap().unwrap();
    let (mut number, mut last) = (i64::MIN, i64::MIN);
    while let Some(block) = stored::behind(segment, number).unwrap() {
        let footer = block.footer(&chain).unwrap();
        let before = prev.unwrap_or(footer.prev);
        let opening = block.opening.as_ref().map(|line| Opening::read(line.as_bytes()).unwrap());
        let opening = opening.map(|opening| Opening { prev: before, ..opening }.line());
        let rows = Rows::default().read(segment, "event", (last, block.last)).unwrap();
        let mut hashes: Vec<_> = opening.iter().map(|line| Hash::of(line)).collect();
        hashes.extend(rows.iter().map(|row| row.hash));
        hashes.extend(block.going);
        let leaves: Vec<_> = hashes.iter().map(Hash::short).collect();
        let footer =
            Footer { prev: before, hash: BlockHash::of(&before, &hashes), leaves: Some(leaves), ..footer };
        let update = "UPDATE block SET prev = ?2, hash = ?3, leaves = ?4, opening = ?5 WHERE number = ?1";
        let (leaves, opening) =
            (footer.leaves.unwrap(), opening.map(|line| String::from_utf8(line).unwrap()));
        let values =
            params![block.number, footer.prev.bytes(), footer.hash.bytes(), leaves.as_flattened(), opening];
        segment.execute(update, values).unwrap();
        *prev = Some(footer.hash);
        (number, last) = (block.number, block.last);
    }
}

const WAYS: usize = 16;

fn tamper(tampering: &mut Tampering<'_>, way: usize) -> (&'static str, Expected) {
    match way {
        0 | 1 => ("change", tampering.change()),
        2 => ("drop", tampering.drop_row()),
        3 => ("insert", tampering.insert()),
        4 => ("swap", tampering.swap()),
        5 => ("truncate", tampering.truncate()),
        6 => ("remove", tampering.remove()),
        7 => ("exchange", tampering.exchange(true)),
        8 => ("replace", tampering.exchange(false)),
        9 => ("word", tampering.rename_word()),
        10 => ("claims", tampering.change_claims()),
        11 => ("block", tampering.change_block()),
        12 => ("cut", tampering.cut()),
        13 => ("going", tampering.change_going()),
        14 => ("rewrite", tampering.rewrite()),
        _ => ("remove a chain", tampering.remove_chain()),
    }
}

#[test]
fn invariant_28_whatever_is_done_to_a_store_afterwards_is_found_where_it_was_done() {
    let (rig, signer) = eventful();
    let (record, mut dice) = (Record::of(rig.path(), &signer.log), Dice(0x9E37_79B9_7F4A_7C15));
    for round in 0..ROUNDS {
        record.restore();
        let (name, expected) = tamper(&mut Tampering { dice: &mut dice, record: &record }, round % WAYS);
        let found = record.findings();
        assert!(
            found.iter().any(|found| expected.is_met_by(found)),
            "round {round}, {name}: {expected:?}\nfound {found:#?}"
        );
    }
}

/// A bit of a file that nobody can be told otherwise by is no matter; every other one is found.
#[test]
fn invariant_28_no_bit_of_a_segment_changes_what_is_told_unseen() {
    let (rig, signer) = eventful();
    let (record, mut dice) = (Record::of(rig.path(), &signer.log), Dice(77));
    record.restore();
    let whole = record.told().unwrap();
    let (mut seen, rounds) = (0, 300);
    for round in 0..rounds {
        record.restore();
        let path = Tampering { dice: &mut dice, record: &record }.flip();
        let found = record.findings();
        seen += usize::from(!found.is_empty());
        let is_told = found.iter().all(|found| found.place == name(&path));
        assert!(
            is_told && (!found.is_empty() || record.told().as_ref() == Some(&whole)),
            "round {round}: {found:?}"
        );
    }
    assert!(seen > rounds / 10, "{seen}");
}
