//! What brings a spool to its far end: what fails is tried again, ever more seldom; what the far end refuses for good is put
//! aside; what may not have arrived is sent once more.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::far::{Far, FarContext, FarError, Parcel};
use super::health::{Note, Part};
use super::otlp::{OtlpSettings, OtlpSink};
use super::postgres::{PostgresSettings, PostgresSink};
use super::quarantine::Quarantine;
use super::sink::SinkError;
use super::spool::{Frame, Lost, Mark, Next, Spool, SpoolSettings};
use super::syslog::{Syslog, SyslogSettings};
use super::webhook::{Webhook, WebhookSettings};
use crate::mapping::Schema;
use crate::secret::random_bytes;

/// How often it looks after the far end.
const BEAT: Duration = Duration::from_secs(1);

/// A sink whose far end may be away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpooledSettings {
    /// Where it waits, and how much may.
    pub spool: SpoolSettings,
    /// Whether it refuses what is new, rather than drop what is old, where there is no room.
    pub keeps: bool,
    /// How often it is tried.
    pub pace: Pace,
    /// Whose words it is brought in, where they are not ours.
    pub schema: Option<Schema>,
    /// Who gets it.
    pub far: FarSettings,
}

/// Who gets what lies in a spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FarSettings {
    /// Whoever answers at a URL.
    Webhook(WebhookSettings),
    /// A receiver of syslog.
    Syslog(SyslogSettings),
    /// A collector of OpenTelemetry.
    Otlp(OtlpSettings),
    /// A database of PostgreSQL.
    Postgres(Box<PostgresSettings>),
}

/// How patient it is with a far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a batch may take.
    pub deadline: Duration,
    /// How long it waits after the first failure; twice as long after each further one.
    pub first: Duration,
    /// How long it waits at most.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { deadline: seconds(10), first: seconds(1), longest: seconds(60) }
    }
}

impl Pace {
    /// How long it waits after so many failures in a row before this one.
    pub(super) fn after(self, failures: u32) -> Duration {
        self.first.saturating_mul(1 << failures.min(16)).min(self.longest)
    }
}

/// Settings that the thread is to go on by.
#[derive(Debug)]
pub(super) struct Handle(Mutex<Option<SpooledSettings>>);

impl Handle {
    pub(super) fn change(&self, settings: SpooledSettings) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
    }

    fn take(&self) -> Option<SpooledSettings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(super) struct Delivery {
    settings: SpooledSettings,
    changes: Arc<Handle>,
    spool: Arc<Spool>,
    context: FarContext,
    far: Option<Box<dyn Far>>,
    quarantine: Quarantine,
    /// What was sent and may not have arrived, each with when that was and how many events it is.
    sent: VecDeque<(Mark, Instant, u64)>,
    failures: u32,
}

impl Delivery {
    /// Goes on by itself, once the spool has begun.
    pub(super) fn start(
        settings: &SpooledSettings,
        spool: &Arc<Spool>,
        context: FarContext,
    ) -> io::Result<Arc<Handle>> {
        let changes = Arc::new(Handle(Mutex::default()));
        let delivery = Self {
            settings: settings.clone(),
            changes: Arc::clone(&changes),
            spool: Arc::clone(spool),
            context,
            far: None,
            quarantine: Quarantine::new(&settings.spool),
            sent: VecDeque::new(),
            failures: 0,
        };
        thread::Builder::new().name("delivery".to_owned()).spawn(move || delivery.run())?;
        Ok(changes)
    }

    fn run(mut self) {
        loop {
            if let Some(settings) = self.changes.take() {
                (self.settings, self.far) = (settings, None);
                self.again();
            }
            let until = match self.spool.next(Instant::now() + BEAT) {
                Ok(Next::Frame(process, frame, mark)) => self.bring(&process, frame, mark),
                Ok(Next::Nothing) => self.look_after(),
                Ok(Next::Closed(until)) => break self.finish(until),
                Err(error) => self.fail(&FarError::Away(format!("its spool cannot be read: {error}"))),
            };
            self.tell();
            if until.is_some_and(|until| self.is_given_up(until)) {
                break;
            }
        }
        self.spool.end();
    }

    /// Brings a batch, or waits before it is tried again; gives when all must have ended, where that is known.
    fn bring(&mut self, process: &Arc<str>, frame: Frame, mark: Mark) -> Option<Instant> {
        let events = frame.numbers.count;
        mutant!((), "spool-acknowledged-before-far-end" => self.spool.acknowledge(&mark));
        let parcel = Parcel { process, frame: &frame, schema: self.settings.schema };
        match self.send(&parcel) {
            Ok(()) => {
                self.failures = 0;
                self.context.status.works(Part::Delivery, &self.context.clock);
                self.sent.push_back((mark, Instant::now(), events));
                self.prove();
                None
            }
            Err(FarError::Refused(why)) => self.put_aside(&parcel, mark, &why),
            Err(error @ FarError::Away(_)) => self.fail(&error),
        }
    }

    fn send(&mut self, parcel: &Parcel<'_>) -> Result<(), FarError> {
        let until = Instant::now() + self.settings.pace.deadline;
        if self.far.is_none() {
            self.far = Some(open(&self.settings.far, &self.context)?);
        }
        self.far.as_mut().map_or(Ok(()), |far| far.send(parcel, until))
    }

    /// What the far end will never take waits for somebody to look at it.
    fn put_aside(&mut self, parcel: &Parcel<'_>, mark: Mark, why: &str) -> Option<Instant> {
        if let Err(error) = self.quarantine.put(&parcel.frame.text) {
            return self.fail(&FarError::Away(format!("{why}; and it cannot be put aside: {error}")));
        }
        tracing::error!(batch = parcel.id(), file = %self.quarantine.path().display(), why, "a far end refuses a batch, which lies in a file now");
        self.context.status.lost(None, parcel.frame.numbers, "refused");
        self.sent.push_back((mark, Instant::now(), 0));
        self.prove();
        None
    }

    /// Whether nothing is tried any more, for it is to end and the far end is away: what lies on disk waits for the next
    /// process. What lies in memory alone is tried as long as there is time.
    fn is_given_up(&self, until: Instant) -> bool {
        if self.spool.is_all_on_disk() || Instant::now() >= until {
            return true;
        }
        thread::park_timeout(self.settings.pace.first.min(BEAT / 10));
        false
    }

    /// Leaves the far end alone for a while.
    fn fail(&mut self, error: &FarError) -> Option<Instant> {
        self.context.status.fails(
            Part::Delivery,
            &SinkError::Away(io::Error::other(error.to_string())),
            &self.context.clock,
        );
        self.again();
        self.failures += 1;
        let pause = mutant!(self.pause(), "retry-without-pause" => Duration::ZERO);
        self.tell();
        self.spool.pause(pause)
    }

    /// Twice as long after each failure, and never the same for two who failed at once.
    fn pause(&self) -> Duration {
        let whole = self.settings.pace.after(self.failures - 1);
        whole.mul_f64(0.5 + f64::from(random_bytes::<1>()[0]) / 512.0)
    }

    /// What may not have arrived is read once more.
    fn again(&mut self) {
        self.sent.clear();
        mutant!(self.spool.rewind(), "spool-forgets-the-tail" => ());
    }

    /// Acknowledges what has certainly arrived by now.
    fn prove(&mut self) {
        let unproved = self.far.as_ref().map_or(Duration::ZERO, |far| far.unproved());
        let proved = self.sent.iter().take_while(|(_, at, _)| at.elapsed() >= unproved).count();
        self.acknowledge(proved);
    }

    fn acknowledge(&mut self, proved: usize) {
        for (mark, _, events) in self.sent.drain(..proved) {
            self.spool.acknowledge(&mark);
            self.context.status.wrote(events);
        }
    }

    fn look_after(&mut self) -> Option<Instant> {
        match self.far.as_mut().map_or(Ok(()), |far| far.check()) {
            Ok(()) => {
                self.prove();
                None
            }
            Err(error) => self.fail(&error),
        }
    }

    fn finish(&mut self, until: Instant) {
        if self.far.as_mut().is_none_or(|far| far.finish(until)) {
            self.acknowledge(self.sent.len());
        }
        self.tell();
    }

    /// Says how much waits, and what is lost.
    fn tell(&self) {
        self.context.status.waits(self.spool.waiting());
        for lost in self.spool.take_lost() {
            match lost {
                Lost::Events(process, loss) => self.context.status.lost(process, loss, "spool"),
                Lost::Bytes(file, bytes) => {
                    let reason = format!("{bytes} bytes of {} cannot be read", file.display());
                    let since = self.context.clock.moment().micros();
                    self.context.status.note(Note::Gap { since, away: Duration::ZERO, reason });
                }
            }
        }
    }
}

fn open(settings: &FarSettings, context: &FarContext) -> Result<Box<dyn Far>, FarError> {
    let clock = &context.clock;
    Ok(match settings {
        FarSettings::Webhook(webhook) => Box::new(Webhook::open(webhook, clock)?),
        FarSettings::Syslog(syslog) => Box::new(Syslog::open(syslog)?),
        FarSettings::Otlp(collector) => Box::new(OtlpSink::open(collector, clock)?),
        FarSettings::Postgres(database) => Box::new(PostgresSink::open(database, context)?),
    })
}
