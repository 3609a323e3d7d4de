//! How a sink is doing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portcullis_events::{
    Kind, KindSet, RecordBeside, RecordDamaged, RecordGap, RecordLost, RecordRemoved, RecordRotated, Recorder,
};

use super::queue::Loss;
use super::sink::SinkError;
use super::spool::Waiting;
use crate::clock::Clock;

/// Notes that wait to be told; more than these are dropped, for a sink that has more is in trouble anyway.
const NOTES: usize = 64;
/// How often trouble that lasts is told in the log.
const REMINDER: Duration = Duration::from_secs(60);

/// How a sink is doing, for metrics and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkHealth {
    /// Its name.
    pub name: Arc<str>,
    /// Events that it has written.
    pub written: u64,
    /// Events that it has lost.
    pub lost: u64,
    /// How long the oldest event that is not written has waited.
    pub behind: Duration,
    /// Why it cannot write now, where it cannot.
    pub trouble: Option<String>,
    /// Since when, in microseconds since 1970.
    pub since: Option<u64>,
    /// What lies on disk until the far end takes it, where it has one.
    pub waiting: Option<Waiting>,
    /// What it failed by last, though it may write again.
    pub last_error: Option<String>,
    /// The file that it writes, which is not always the one that it was told.
    pub file: Option<PathBuf>,
}

impl SinkHealth {
    /// Its trouble in words, with how long what lies on disk will do.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let trouble = self.trouble.as_ref()?;
        Some(match &self.waiting {
            Some(waiting) => format!("{trouble}; {waiting}"),
            None => trouble.clone(),
        })
    }
}

/// What a sink says of itself.
#[derive(Debug, Default)]
pub(super) struct Status {
    written: AtomicU64,
    lost: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By what is in trouble.
    troubles: [Option<Trouble>; 3],
    last_error: Option<String>,
    file: Option<PathBuf>,
    notes: Vec<Note>,
    waiting: Option<Waiting>,
    reminded: Option<Instant>,
}

/// What of a sink can be in trouble, each by itself: what one of them can do again says nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// To write what it is given.
    Writing,
    /// To look after its file or folder.
    Upkeep,
    /// To bring what lies on disk to its far end.
    Delivery,
}

#[derive(Debug)]
struct Trouble {
    /// Microseconds since 1970.
    since: u64,
    reason: String,
}

/// What the record is to tell of a sink.
#[derive(Debug)]
pub(super) enum Note {
    Rotated { file: PathBuf, next: PathBuf, bytes: u64 },
    Removed { file: PathBuf, count: u64, bytes: u64 },
    Beside { file: PathBuf, next: PathBuf },
    Damaged { file: PathBuf, reason: String },
    Gap { since: u64, away: Duration, reason: String },
    Lost { process: Option<Arc<str>>, loss: Loss, cause: &'static str },
}

impl Note {
    /// What the events are that tell of sinks.
    pub(super) fn kinds() -> KindSet {
        KindSet::of([
            Kind::RecordLost,
            Kind::RecordGap,
            Kind::RecordRotated,
            Kind::RecordRemoved,
            Kind::RecordBeside,
            Kind::RecordDamaged,
        ])
    }

    /// Tells it; whether there was room for that.
    pub(super) fn tell(&self, sink: &str, recorder: &Recorder) -> bool {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let told = match self {
            Self::Lost { process, loss: Loss { lane, from, to, count }, cause } => {
                let (sink, process) = (Some(sink), process.as_deref());
                let (lane, from, to, count) = (*lane, *from, *to, *count);
                recorder.emit(&RecordLost { sink, process, lane, from, to, count, cause })
            }
            Self::Rotated { file, next, bytes } => {
                let (file, next) = (&text(file), &text(next));
                recorder.emit(&RecordRotated { sink, file, next, bytes: *bytes })
            }
            Self::Removed { file, count, bytes } => {
                recorder.emit(&RecordRemoved { sink, file: &text(file), count: *count, bytes: *bytes })
            }
            Self::Beside { file, next } => {
                recorder.emit(&RecordBeside { sink, file: &text(file), next: &text(next) })
            }
            Self::Damaged { file, reason } => {
                recorder.emit(&RecordDamaged { sink, file: &text(file), reason })
            }
            Self::Gap { since, away, reason } => {
                recorder.emit(&RecordGap { sink, since: *since, away: *away, reason })
            }
        };
        told.is_some()
    }
}

impl Status {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, note: Note) {
        let mut inner = self.inner();
        if inner.notes.len() < NOTES {
            inner.notes.push(note);
        }
    }

    pub(super) fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.inner().notes)
    }

    /// Says which file is written now.
    pub(super) fn writes(&self, file: &Path) {
        self.inner().file = Some(file.to_owned());
    }

    pub(super) fn file(&self) -> Option<PathBuf> {
        self.inner().file.clone()
    }

    /// Counts events that are written.
    pub(super) fn wrote(&self, events: u64) {
        self.written.fetch_add(events, Relaxed);
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// What could not be told, before everything that has happened since.
    pub(super) fn untold(&self, notes: impl IntoIterator<Item = Note>) {
        self.inner().notes.splice(0..0, notes);
    }

    /// Counts events that it has lost on their way to the far end.
    pub(super) fn lost(&self, process: Option<Arc<str>>, loss: Loss, cause: &'static str) {
        self.lost.fetch_add(loss.count, Relaxed);
        self.note(Note::Lost { process, loss, cause });
    }

    pub(super) fn lost_ever(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Says what lies on disk.
    pub(super) fn waits(&self, waiting: Waiting) {
        self.inner().waiting = Some(waiting);
    }

    pub(super) fn waiting(&self) -> Option<Waiting> {
        self.inner().waiting.clone()
    }

    /// A part of it cannot do its work; the first moment stays.
    pub(super) fn fails(&self, part: Part, error: &SinkError, clock: &Clock) {
        let mut inner = self.inner();
        let trouble = &mut inner.troubles[part as usize];
        let since = trouble.as_ref().map_or_else(|| clock.moment().micros(), |trouble| trouble.since);
        let reason = error.to_string();
        *trouble = Some(Trouble { since, reason: reason.clone() });
        inner.last_error = Some(reason);
    }

    /// A part of it can do its work.
    pub(super) fn works(&self, part: Part, clock: &Clock) {
        let mut inner = self.inner();
        let trouble = mutant!(inner.troubles[part as usize].take(), "sink-upkeep-forgotten" => {
            inner.troubles.iter_mut().find_map(Option::take)
        });
        drop(inner);
        if let Some(Trouble { since, reason }) = trouble {
            let away = Duration::from_micros(clock.moment().micros().saturating_sub(since));
            self.note(Note::Gap { since, away, reason });
        }
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.inner().last_error.clone()
    }

    /// Why it is in trouble, and since when, in microseconds since 1970.
    pub(super) fn trouble(&self) -> Option<(String, u64)> {
        let inner = self.inner();
        let trouble = inner.troubles.iter().flatten().next()?;
        Some((trouble.reason.clone(), trouble.since))
    }

    /// Whether its trouble is to be said in the log: at once, and as long as it lasts once a minute.
    pub(super) fn is_to_be_said(&self) -> bool {
        let mut inner = self.inner();
        let is_in_trouble = inner.troubles.iter().any(Option::is_some);
        let due = inner.reminded.is_none_or(|at| at.elapsed() >= REMINDER);
        if is_in_trouble && due {
            inner.reminded = Some(Instant::now());
        }
        is_in_trouble && due
    }
}
