//! All kinds, held against the tables, another reader of JSON, and their own schema; lanes under load.

mod kinds;
mod lanes;
mod schema;

use portcullis_rules::clock::{Clock, Timestamp};

use super::{Event, Kind, KindSet, Recorder};

/// A recorder that takes everything, with a clock that stands still.
fn recorder(workers: usize) -> Recorder {
    let recorder = Recorder::new(workers, Clock::manual(Timestamp::from_seconds(1_800_000_000)), 0);
    recorder.want(KindSet::ALL, true);
    recorder
}

/// The lines that wait.
fn lines(recorder: &Recorder) -> Vec<String> {
    let mut lines = Vec::new();
    recorder.sweep(|block| {
        let all = block.heads().iter().map(|head| String::from_utf8(block.line(head).to_vec()).unwrap());
        lines.extend(all);
        let whole: String = lines[lines.len() - block.heads().len()..].concat();
        assert_eq!(whole.as_bytes(), block.text());
    });
    lines
}

/// The line of each event that `tell` gives.
fn each(tell: impl FnOnce(&mut dyn FnMut(&dyn Event))) -> Vec<(Kind, String)> {
    let (recorder, mut all) = (recorder(0), Vec::new());
    tell(&mut |event| {
        assert!(recorder.emit(event).is_some());
        all.push((event.kind(), lines(&recorder).concat()));
    });
    all
}
