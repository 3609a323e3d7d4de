//! Spools by themselves: what becomes of their files, and what is read from them then.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::sinks::queue::Loss;
use crate::sinks::spool::{Frame, Lost, Next, Spool};

const OWN: &str = "9f2c41d07ab3";
const OTHER: &str = "0123456789ab";

fn open(folder: &Path, process: &str, size: u64, keeps: bool) -> Arc<Spool> {
    let settings = SpoolSettings { folder: folder.to_owned(), size };
    let spool = Spool::open(&settings, &process.into(), keeps).unwrap();
    spool.begin();
    spool
}

fn frame(number: u64, length: usize) -> Frame {
    let text = format!("{{\"event\":\"{number}\",\"x\":\"{}\"}}\n", "x".repeat(length)).into_bytes();
    Frame {
        numbers: Loss { lane: 0, from: number, to: number, count: 1 },
        time: 1_800_000_000_000_000 + number,
        text,
    }
}

/// Everything that it gives, by numbers, and acknowledged.
fn drained(spool: &Spool) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Ok(Next::Frame(_, frame, mark)) = spool.next(Instant::now()) {
        numbers.push(frame.numbers.from);
        spool.acknowledge(&mark);
    }
    numbers
}

fn parts(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut parts: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "spool")).collect();
    parts.sort();
    parts
}

#[test]
fn what_is_not_acknowledged_is_given_again_and_what_is_never() {
    let folder = TempDir::new().unwrap();
    let spool = open(folder.path(), OWN, 1 << 20, false);
    (1..=4).for_each(|number| spool.append(frame(number, 10)).unwrap());
    let mut marks = Vec::new();
    while let Ok(Next::Frame(_, frame, mark)) = spool.next(Instant::now()) {
        marks.push((frame.numbers.from, mark));
    }
    assert_eq!(marks.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    spool.acknowledge(&marks[1].1);
    spool.rewind();
    assert_eq!(drained(&spool), [3, 4]);
    spool.rewind();
    assert!(drained(&spool).is_empty());
    assert_eq!(spool.waiting().bytes, 0);
}

#[test]
fn a_process_takes_over_what_another_one_has_left_and_not_what_it_still_writes() {
    let folder = TempDir::new().unwrap();
    let before = open(folder.path(), OTHER, 1 << 20, false);
    (1..=3).for_each(|number| before.append(frame(number, 10)).unwrap());
    let spool = open(folder.path(), OWN, 1 << 20, false);
    spool.append(frame(7, 10)).unwrap();
    spool.tend().unwrap();
    assert_eq!(drained(&spool), [7], "the other one lives");
    spool.append(frame(8, 10)).unwrap();
    drop(before);
    spool.tend().unwrap();
    assert_eq!(drained(&spool), [1, 2, 3, 8], "what is older comes first");
    assert!(!folder.path().join(OTHER).exists());
}

#[test]
fn how_far_the_far_end_has_come_outlives_the_process() {
    let folder = TempDir::new().unwrap();
    let before = open(folder.path(), OTHER, 1 << 20, false);
    (1..=5).for_each(|number| before.append(frame(number, 10)).unwrap());
    for _ in 0..3 {
        let Next::Frame(_, _, mark) = before.next(Instant::now()).unwrap() else { panic!() };
        before.acknowledge(&mark);
    }
    drop(before);
    let spool = open(folder.path(), OWN, 1 << 20, false);
    spool.tend().unwrap();
    assert_eq!(drained(&spool), [4, 5]);
}

/// Whole files go, the oldest first, and never more than there must.
#[test]
fn invariant_28_a_spool_has_a_bound_and_tells_what_it_drops() {
    let folder = TempDir::new().unwrap();
    let spool = open(folder.path(), OWN, 80_000, false);
    (1..=200).for_each(|number| spool.append(frame(number, 1000)).unwrap());
    let bytes: u64 =
        parts(&folder.path().join(OWN)).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!((60_000..=80_000).contains(&bytes), "{bytes}");
    let lost: u64 = spool
        .take_lost()
        .iter()
        .map(|lost| match lost {
            Lost::Events(None, loss) => loss.count,
            Lost::Events(Some(_), _) | Lost::Bytes(..) => panic!("{lost:?}"),
        })
        .sum();
    let left = drained(&spool);
    assert_eq!(left, (lost + 1..=200).collect::<Vec<_>>());
}

#[test]
fn a_spool_that_keeps_refuses_rather_than_drops() {
    let folder = TempDir::new().unwrap();
    let spool = open(folder.path(), OWN, 80_000, true);
    let taken = (1..=200).take_while(|number| spool.append(frame(*number, 1000)).is_ok()).count() as u64;
    assert!((60..=80).contains(&taken), "{taken}");
    assert_eq!(spool.append(frame(201, 1000)).unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    assert!(spool.take_lost().is_empty());
    assert_eq!(drained(&spool), (1..=taken).collect::<Vec<_>>());
    spool.append(frame(taken + 1, 1000)).unwrap();
    assert_eq!(drained(&spool), [taken + 1]);
}

/// The end of the file is missing: the last frame is, and everything before it is there.
#[test]
fn a_file_that_was_cut_gives_all_but_its_last() {
    let folder = TempDir::new().unwrap();
    let before = open(folder.path(), OTHER, 1 << 20, false);
    (1..=5).for_each(|number| before.append(frame(number, 10)).unwrap());
    drop(before);
    let file = parts(&folder.path().join(OTHER)).remove(0);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let spool = open(folder.path(), OWN, 1 << 20, false);
    spool.tend().unwrap();
    assert_eq!(drained(&spool), [1, 2, 3, 4]);
    assert!(matches!(&spool.take_lost()[..], [Lost::Bytes(path, _)] if *path == file));
    assert!(!folder.path().join(OTHER).exists(), "it is done with");
}

#[test]
fn a_file_of_another_version_is_told_and_left_where_it_is() {
    let folder = TempDir::new().unwrap();
    let before = open(folder.path(), OTHER, 1 << 20, false);
    before.append(frame(1, 10)).unwrap();
    drop(before);
    let file = parts(&folder.path().join(OTHER)).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[15] = 2;
    fs::write(&file, &bytes).unwrap();
    let spool = open(folder.path(), OWN, 1 << 20, false);
    spool.tend().unwrap();
    assert!(drained(&spool).is_empty());
    assert!(matches!(&spool.take_lost()[..], [Lost::Bytes(path, _)] if *path == file));
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A bit is another one, wherever: what is given is what was written, in its order, and all else is told.
    #[test]
    fn a_flipped_bit_costs_what_it_is_in(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let folder = TempDir::new().unwrap();
        let before = open(folder.path(), OTHER, 1 << 20, false);
        (1..=6).for_each(|number| before.append(frame(number, 30)).unwrap());
        drop(before);
        let file = parts(&folder.path().join(OTHER)).remove(0);
        let mut bytes = fs::read(&file).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&file, &bytes).unwrap();
        let spool = open(folder.path(), OWN, 1 << 20, false);
        spool.tend().unwrap();
        let mut given = Vec::new();
        while let Ok(Next::Frame(_, found, mark)) = spool.next(Instant::now()) {
            prop_assert_eq!(&found, &frame(found.numbers.from, 30));
            given.push(found.numbers.from);
            spool.acknowledge(&mark);
        }
        prop_assert!(given.is_sorted() && given.len() < 6);
        let lost = spool.take_lost();
        prop_assert!(!lost.is_empty());
        if let [Lost::Events(Some(process), loss)] = &lost[..] {
            prop_assert_eq!((&**process, loss.count, given.len()), (OTHER, 1, 5));
        }
    }

    /// Against a list in memory, whatever is done, with a restart at any time.
    #[test]
    fn a_spool_is_a_list_that_outlives_its_process(steps in prop::collection::vec(0..5u8, 1..60)) {
        let folder = TempDir::new().unwrap();
        let (mut processes, mut next) = (1u64, 1);
        let mut spool = open(folder.path(), &format!("{processes:012x}"), 1 << 20, false);
        let (mut waiting, mut given): (Vec<u64>, Vec<_>) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                0 | 1 => {
                    spool.append(frame(next, 2000)).unwrap();
                    waiting.push(next);
                    next += 1;
                }
                2 => if let Ok(Next::Frame(_, frame, mark)) = spool.next(Instant::now()) {
                    prop_assert_eq!(Some(&frame.numbers.from), waiting.get(given.len()));
                    given.push(mark);
                },
                3 => if !given.is_empty() {
                    spool.acknowledge(&given.remove(0));
                    waiting.remove(0);
                },
                _ => {
                    drop(spool);
                    processes += 1;
                    spool = open(folder.path(), &format!("{processes:012x}"), 1 << 20, false);
                    given.clear();
                    // What a process has left is one list, and so it stays as long as nobody adds to it. Whoever begins a
                    // program meanwhile, as other tests do, has all locks for a moment.
                    let left = std::mem::take(&mut waiting);
                    until("it is taken over", || {
                        spool.tend().unwrap();
                        spool.rewind();
                        (drained(&spool) == left).then_some(())
                    });
                }
            }
        }
        spool.rewind();
        prop_assert_eq!(drained(&spool), waiting);
    }
}
