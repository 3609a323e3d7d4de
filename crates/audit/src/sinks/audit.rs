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
use super::spooled::SpooledSink;
use super::worker::{Ready, Worker};

/// How long a sink that is not asked for any more may take for what it has.
const PATIENCE: Duration = Duration::from_secs(5);

/// All sinks, and the thread that feeds them.
#[derive(Debug)]
pub struct Audit {
    distributor: Arc<Distributor>,
    thread: Mutex<Option<JoinHandle<()>>>,
    log: Arc<Queue>,
    process: Arc<str>,
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
        for mut log in before.extract_if(.., |running| running.kind.is_none()) {
            log.selection = settings.log;
            sinks.running.push(log);
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
        let process = Arc::from(recorder.process());
        let (distributor, thread) = Distributor::start(recorder)?;
        let (name, queue, status) = ("log".into(), Arc::clone(&log.queue), Arc::clone(&log.status));
        let log = Running { name, kind: None, selection: Selection::NONE, required: false, queue, status };
        let queue = Arc::clone(&log.queue);
        distributor.sinks().running.push(log);
        Ok(Self { distributor, thread: Mutex::new(Some(thread)), log: queue, process })
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
        let sink = self.sink(&settings.kind, &status).map_err(failed)?;
        let (queue, clock) = (Queue::new(0), self.distributor.recorder.clock().clone());
        let worker = Worker { sink, queue: Arc::clone(&queue), status: Arc::clone(&status), clock };
        let ready = worker.ready(&settings.name).map_err(|error| failed(SinkError::Unusable(error)))?;
        let (name, kind) = (Arc::clone(&settings.name), Some(settings.kind.clone()));
        let (selection, required) = (settings.selection, settings.required);
        Ok(Some(Opened { running: Running { name, kind, selection, required, queue, status }, ready }))
    }

    fn sink(&self, kind: &SinkKind, status: &Arc<Status>) -> Result<Box<dyn Sink>, SinkError> {
        let clock = self.distributor.recorder.clock();
        Ok(match kind {
            SinkKind::File(file) => Box::new(FileSink::open(file, &self.process, clock, status)?),
            SinkKind::Output(output) => Box::new(Output::open(output.stream, output.format)?),
            SinkKind::Spooled(settings) => {
                Box::new(SpooledSink::open(settings, &self.process, clock, status)?)
            }
        })
    }

    /// How each sink is doing, the log first.
    #[must_use]
    pub fn health(&self) -> Vec<SinkHealth> {
        self.distributor.health()
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
    (known.selection, known.required) = (settings.selection, settings.required);
    known
}
