//! Who may read now: two at a time, so that questions do not take the machine from requests; and for how long.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::task::JoinError;

use super::error::StoreError;

/// How many read at once.
const READERS: usize = 2;
/// Steps of SQLite between two looks at the time: some 0.1 ms.
const STEPS: i32 = 10_000;

/// How long somebody waits for an answer.
#[derive(Clone, Debug)]
pub struct Patience {
    /// When nothing new is begun.
    pub(super) until: Instant,
    /// When whatever goes on is broken off.
    pub(super) end: Instant,
    left: Arc<AtomicBool>,
    progress: Arc<Progress>,
}

/// Files that were read, and those that are to be read.
#[derive(Debug, Default)]
struct Progress {
    read: AtomicUsize,
    of: AtomicUsize,
}

/// Whoever asks for somebody else drops this when they have left; then the question is broken off.
#[derive(Debug)]
pub struct Asker(Arc<AtomicBool>);

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Patience {
    /// So long; what takes much longer than that is broken off.
    #[must_use]
    pub fn of(span: Duration) -> Self {
        let now = Instant::now();
        let until = now + span;
        Self { until, end: until + span * 4, left: Arc::default(), progress: Arc::default() }
    }

    /// As long as it takes.
    #[must_use]
    pub fn endless() -> Self {
        Self::of(Duration::from_secs(86_400))
    }

    /// A handle that breaks the question off when it is dropped.
    #[must_use]
    pub fn asker(&self) -> Asker {
        Asker(Arc::clone(&self.left))
    }

    /// How far whoever asks has come: files of the store that were read, and those that are to be read.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.progress.read.load(Relaxed), self.progress.of.load(Relaxed))
    }

    /// So many files more are to be read.
    pub fn begin(&self, files: usize) {
        self.progress.of.fetch_add(files, Relaxed);
    }

    /// One of them was read.
    pub fn step(&self) {
        self.progress.read.fetch_add(1, Relaxed);
    }

    /// Whether whoever asked has left.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.left.load(Relaxed)
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Has SQLite look at the time.
    pub(super) fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let (end, left) = (self.end, Arc::clone(&self.left));
        connection.progress_handler(STEPS, Some(move || left.load(Relaxed) || Instant::now() >= end))
    }
}

/// Reads on a thread that may wait, for so long. Where whoever waits for it leaves, it is broken off.
///
/// # Errors
/// Where the thread has come to grief.
pub async fn read_apart<T: Send + 'static>(
    span: Duration,
    read: impl FnOnce(&Patience) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let patience = Patience::of(span);
    let _asker = patience.asker();
    tokio::task::spawn_blocking(move || read(&patience)).await
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The store does not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others ask, and took too long.
    #[error("others ask already, and there was no turn in time")]
    Busy,
    /// It takes too long.
    #[error("it takes too long: ask for less, by a shorter time or by something that few events have")]
    TooLong,
    /// Whoever asked has left.
    #[error("whoever asked has left")]
    Left,
    /// The cursor is of another question.
    #[error("the cursor is of another question")]
    Cursor,
}

/// Turns at reading.
#[derive(Debug, Default)]
pub(super) struct ReadLane {
    reading: Mutex<usize>,
    freed: Condvar,
}

/// A turn; dropped, it is somebody else's.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a ReadLane);

impl ReadLane {
    /// Waits for a turn.
    pub(super) fn turn(&self, patience: &Patience) -> Result<Turn<'_>, AskError> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        while *reading >= READERS {
            if patience.has_left() {
                return Err(AskError::Left);
            }
            let left = patience.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(AskError::Busy);
            }
            let wait = left.min(Duration::from_millis(50));
            reading = self.freed.wait_timeout(reading, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        *reading += 1;
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.reading.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}
