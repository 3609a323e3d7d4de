//! What brings metrics and traces to a collector, on a thread of its own: nobody waits for it, and where the collector is
//! away or slow, what finds no room is lost and counted.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_telemetry::Family;

use super::client::{Client, OtlpSettings, Signal};
use super::common::nanos;
use super::metrics::{self, Period};
use super::protobuf::Message;
use super::traces;
use crate::clock::Clock;
use crate::sinks::delivery::Pace;
use crate::sinks::far::FarError;
use crate::trace::{FinishedTrace, TraceQueue};

/// How long one call may take, and how long all of them at the end.
const DEADLINE: Duration = Duration::from_secs(5);
/// How often spans are looked for.
const BEAT: Duration = Duration::from_secs(1);
/// Spans of one call.
const BATCH: usize = 512;

/// What is brought to a collector.
#[derive(Clone)]
pub struct Exports {
    /// What is measured, asked for at each time.
    pub metrics: Arc<dyn Fn() -> Vec<Family> + Send + Sync>,
    /// What is recorded of requests.
    pub traces: TraceQueue,
    /// The process, as its events call it.
    pub process: Arc<str>,
    /// The time.
    pub clock: Clock,
}

impl fmt::Debug for Exports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exports").field("process", &self.process).finish_non_exhaustive()
    }
}

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    /// The collector.
    pub collector: OtlpSettings,
    /// How often it is told what is measured.
    pub every: Duration,
}

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportHealth {
    /// Whether the last call was good.
    pub up: bool,
    /// Spans that the collector has.
    pub sent: u64,
    /// Spans that it will never have.
    pub lost: u64,
}

/// Brings metrics and traces to whichever collector it was told last.
#[derive(Debug)]
pub struct Exporter {
    orders: Mutex<Sender<Order>>,
    ended: Mutex<Receiver<()>>,
    status: Arc<Status>,
    traces: TraceQueue,
}

#[derive(Debug)]
enum Order {
    /// Goes on with these, or rests.
    Change(Option<ExportSettings>),
    /// Brings what there is, and ends by then.
    Stop(Instant),
}

#[derive(Debug, Default)]
struct Status {
    exports: AtomicBool,
    fails: AtomicBool,
    sent: AtomicU64,
    refused: AtomicU64,
}

impl Exporter {
    /// Begins, and rests until it is told of a collector.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(exports: Exports) -> io::Result<Self> {
        let (status, traces) = (Arc::<Status>::default(), exports.traces.clone());
        let ((orders, received), (end, ended)) = (channel(), channel());
        let start = nanos(exports.clock.moment().micros());
        let work = Work { exports, start, status: Arc::clone(&status), collector: None, held: None };
        thread::Builder::new().name("otlp".to_owned()).spawn(move || {
            work.run(&received);
            let _ = end.send(());
        })?;
        Ok(Self { orders: Mutex::new(orders), ended: Mutex::new(ended), status, traces })
    }

    /// From now on it goes there; none: it rests.
    pub fn change(&self, settings: Option<ExportSettings>) {
        self.traces.want(settings.is_some());
        self.order(Order::Change(settings));
    }

    /// Brings what there is, and ends: within five seconds, whatever the collector does.
    pub fn stop(&self) {
        let until = Instant::now() + DEADLINE;
        self.order(Order::Stop(until));
        let _ = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(DEADLINE);
    }

    /// How it goes; none while it rests.
    #[must_use]
    pub fn health(&self) -> Option<ExportHealth> {
        let Status { exports, fails, sent, refused } = &*self.status;
        let lost = refused.load(Relaxed) + self.traces.lost();
        let health = ExportHealth { up: !fails.load(Relaxed), sent: sent.load(Relaxed), lost };
        exports.load(Relaxed).then_some(health)
    }

    fn order(&self, order: Order) {
        let _ = self.orders.lock().unwrap_or_else(PoisonError::into_inner).send(order);
    }
}

struct Work {
    exports: Exports,
    /// When the process began to count, in nanoseconds since 1970.
    start: u64,
    status: Arc<Status>,
    collector: Option<Collector>,
    /// Traces that the collector was away for.
    held: Option<Vec<FinishedTrace>>,
}

struct Collector {
    settings: OtlpSettings,
    /// Opened with the first call.
    client: Option<Client>,
    every: Duration,
    metrics_due: Instant,
    failures: u32,
    /// Until when it is left alone.
    pause: Instant,
}

impl Work {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            // Who rests has nothing to look after.
            let order = match self.collector {
                Some(_) => orders.recv_timeout(BEAT),
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match order {
                Ok(Order::Change(settings)) => self.change(settings),
                Ok(Order::Stop(until)) => return self.finish(until),
                Err(RecvTimeoutError::Timeout) => self.beat(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn change(&mut self, settings: Option<ExportSettings>) {
        self.status.exports.store(settings.is_some(), Relaxed);
        let now = Instant::now();
        self.collector = settings.map(|settings| Collector {
            settings: settings.collector,
            client: None,
            every: settings.every,
            metrics_due: now,
            failures: 0,
            pause: now,
        });
        self.beat();
    }

    /// What is due, where the collector is not left alone at the moment.
    fn beat(&mut self) {
        let now = Instant::now();
        let Some(collector) = self.collector.as_mut().filter(|collector| collector.pause <= now) else {
            return;
        };
        let metrics = collector.metrics_due <= now;
        if metrics {
            collector.metrics_due = now + collector.every;
        }
        let deadline = || Instant::now() + DEADLINE;
        let done = self.bring_traces(&deadline).and_then(|()| match metrics {
            true => self.bring_metrics(deadline()),
            false => Ok(()),
        });
        self.note(done);
    }

    fn finish(&mut self, until: Instant) {
        if self.collector.is_some() {
            let done = self.bring_metrics(until).and_then(|()| self.bring_traces(&|| until));
            self.note(done);
        }
    }

    fn bring_metrics(&mut self, until: Instant) -> Result<(), FarError> {
        let period = Period { start: self.start, now: nanos(self.exports.clock.moment().micros()) };
        let message = metrics::message(&self.exports.process, &(self.exports.metrics)(), period);
        match self.send(Signal::Metrics, message, until) {
            Err(FarError::Refused(why)) => {
                tracing::error!(why, "a collector refuses metrics");
                Ok(())
            }
            sent => sent.map(drop),
        }
    }

    /// All traces that wait, the oldest first.
    fn bring_traces(&mut self, until: &dyn Fn() -> Instant) -> Result<(), FarError> {
        loop {
            let traces = self.held.take().unwrap_or_else(|| self.exports.traces.take(BATCH));
            let count: usize = traces.iter().map(|trace| trace.spans.len()).sum();
            if count == 0 {
                return Ok(());
            }
            let message = traces::message(&self.exports.process, &traces);
            match self.send(Signal::Traces, message, until()) {
                Ok(untaken) => self.count(count as u64 - untaken.min(count as u64), untaken),
                Err(FarError::Refused(why)) => {
                    tracing::error!(spans = count, why, "a collector refuses spans");
                    self.count(0, count as u64);
                }
                Err(error) => {
                    self.held = Some(traces);
                    return Err(error);
                }
            }
        }
    }

    fn count(&self, sent: u64, lost: u64) {
        self.status.sent.fetch_add(sent, Relaxed);
        self.status.refused.fetch_add(lost, Relaxed);
    }

    fn send(&mut self, signal: Signal, message: Message, until: Instant) -> Result<u64, FarError> {
        let Some(collector) = &mut self.collector else { return Ok(0) };
        let client = match collector.client.take() {
            Some(client) => client,
            None => Client::open(&collector.settings)?,
        };
        let sent = client.send(signal, message, until);
        collector.client = Some(client);
        sent
    }

    /// Tells when it begins to fail and when it is good again, and leaves a collector that fails alone for a while.
    fn note(&mut self, done: Result<(), FarError>) {
        let Some(collector) = &mut self.collector else { return };
        let failed = self.status.fails.swap(done.is_err(), Relaxed);
        match done {
            Ok(()) => {
                collector.failures = 0;
                if failed {
                    tracing::info!("the collector takes metrics and traces again");
                }
            }
            Err(error) => {
                collector.pause = Instant::now() + Pace::default().after(collector.failures);
                collector.failures += 1;
                if !failed {
                    tracing::warn!(%error, "the collector takes no metrics and no traces");
                }
            }
        }
    }
}
