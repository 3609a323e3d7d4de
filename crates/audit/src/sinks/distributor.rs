//! The thread that takes events from the lanes and gives them to the queues of the sinks.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portcullis_events::{Block, ClockSetBack, Flags, KindSet, RecordLost, Recorder};

use super::health::{SinkHealth, Status};
use super::queue::{Loss, Queue};
use super::settings::{Selection, SinkKind, SinkSettings};

/// How long an event waits in its lane at most.
const SWEEP: Duration = Duration::from_millis(100);

/// A sink that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) name: Arc<str>,
    /// None: the log.
    pub(super) kind: Option<SinkKind>,
    pub(super) selection: Selection,
    pub(super) queue: Arc<Queue>,
    pub(super) status: Arc<Status>,
}

impl Running {
    /// Whether it is the sink that these settings mean.
    pub(super) fn is(&self, settings: &SinkSettings) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.is_same_place(&settings.kind))
    }

    fn health(&self) -> SinkHealth {
        SinkHealth {
            name: Arc::clone(&self.name),
            written: self.status.written(),
            lost: self.queue.lost(),
            behind: self.queue.oldest().map_or(Duration::ZERO, |since| since.elapsed()),
            trouble: self.status.trouble(),
            last_error: self.status.last_error(),
            file: self.status.file(),
        }
    }
}

/// What the thread and the handle have in common.
#[derive(Debug)]
pub(super) struct Distributor {
    pub(super) recorder: Recorder,
    sinks: Mutex<Sinks>,
    stops: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct Sinks {
    pub(super) running: Vec<Running>,
    /// The time of the last event of each lane.
    last: Vec<u64>,
}

impl Distributor {
    pub(super) fn start(recorder: Recorder) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let shared = Arc::new(Self { recorder, sinks: Mutex::default(), stops: AtomicBool::new(false) });
        let own = Arc::clone(&shared);
        let thread = thread::Builder::new().name("record".to_owned()).spawn(move || own.run())?;
        shared.recorder.swept_by(thread.thread().clone());
        Ok((shared, thread))
    }

    fn run(&self) {
        while !self.stops.load(Relaxed) {
            thread::park_timeout(SWEEP);
            self.sweep();
            self.tell(false);
        }
    }

    pub(super) fn stop(&self) {
        self.stops.store(true, Relaxed);
    }

    pub(super) fn sinks(&self) -> MutexGuard<'_, Sinks> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what has happened to every sink, in its order.
    pub(super) fn sweep(&self) {
        let mut sinks = self.sinks();
        self.recorder.sweep(|block| {
            self.look_at_clock(&mut sinks.last, &block);
            let block = Arc::new(block);
            for sink in &sinks.running {
                sink.queue.push(&block, sink.selection.kinds());
            }
        });
    }

    fn look_at_clock(&self, last: &mut Vec<u64>, block: &Block) {
        let lane = usize::from(block.lane());
        last.resize(last.len().max(lane + 1), 0);
        for head in block.heads() {
            let before = std::mem::replace(&mut last[lane], head.time);
            if head.flags.has(Flags::CLOCK_SET_BACK) {
                self.recorder
                    .emit(&ClockSetBack { by: Duration::from_micros(before.saturating_sub(head.time)) });
            }
        }
    }

    /// Tells what sinks have lost, and what they say of themselves; `at_once`: at the end.
    pub(super) fn tell(&self, at_once: bool) {
        for sink in &self.sinks().running {
            for Loss { lane, from, to, count } in sink.queue.take_losses(at_once) {
                let cause = "queue";
                self.recorder.emit(&RecordLost { sink: Some(&sink.name), lane, from, to, count, cause });
            }
            sink.status.take_notes().iter().for_each(|note| note.tell(&sink.name, &self.recorder));
        }
    }

    /// Says what is wanted, and how much may wait for each sink.
    pub(super) fn share(&self, sinks: &Sinks) {
        let kinds = sinks.running.iter().fold(KindSet::NONE, |all, sink| all.and(sink.selection.kinds()));
        let agent = sinks
            .running
            .iter()
            .filter_map(|sink| sink.kind.as_ref())
            .any(|kind| kind.format().needs_agent());
        let each = self.recorder.memory().for_sinks / sinks.running.len().max(1);
        sinks.running.iter().for_each(|sink| sink.queue.set_bound(each));
        self.recorder.want(kinds, agent);
    }

    pub(super) fn health(&self) -> Vec<SinkHealth> {
        self.sinks().running.iter().map(Running::health).collect()
    }

    /// Waits until every sink has written what it has; whether all have.
    pub(super) fn wait_idle(&self, until: Instant) -> bool {
        let queues: Vec<_> = self.sinks().running.iter().map(|sink| Arc::clone(&sink.queue)).collect();
        queues.iter().all(|queue| queue.wait_idle(until))
    }
}
