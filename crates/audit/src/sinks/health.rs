//! How a sink is doing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_events::{RecordBeside, RecordDamaged, RecordGap, RecordRemoved, RecordRotated, Recorder};

use super::sink::SinkError;
use crate::clock::Clock;

/// Notes that wait to be told; more than these are dropped, for a sink that has more is in trouble anyway.
const NOTES: usize = 64;

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
    /// What it failed by last, though it may write again.
    pub last_error: Option<String>,
    /// The file that it writes, which is not always the one that it was told.
    pub file: Option<PathBuf>,
}

/// What a sink says of itself.
#[derive(Debug, Default)]
pub(super) struct Status {
    written: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    trouble: Option<Trouble>,
    last_error: Option<String>,
    file: Option<PathBuf>,
    notes: Vec<Note>,
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
}

impl Note {
    pub(super) fn tell(&self, sink: &str, recorder: &Recorder) {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        match self {
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

    /// It cannot write; the first moment stays.
    pub(super) fn fails(&self, error: &SinkError, clock: &Clock) {
        let mut inner = self.inner();
        let since = inner.trouble.as_ref().map_or_else(|| clock.moment().micros(), |trouble| trouble.since);
        let reason = error.to_string();
        inner.last_error = Some(reason.clone());
        inner.trouble = Some(Trouble { since, reason });
    }

    /// It can write.
    pub(super) fn works(&self, clock: &Clock) {
        let trouble = self.inner().trouble.take();
        if let Some(Trouble { since, reason }) = trouble {
            let away = Duration::from_micros(clock.moment().micros().saturating_sub(since));
            self.note(Note::Gap { since, away, reason });
        }
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.inner().last_error.clone()
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.inner().trouble.as_ref().map(|trouble| trouble.reason.clone())
    }
}
