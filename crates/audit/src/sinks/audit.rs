//! The handle of all sinks.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis_events::Recorder;

use super::distributor::{Distributor, Running};
use super::file::FileSink;
use super::health::{SinkHealth, Status};
use super::log::LogSink;
use super::output::Output;
use super::queue::Queue;
use super::settings::{Selection, Settings, SinkKind, SinkSettings};
use super::sink::{Sink, SinkError};
use super::store::StoreSink;
use super::worker::Worker;
use crate::segments::{Reader, StoreError};

/// How long a sink that is not asked for any more may take for what it has.
const PATIENCE: Duration = Duration::from_secs(5);

/// All sinks, and the thread that feeds them.
#[derive(Debug)]
pub struct Audit {
    distributor: Arc<Distributor>,
    thread: Mutex<Option<JoinHandle<()>>>,
    log: Arc<Queue>,
    process: Arc<str>,
    /// Whoever asks the store: all of them share its turns.
    reader: Mutex<Option<Reader>>,
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

/// A sink that is open, and has no thread yet.
struct Opened {
    sink: Box<dyn Sink>,
    status: Arc<Status>,
}

impl Audit {
    /// Begins to take what the recorder has; nothing is wanted of it before [`Audit::apply`]. The log is to outlive it.
    ///
    /// # Errors
    /// Where there is no thread.
    pub fn start(recorder: Recorder, log: &LogSink) -> std::io::Result<Self> {
        let process = Arc::from(recorder.process());
        let (distributor, thread) = Distributor::start(recorder)?;
        let (name, queue, status) = ("log".into(), Arc::clone(&log.queue), Arc::clone(&log.status));
        let log = Running { name, kind: None, selection: Selection::NONE, queue, status };
        let queue = Arc::clone(&log.queue);
        distributor.sinks().running.push(log);
        Ok(Self {
            distributor,
            thread: Mutex::new(Some(thread)),
            log: queue,
            process,
            reader: Mutex::default(),
        })
    }

    /// Goes on with these sinks: opens what is new, keeps what stays, closes what is gone.
    ///
    /// # Errors
    /// Where a new one cannot be opened; then all stay as they were.
    pub fn apply(&self, settings: &Settings) -> Result<(), ApplyError> {
        let opened =
            settings.sinks.iter().map(|settings| self.open(settings)).collect::<Result<Vec<_>, _>>()?;
        self.distributor.sweep();
        let mut sinks = self.distributor.sinks();
        let mut before = std::mem::take(&mut sinks.running);
        for mut log in before.extract_if(.., |running| running.kind.is_none()) {
            log.selection = settings.log;
            sinks.running.push(log);
        }
        for (settings, opened) in settings.sinks.iter().zip(opened) {
            let known = before.iter().position(|running| running.is(settings)).map(|at| before.remove(at));
            sinks
                .running
                .extend(known.map(|known| kept(known, settings)).or_else(|| self.started(settings, opened?)));
        }
        before.iter().for_each(|gone| gone.queue.close(Instant::now() + PATIENCE));
        self.distributor.share(&sinks);
        Ok(())
    }

    /// Opens a sink that does not run yet.
    fn open(&self, settings: &SinkSettings) -> Result<Option<Opened>, ApplyError> {
        if self.distributor.sinks().running.iter().any(|running| running.is(settings)) {
            return Ok(None);
        }
        let (status, clock) = (Arc::<Status>::default(), self.distributor.recorder.clock());
        let sink: Result<Box<dyn Sink>, SinkError> = match &settings.kind {
            SinkKind::File(file) => FileSink::open(file, &self.process, clock, &status)
                .map(|sink| Box::new(sink) as Box<dyn Sink>),
            SinkKind::Output(output) => {
                Output::open(output.stream, output.format).map(|sink| Box::new(sink) as Box<dyn Sink>)
            }
            SinkKind::Store(store) => StoreSink::open(store, &self.process, clock, &status)
                .map(|sink| Box::new(sink) as Box<dyn Sink>),
        };
        let sink = sink.map_err(|error| ApplyError { name: Arc::clone(&settings.name), error })?;
        Ok(Some(Opened { sink, status }))
    }

    /// Gives a sink its thread. Without one it is not there, and everybody else goes on.
    fn started(&self, settings: &SinkSettings, Opened { sink, status }: Opened) -> Option<Running> {
        let queue = Queue::new(0);
        let clock = self.distributor.recorder.clock().clone();
        let worker = Worker { sink, queue: Arc::clone(&queue), status: Arc::clone(&status), clock };
        worker.start(&settings.name).ok()?;
        let (name, kind) = (Arc::clone(&settings.name), Some(settings.kind.clone()));
        Some(Running { name, kind, selection: settings.selection, queue, status })
    }

    /// How each sink is doing, the log first.
    #[must_use]
    pub fn health(&self) -> Vec<SinkHealth> {
        self.distributor.health()
    }

    /// The store among the sinks, for reading; none where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn store(&self) -> Result<Option<Reader>, StoreError> {
        let folder = self.distributor.sinks().running.iter().find_map(|sink| match &sink.kind {
            Some(SinkKind::Store(store)) => Some(store.path.clone()),
            Some(SinkKind::File(_) | SinkKind::Output(_)) | None => None,
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
    known.selection = settings.selection;
    known
}
