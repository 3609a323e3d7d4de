//! The handle of all sinks.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis_events::Recorder;

use super::distributor::{Distributor, Running};
use super::far::FarContext;
use super::file::FileSink;
use super::health::{SinkHealth, Status};
use super::log::LogSink;
use super::output::Output;
use super::personal::{Disguise, Disguised, Personal, PseudonymKey};
use super::queue::Queue;
use super::settings::{Selection, Settings, SinkKind, SinkSettings};
use super::sink::{Sink, SinkError};
use super::spooled::SpooledSink;
use super::store::StoreSink;
use super::tail::Tail;
use super::worker::{Ready, Worker};
use crate::chain::{self, Ties};
use crate::segments::{Reader, StoreError};

/// How long a sink that is not asked for any more may take for what it has.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the tail is called among the sinks.
const TAIL: &str = "tail";

/// All sinks, and the thread that feeds them.
#[derive(Debug)]
pub struct Audit {
    distributor: Arc<Distributor>,
    thread: Mutex<Option<JoinHandle<()>>>,
    log: Arc<Queue>,
    tail: Tail,
    process: Arc<str>,
    /// Whoever asks the store: all of them share its turns.
    reader: Mutex<Option<Reader>>,
    ties: Ties,
    pseudonyms: PseudonymKey,
}

/// A sink that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("sink {name:?}: {error}")]
pub struct ApplyError {
    /// Its name.
    pub name: Arc<str>,
    /// Why.
    #[source]
    pub error: SinkError,
}

/// What a sink had no time to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// The sink.
    pub name: Arc<str>,
    /// How many events.
    pub events: u64,
}

/// A sink that is open, with a thread that waits for its first word.
#[derive(Debug)]
struct Opened {
    running: Running,
    ready: Ready,
}

/// The next sinks, opened and not yet in force. Dropped, they leave nothing behind.
#[derive(Debug)]
pub struct Prepared<'a> {
    audit: &'a Audit,
    settings: Settings,
    /// For each of the settings what is new.
    opened: Vec<Option<Opened>>,
}

impl Prepared<'_> {
    /// Goes on with these sinks: begins with what is new, keeps what stays, closes what is gone.
    pub fn put_in_place(self) {
        let Self { audit, settings, opened } = self;
        let distributor = &audit.distributor;
        distributor.sweep();
        let mut sinks = distributor.sinks();
        let mut before = std::mem::take(&mut sinks.running);
        for mut own in before.extract_if(.., |running| running.kind.is_none()) {
            if !audit.is_tail(&own) {
                own.selection = settings.log;
            }
            sinks.running.push(own);
        }
        for (settings, opened) in settings.sinks.iter().zip(opened) {
            let known = before.iter().position(|running| running.is(settings)).map(|at| before.remove(at));
            sinks.running.extend(known.map(|known| kept(known, settings)).or_else(|| Some(opened?.begun())));
        }
        let until = Instant::now() + PATIENCE;
        before.iter().for_each(|gone| gone.queue.close(until));
        sinks.leaving.extend(before.into_iter().map(|gone| (gone, until)));
        distributor.share(&sinks);
    }
}

impl Opened {
    fn begun(self) -> Running {
        self.ready.begin();
        self.running
    }
}

impl Audit {
    /// Begins to take what the recorder has; nothing is wanted of it before [`Audit::apply`]. The log is to outlive it.
    ///
    /// # Errors
    /// Where there is no thread.
    pub fn start(recorder: Recorder, log: &LogSink) -> std::io::Result<Self> {
        let (process, tail) = (Arc::from(recorder.process()), Tail::new(recorder.process()));
        let (distributor, thread) = Distributor::start(recorder)?;
        let (name, queue, status) = ("log".into(), Arc::clone(&log.queue), Arc::clone(&log.status));
        let pseudonyms = PseudonymKey::random();
        let disguise = Disguise::new(pseudonyms.clone(), Personal::Clear);
        let selection = Selection::NONE;
        let log = Running { name, kind: None, selection, required: false, queue, status, disguise };
        let queue = Arc::clone(&log.queue);
        distributor.sinks().running.push(log);
        let (thread, reader, ties) = (Mutex::new(Some(thread)), Mutex::default(), Ties::default());
        Ok(Self { distributor, thread, log: queue, tail, process, reader, ties, pseudonyms })
    }

    /// The same, with pseudonyms that follow from this key; to be called before any sink is opened.
    #[must_use]
    pub fn with_pseudonyms(mut self, key: PseudonymKey) -> Self {
        self.pseudonyms = key;
        self
    }

    /// Opens what is new of these sinks, to be put in place once everything else has agreed as well.
    ///
    /// # Errors
    /// Where a new one cannot be opened, or has no thread; then all are as they were.
    pub fn prepare(&self, settings: &Settings) -> Result<Prepared<'_>, ApplyError> {
        let opened = settings.sinks.iter().map(|settings| self.open(settings));
        let opened = opened.collect::<Result<_, _>>()?;
        Ok(Prepared { audit: self, settings: settings.clone(), opened })
    }

    /// Goes on with these sinks at once.
    ///
    /// # Errors
    /// As [`Audit::prepare`].
    pub fn apply(&self, settings: &Settings) -> Result<(), ApplyError> {
        self.prepare(settings).map(Prepared::put_in_place)
    }

    /// Opens a sink that does not run yet.
    fn open(&self, settings: &SinkSettings) -> Result<Option<Opened>, ApplyError> {
        if self.distributor.sinks().running.iter().any(|running| running.is(settings)) {
            return Ok(None);
        }
        let status = Arc::<Status>::default();
        let failed = |error| ApplyError { name: Arc::clone(&settings.name), error };
        let disguise = Disguise::new(self.pseudonyms.clone(), settings.personal);
        let sink = self.sink(settings, &status).map_err(failed)?;
        let sink = Box::new(Disguised { sink, disguise: Arc::clone(&disguise) });
        let (queue, clock) = (Queue::new(0), self.distributor.recorder.clock().clone());
        let worker = Worker { sink, queue: Arc::clone(&queue), status: Arc::clone(&status), clock };
        let ready = worker.ready(&settings.name).map_err(|error| failed(SinkError::Unusable(error)))?;
        let (name, kind) = (Arc::clone(&settings.name), Some(settings.kind.clone()));
        let (selection, required) = (settings.selection, settings.required);
        let running = Running { name, kind, selection, required, queue, status, disguise };
        Ok(Some(Opened { running, ready }))
    }

    fn sink(&self, settings: &SinkSettings, status: &Arc<Status>) -> Result<Box<dyn Sink>, SinkError> {
        let clock = self.distributor.recorder.clock();
        Ok(match &settings.kind {
            SinkKind::File(file) => {
                let chain = chain::Writer::new(&settings.name, &self.process, &self.ties);
                Box::new(FileSink::open(file, chain, &self.process, clock, status)?)
            }
            SinkKind::Output(output) => Box::new(Output::open(output.stream, output.format)?),
            SinkKind::Store(store) => {
                Box::new(StoreSink::open(&settings.name, store, &self.process, clock, status, &self.ties)?)
            }
            SinkKind::Spooled(spooled) => {
                let (sink, process) = (Arc::clone(&settings.name), Arc::clone(&self.process));
                let (ties, status, clock) = (self.ties.clone(), Arc::clone(status), clock.clone());
                let context = FarContext { sink, process, ties, status, clock };
                Box::new(SpooledSink::open(spooled, context)?)
            }
        })
    }

    /// The last events, as long as they are asked for by [`Audit::keep_tail`].
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// Says whether the last events are kept in memory, for people who watch. Nobody pays for what nobody can look at.
    pub fn keep_tail(&self, wanted: bool) {
        let mut sinks = self.distributor.sinks();
        let runs = sinks.running.iter().position(|sink| self.is_tail(sink));
        match (runs, wanted) {
            (None, true) => sinks.running.extend(self.tail_sink()),
            (Some(at), false) => sinks.running.remove(at).queue.close(Instant::now() + PATIENCE),
            (None, false) | (Some(_), true) => {}
        }
        self.distributor.share(&sinks);
    }

    /// The sink that fills the tail, with its thread. Without one it is not there, and everybody else goes on.
    fn tail_sink(&self) -> Option<Running> {
        let (queue, status, sink) = (Queue::new(0), Arc::<Status>::default(), Box::new(self.tail.sink()));
        let clock = self.distributor.recorder.clock().clone();
        let worker = Worker { sink, queue: Arc::clone(&queue), status: Arc::clone(&status), clock };
        worker.ready(TAIL).ok()?.begin();
        let (name, selection) = (TAIL.into(), Selection::ALL);
        let disguise = Disguise::new(self.pseudonyms.clone(), Personal::Clear);
        Some(Running { name, kind: None, selection, required: false, queue, status, disguise })
    }

    /// What pseudonyms follow from.
    #[must_use]
    pub const fn pseudonyms(&self) -> &PseudonymKey {
        &self.pseudonyms
    }

    /// The heads of the chains of all sinks.
    #[must_use]
    pub fn ties(&self) -> Ties {
        self.ties.clone()
    }

    /// What stands beside the log and is no sink of the operator's.
    fn is_tail(&self, sink: &Running) -> bool {
        sink.kind.is_none() && !Arc::ptr_eq(&sink.queue, &self.log)
    }

    /// How each sink is doing, the log first. The tail keeps nothing for anybody, and is none of them.
    #[must_use]
    pub fn health(&self) -> Vec<SinkHealth> {
        self.distributor.health().into_iter().filter(|sink| *sink.name != *TAIL).collect()
    }

    /// The store among the sinks, for reading; none where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn store(&self) -> Result<Option<Reader>, StoreError> {
        let folder = self.distributor.sinks().running.iter().find_map(|sink| match &sink.kind {
            Some(SinkKind::Store(store)) => Some(store.path.clone()),
            Some(SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Spooled(_)) | None => None,
        });
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = folder else {
            *reader = None;
            return Ok(None);
        };
        if reader.as_ref().is_none_or(|reader| reader.folder() != folder) {
            *reader = Some(Reader::open(&folder)?);
        }
        Ok(reader.clone())
    }

    /// Waits until what has happened up to now is written, for so long; whether it is.
    pub fn flush(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        self.distributor.sweep();
        self.distributor.wait_idle(until)
    }

    /// Ends it: everybody gets what has happened, and so long for writing it. Gives who could not; the log goes on.
    pub fn stop(&self, patience: Duration) -> Vec<Unwritten> {
        let until = Instant::now() + patience;
        self.end_thread();
        self.distributor.sweep();
        self.distributor.tell(true);
        self.distributor.sweep();
        let running = std::mem::take(&mut self.distributor.sinks().running);
        running.iter().filter(|sink| self.is_tail(sink)).for_each(|tail| tail.queue.close(until));
        let others = || running.iter().filter(|sink| sink.kind.is_some());
        others().for_each(|sink| sink.queue.close(until));
        let left: Vec<_> = others()
            .map(|sink| Unwritten { name: Arc::clone(&sink.name), events: sink.queue.wait_end(until) })
            .filter(|left| left.events > 0)
            .collect();
        self.log.wait_idle(until);
        left
    }

    fn end_thread(&self) {
        self.distributor.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.stop(PATIENCE);
    }
}

/// The same sink by other settings.
fn kept(mut known: Running, settings: &SinkSettings) -> Running {
    if known.kind.as_ref() != Some(&settings.kind) {
        known.queue.change(settings.kind.clone());
    }
    known.name = Arc::clone(&settings.name);
    known.kind = Some(settings.kind.clone());
    known.disguise.change(settings.personal);
    (known.selection, known.required) = (settings.selection, settings.required);
    known
}
