mod audit;
mod chained;
mod far_ends;
mod files;
mod formats;
mod log;
mod measured;
mod personal;
mod postgres;
mod postgres_days;
mod queues;
mod recipients;
mod rig;
mod spools;
mod suite;
mod syslogs;
mod tampered;
mod told;
mod webhooks;

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_events::{Access, AccessEvent, Block, KindSet, Recorder, samples};

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::secret::Secret;

/// Seconds in which anything must have come about, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until it is so.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(1_800_000_000))
}

/// A request to this path.
fn asked(path: &str) -> AccessEvent<'_> {
    AccessEvent { path, ..samples::bare_access(Access::Granted) }
}

/// A block of requests to these paths, and how many it holds.
fn block(recorder: &Recorder, paths: &[&str]) -> Block {
    recorder.want(KindSet::ALL, true);
    paths.iter().for_each(|path| assert!(recorder.emit(&asked(path)).is_some()));
    let mut blocks = Vec::new();
    recorder.sweep(|block| blocks.push(block));
    assert_eq!(blocks.len(), 1);
    blocks.remove(0)
}

/// What is written, by whoever writes it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A few bytes at a time, as a pipe may.
        let part = bytes.len().min(100);
        self.0.lock().unwrap().extend_from_slice(&bytes[..part]);
        Ok(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn file_settings(path: &Path) -> FileSettings {
    FileSettings {
        path: path.to_owned(),
        mode: 0o600,
        rotation: Rotation::default(),
        format: LineFormat::Json,
        chain: false,
    }
}

fn file_sink(path: &Path) -> SinkSettings {
    SinkSettings {
        name: "file".into(),
        kind: SinkKind::File(file_settings(path)),
        selection: Selection::ALL,
        required: false,
        personal: Personal::Clear,
    }
}
