use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use portcullis_rules::clock::{Clock, Timestamp};

use super::{lines, recorder};
use crate::{Access, Block, Field, Flags, Kind, KindSet, Recorder, Seen, enter_worker, samples};

/// The numbers of a block's lines; of those that tell of a loss, the numbers that are lost as well.
fn numbers(block: &Block) -> Vec<u64> {
    let number = |head: &crate::EventHead| {
        let line = Seen::read(block.line(head)).unwrap();
        assert!(line.number(Field::Lane).is_none_or(|lane| lane == u64::from(block.lane())));
        let lost = (head.kind == Kind::RecordLost).then(|| {
            let range = line.number(Field::From).unwrap()..=line.number(Field::To).unwrap();
            assert_eq!(range.clone().count() as u64, line.number(Field::Count).unwrap());
            range
        });
        lost.into_iter().flatten().chain([head.seq]).collect::<Vec<_>>()
    };
    block.heads().iter().flat_map(number).collect()
}

#[test]
fn what_nobody_wants_is_not_taken() {
    let recorder = recorder(0);
    recorder.want(KindSet::of([Kind::ClockSetBack]), false);
    assert!(!recorder.wants(Kind::AccessGranted) && recorder.wants(Kind::ClockSetBack));
    assert_eq!(recorder.emit(&samples::bare_access(Access::Granted)), None);
    assert!(Recorder::nowhere().emit(&samples::bare_access(Access::Granted)).is_none());
    assert!(lines(&recorder).is_empty());
    for row in &Kind::TABLE {
        recorder.want(KindSet::of([row.kind]), true);
        assert!(Kind::TABLE.iter().all(|other| recorder.wants(other.kind) == (other.kind == row.kind)));
    }
}

#[test]
fn invariant_28_what_finds_no_room_is_counted_and_told() {
    let recorder = recorder(0);
    let event = samples::bare_access(Access::Granted);
    let mut kept = Vec::new();
    // Somebody keeps all blocks.
    let mut taken = 0;
    while recorder.emit(&event).is_some() {
        taken += 1;
    }
    for _ in 0..9 {
        assert_eq!(recorder.emit(&event), None);
    }
    assert_eq!(recorder.lost(), 10);
    recorder.sweep(|block| kept.push(block));
    assert_eq!(kept.iter().map(|block| block.heads().len()).sum::<usize>(), taken);
    drop(kept);
    assert_eq!(recorder.emit(&event).map(|seq| seq.seq), Some(taken as u64 + 12));
    let after = lines(&recorder);
    assert_eq!(after.len(), 2);
    let lost = Seen::read(after[0].as_bytes()).unwrap();
    let told = [Field::Lane, Field::From, Field::To, Field::Count].map(|field| lost.number(field).unwrap());
    assert_eq!((lost.kind(), told), (Some(Kind::RecordLost), [0, taken as u64 + 1, taken as u64 + 10, 10]));
}

#[test]
fn a_loss_is_told_though_nothing_happens_after_it() {
    let recorder = recorder(0);
    let event = samples::bare_access(Access::Granted);
    while recorder.emit(&event).is_some() {}
    lines(&recorder);
    let told = lines(&recorder).concat();
    assert!(told.contains("\"type\":\"record.lost\"") && told.contains("\"count\":1,"), "{told}");
    assert!(lines(&recorder).is_empty());
}

#[test]
fn each_worker_has_a_lane_and_all_others_share_one() {
    let recorder = recorder(2);
    let emit = |worker: Option<usize>| {
        thread::scope(|scope| {
            let told = scope.spawn(|| {
                worker.into_iter().for_each(enter_worker);
                recorder.emit(&samples::bare_access(Access::Granted)).unwrap()
            });
            let seq = told.join().unwrap();
            (seq.lane, seq.seq)
        })
    };
    let told = [None, Some(0), Some(1), Some(1), None, Some(9)].map(emit);
    assert_eq!(told, [(0, 1), (1, 1), (2, 1), (2, 2), (0, 2), (0, 3)]);
}

#[test]
fn a_clock_that_goes_back_is_flagged() {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let recorder = Recorder::new(0, clock.clone(), 0);
    recorder.want(KindSet::ALL, false);
    let flagged = || {
        recorder.emit(&samples::bare_access(Access::Granted));
        let mut flagged = false;
        recorder.sweep(|block| flagged = block.heads()[0].flags.has(Flags::CLOCK_SET_BACK));
        flagged
    };
    assert!(!flagged());
    clock.set(Timestamp::from_seconds(1_799_999_999));
    assert!(!flagged(), "a second is nothing");
    clock.set(Timestamp::from_seconds(1_799_999_990));
    assert!(flagged());
    clock.advance(Duration::from_secs(1));
    assert!(!flagged());
}

#[test]
fn blocks_are_filled_again_rather_than_made() {
    let recorder = recorder(0);
    let event = samples::bare_access(Access::Granted);
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        assert!(recorder.emit(&event).is_some());
        if recorder.memory().taken > 2 * recorder.memory().bound / 4 {
            recorder.sweep(|block| places.extend([block.text().as_ptr()]));
        }
    }
    assert!(places.len() <= 8, "{} buffers", places.len());
    assert_eq!(recorder.lost(), 0);
}

/// What any stranger can bring about is bounded by the second and lane; what signed-in people do never is.
#[test]
fn invariant_28_strangers_fill_a_lane_only_so_far() {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let recorder = Recorder::new(0, clock.clone(), 0);
    recorder.want(KindSet::ALL, false);
    let (stranger, somebody) = (samples::bare_access(Access::Refused), samples::bare_access(Access::Granted));
    let taken = |event| (0..500).filter(|_| recorder.emit(event).is_some()).count();
    assert_eq!((taken(&stranger), taken(&somebody), taken(&stranger)), (250, 500, 0));
    clock.advance(Duration::from_secs(1));
    assert_eq!(taken(&stranger), 250);
    assert_eq!((recorder.left_out(), recorder.lost()), (1000, 0));
    let left_out = |recorder: &Recorder| -> Vec<u64> {
        let told = lines(recorder).into_iter().filter(|line| line.contains("record.left-out"));
        told.map(|line| Seen::read(line.as_bytes()).unwrap().number(Field::Count).unwrap()).collect()
    };
    assert!(left_out(&recorder).is_empty(), "once a minute");
    clock.advance(Duration::from_secs(59));
    assert_eq!(left_out(&recorder), [1000]);
    assert_eq!((taken(&stranger), left_out(&recorder)), (250, vec![]));
    recorder.tell_left_out();
    assert_eq!(left_out(&recorder), [250], "at the end");
}

/// Everybody emits without a pause while somebody sweeps and is slow to give blocks back.
#[test]
fn invariant_28_threads_at_full_speed_lose_nothing_untold() {
    const THREADS: usize = 8;
    const EACH: usize = 20_000;
    let (recorder, seen) = (recorder(THREADS / 2), Mutex::new(BTreeMap::<u16, Vec<u64>>::new()));
    let busy = AtomicUsize::new(THREADS);
    let sweep = |keep: &mut Vec<Block>| {
        recorder.sweep(|block| {
            seen.lock().unwrap().entry(block.lane()).or_default().extend(numbers(&block));
            keep.push(block);
        });
    };
    thread::scope(|scope| {
        for index in 0..THREADS {
            let (recorder, busy) = (&recorder, &busy);
            scope.spawn(move || {
                enter_worker(index);
                for _ in 0..EACH {
                    recorder.emit(&samples::bare_access(Access::Granted));
                }
                busy.fetch_sub(1, Relaxed);
            });
        }
        let mut kept = Vec::new();
        while busy.load(Relaxed) > 0 {
            if kept.len() > 6 {
                kept.clear();
            }
            sweep(&mut kept);
        }
    });
    (0..2).for_each(|_| sweep(&mut Vec::new()));
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 1 + THREADS / 2);
    for (lane, numbers) in &seen {
        assert_eq!(*numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "lane {lane}");
    }
    let all: usize = seen.values().map(Vec::len).sum();
    assert!(all >= THREADS * EACH, "{all} numbers");
}
