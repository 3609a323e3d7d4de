//! The thread that takes events from the lanes and gives them to the queues of the sinks.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portcullis_events::{Block, ClockSetBack, Field, Flags, Kind, KindSet, Recorder, Seen};

use super::health::{Note, SinkHealth, Status};
use super::personal::Disguise;
use super::queue::Queue;
use super::settings::{Selection, SinkKind, SinkSettings};
use crate::clock::{Clock, Timestamp};

/// How long an event waits in its lane at most.
const SWEEP: Duration = Duration::from_millis(100);

/// A sink that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) name: Arc<str>,
    /// None: the log.
    pub(super) kind: Option<SinkKind>,
    pub(super) selection: Selection,
    /// Whether requests are refused rather than let go without it.
    pub(super) required: bool,
    pub(super) queue: Arc<Queue>,
    pub(super) status: Arc<Status>,
    /// What it does with what is personal.
    pub(super) disguise: Arc<Disguise>,
}

impl Running {
    /// Whether it is the sink that these settings mean.
    pub(super) fn is(&self, settings: &SinkSettings) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.is_same_place(&settings.kind))
    }

    /// What it is given: what it takes, and whatever tells of itself, which it cannot do without.
    fn chosen(&self, told: &[(Kind, Option<Box<str>>)]) -> KindSet {
        let kinds = self.selection.kinds();
        let of_itself = |(kind, sink): &(Kind, Option<Box<str>>)| {
            sink.as_deref().is_none_or(|sink| sink == &*self.name).then_some(*kind)
        };
        if kinds == KindSet::NONE {
            return kinds;
        }
        mutant!(kinds.and(KindSet::of(told.iter().filter_map(of_itself))), "sink-not-told-of-itself" => kinds)
    }

    /// Tells what it has lost and why, and what it says of itself; whether that is all. What there is no room for is told
    /// the next time.
    pub(super) fn tell(&self, recorder: &Recorder, at_once: bool, cause: &'static str) -> bool {
        let lost = |loss| Note::Lost { process: None, loss, cause };
        let mut losses = self.queue.take_losses(at_once).into_iter();
        let untold = losses.by_ref().find(|loss| !lost(*loss).tell(&self.name, recorder));
        let mut notes = self.status.take_notes().into_iter();
        let unsaid = notes.by_ref().find(|note| untold.is_some() || !note.tell(&self.name, recorder));
        let all = untold.is_none() && unsaid.is_none();
        if mutant!(recorder.wants(Kind::RecordLost), "sink-told-at-once-or-never" => false) {
            self.queue.untold(untold.into_iter().chain(losses));
            self.status.untold(unsaid.into_iter().chain(notes));
            return all;
        }
        true
    }

    /// Tells what it could not write in the time that it had; whether that is told.
    fn is_left(&self, recorder: &Recorder) -> bool {
        mutant!(self.queue.abandon(), "sink-leaves-untold" => ());
        self.tell(recorder, true, "stop")
    }

    /// Says in the log that it is in trouble. The log has no other place for its own.
    fn say_trouble(&self, clock: &Clock) {
        if self.kind.is_some() && self.status.is_to_be_said() {
            let health = self.health(clock);
            let (since, behind) = (health.since.map(text_of), health.behind.as_secs());
            tracing::error!(
                sink = %self.name, error = health.told(), since, behind,
                "a sink does not get what happens"
            );
        }
    }

    fn health(&self, clock: &Clock) -> SinkHealth {
        let (trouble, since) = self.status.trouble().unzip();
        let waiting = self.status.waiting();
        let age = |since| Duration::from_micros(clock.moment().micros().saturating_sub(since));
        let on_disk = waiting.as_ref().and_then(|waiting| waiting.oldest).map_or(Duration::ZERO, age);
        SinkHealth {
            name: Arc::clone(&self.name),
            written: self.status.written(),
            lost: self.queue.lost() + self.status.lost_ever(),
            behind: self.queue.oldest().map_or(Duration::ZERO, |since| since.elapsed()).max(on_disk),
            trouble,
            since,
            waiting,
            last_error: self.status.last_error(),
            file: self.status.file(),
        }
    }
}

/// A moment, in microseconds since 1970.
fn text_of(micros: u64) -> String {
    Timestamp::from_seconds(micros / 1_000_000).rfc3339()
}

/// Which events of a block tell of sinks, and of which. There are hardly ever any.
fn told_of_sinks(block: &Block) -> Vec<(Kind, Option<Box<str>>)> {
    let kinds = Note::kinds();
    let heads = block.heads().iter().filter(|head| kinds.has(head.kind));
    let sink = |line| Some(Seen::read(line).ok()?.text(Field::Sink)?.into());
    heads.map(|head| (head.kind, sink(block.line(head)))).collect()
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
    /// Those that are not asked for any more and still write, each until when.
    pub(super) leaving: Vec<(Running, Instant)>,
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
            let told = told_of_sinks(&block);
            for sink in &sinks.running {
                sink.queue.push(&block, sink.chosen(&told));
            }
        });
        let short = |sink: &Running| mutant!(sink.queue.is_short_of_room(), "required-asks-the-far-end" => sink.status.trouble().is_some());
        let short = sinks.running.iter().any(|sink| sink.required && short(sink));
        self.recorder.set_accepting(!short);
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
        let mut sinks = self.sinks();
        for sink in &sinks.running {
            sink.tell(&self.recorder, at_once, "queue");
            sink.say_trouble(self.recorder.clock());
        }
        sinks.leaving.retain(|(sink, until)| {
            let over = at_once || sink.queue.has_ended() || *until <= Instant::now();
            let all =
                if over { sink.is_left(&self.recorder) } else { sink.tell(&self.recorder, false, "queue") };
            !(over && all)
        });
    }

    /// Says what is wanted, and how much may wait for each sink.
    pub(super) fn share(&self, sinks: &Sinks) {
        let kinds = sinks.running.iter().fold(KindSet::NONE, |all, sink| all.and(sink.selection.kinds()));
        let kinds = if kinds == KindSet::NONE { kinds } else { kinds.and(Note::kinds()) };
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
        let clock = self.recorder.clock();
        self.sinks().running.iter().map(|sink| sink.health(clock)).collect()
    }

    /// Waits until every sink has written what it has; whether all have.
    pub(super) fn wait_idle(&self, until: Instant) -> bool {
        let queues: Vec<_> = self.sinks().running.iter().map(|sink| Arc::clone(&sink.queue)).collect();
        queues.iter().all(|queue| queue.wait_idle(until))
    }
}
