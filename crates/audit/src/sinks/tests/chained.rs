//! The chain of what a sink writes, through everything that can happen to its file.

use std::fs;

use proptest::prelude::*;

use super::rig::{Rig, eventful, has, is_own, joined, lines};
use super::*;
use crate::chain::What;
use crate::sinks::sink::Sink as _;

const SMALL: Rotation = Rotation { size: Some(2000), every: None, keep: None, total: None };

fn assert_whole(rig: &Rig) {
    let report = rig.record().verify();
    assert_eq!(report.findings, [], "{report:#?}");
}

#[test]
fn a_block_ends_when_it_is_full_and_its_footer_is_a_line_like_others() {
    let mut rig = Rig::new();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation::default());
    (0..11).for_each(|_| rig.write(&mut sink, 150));
    sink.beat().unwrap();
    let report = rig.record().verify();
    assert_eq!(report.findings, []);
    assert_eq!((report.chains[0].blocks, report.chains[0].lines), (4, 1651));
    let text = fs::read_to_string(rig.path()).unwrap();
    assert!(text.lines().all(|line| line.len() < portcullis_events::LONGEST_LINE));
    assert_eq!((report.chains[0].unproved, &report.chains[0].proved), (1651, &None), "nothing is signed");
}

#[test]
fn what_a_killed_process_left_is_taken_in_and_said_to_be() {
    let mut rig = Rig::new();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation::default());
    rig.write(&mut sink, 2);
    sink.beat().unwrap();
    rig.write(&mut sink, 3);
    drop(sink);
    // It was in the midst of a line.
    let whole = fs::read(rig.path()).unwrap();
    fs::write(rig.path(), [&whole[..], b"{\"v\":1,\"ti"].concat()).unwrap();
    assert_eq!(rig.record().verify().chains[0].tail, 3);
    let mut sink = rig.sink("bbbbbbbbbbbb", Rotation::default());
    rig.write(&mut sink, 1);
    sink.beat().unwrap();
    let report = rig.record().verify();
    assert_eq!(report.findings, []);
    assert_eq!((report.chains.len(), report.chains[0].adopted, report.chains[0].tail), (1, 4, 0));
}

#[test]
fn a_process_that_is_killed_while_it_writes_a_footer_is_no_alarm() {
    let mut rig = Rig::new();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation::default());
    rig.write(&mut sink, 2);
    let lines = fs::read(rig.path()).unwrap().len();
    sink.beat().unwrap();
    drop(sink);
    let whole = fs::read(rig.path()).unwrap();
    for cut in lines..=whole.len() {
        fs::write(rig.path(), &whole[..cut]).unwrap();
        let mut sink = rig.sink("bbbbbbbbbbbb", Rotation::default());
        rig.write(&mut sink, 1);
        sink.beat().unwrap();
        assert_whole(&rig);
    }
}

#[test]
fn lines_of_before_the_chain_are_taken_in() {
    let mut rig = Rig::new();
    let old: String = (0..700).map(|n| format!("{{\"v\":1,\"n\":{n}}}\n")).collect();
    fs::write(rig.path(), &old).unwrap();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation::default());
    rig.write(&mut sink, 1);
    sink.beat().unwrap();
    let report = rig.record().verify();
    assert_eq!(report.findings, []);
    assert_eq!((report.chains[0].adopted, report.chains[0].lines), (700, 702));
    let mut record = rig.record();
    record.files.get_mut("events.jsonl").unwrap()[20] ^= 1;
    assert!(has(&record.findings(), What::Changed), "from then on they are in the chain");
}

#[test]
fn old_files_that_the_sink_removes_itself_are_not_missed_and_others_are() {
    let mut rig = Rig::new();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation { keep: Some(2), ..SMALL });
    for _ in 0..30 {
        rig.write(&mut sink, 1);
        sink.beat().unwrap();
    }
    rig.sign(Some(&mut sink));
    sink.close(Instant::now()).unwrap();
    assert_whole(&rig);
    let mut record = rig.record();
    let (oldest, _) = record.files.pop_first().unwrap();
    let found = record.findings();
    assert!(
        found.iter().any(|finding| finding.place == oldest && finding.what == What::Missing),
        "{found:?}"
    );
}

#[test]
fn a_chain_that_is_turned_off_and_on_goes_on() {
    let mut rig = Rig::new();
    let mut sink = rig.sink("aaaaaaaaaaaa", Rotation::default());
    rig.write(&mut sink, 2);
    let settings = |chain| SinkKind::File(FileSettings { chain, ..file_settings(&rig.path()) });
    let (off, on) = (settings(false), settings(true));
    sink.beat().unwrap();
    sink.change(&off);
    rig.write(&mut sink, 2);
    sink.change(&on);
    rig.write(&mut sink, 2);
    sink.beat().unwrap();
    assert_whole(&rig);
    assert_eq!(rig.record().verify().chains[0].adopted, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens to the file that leaves its bytes alone, nothing is found, and every chain goes to its end.
    #[test]
    fn invariant_28_what_is_only_written_is_never_found_fault_with(steps in prop::collection::vec(0..9u8, 1..40)) {
        let mut rig = Rig::new();
        let rotation = Rotation { every: Some(Duration::from_secs(600)), ..SMALL };
        let mut sink = rig.sink("000000000000", rotation);
        let mut beside = None;
        for (at, step) in steps.into_iter().enumerate() {
            let process = format!("{:012x}", at + 1);
            match step {
                0 => drop(sink.beat()),
                1 => {
                    drop(sink);
                    sink = rig.sink(&process, rotation);
                }
                2 => {
                    sink.close(Instant::now()).unwrap();
                    sink = rig.sink(&process, rotation);
                }
                3 => rig.clock.advance(Duration::from_secs(400)),
                4 => {
                    // Another one goes on, first beside and then in its place.
                    let old = std::mem::replace(&mut sink, rig.sink(&process, rotation));
                    beside = Some(old);
                }
                5 => drop(beside.take()),
                6 => rig.sign(Some(&mut sink)),
                _ => {
                    rig.write(&mut sink, at % 3 + 1);
                    if let Some(old) = &mut beside {
                        rig.write(old, 1);
                    }
                }
            }
        }
        assert_whole(&rig);
        sink.close(Instant::now()).unwrap();
        if let Some(old) = beside {
            old.close(Instant::now()).unwrap();
        }
        rig.sign(None);
        assert_whole(&rig);
    }
}

/// Whoever takes out one line is told of one, also where a killed process left it without a footer.
#[test]
fn a_line_that_is_taken_out_is_one_finding() {
    let rig = eventful();
    let whole = rig.record();
    for (name, bytes) in &whole.files {
        let all = lines(bytes);
        for index in (0..all.len()).filter(|index| !is_own(&all[*index].1)) {
            let mut record = whole.clone();
            let without: Vec<_> =
                all.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, line)| line.clone()).collect();
            record.files.insert(name.clone(), joined(&without));
            let found = record.findings();
            let [only] = &found[..] else { panic!("{name}, line {index}: {found:#?}") };
            assert_eq!((only.what, only.line), (What::Dropped, Some(index as u64 + 1)), "{name}");
        }
    }
}
