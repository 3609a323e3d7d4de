//! The handle to the database: operations that write, one after the other, and operations that read beside them.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc::error::SendTimeoutError, oneshot, watch};

use super::endings::{EndedId, Endings, beside};
use super::health::{Inode, StateHealth};
use super::lane::{Job, Lane, Readers, Threads, start_writer};
use super::{StorageError, file, open};
use crate::trace::{SpanKind, span};

/// How long an operation waits for a place in the queue.
const PATIENCE: Duration = Duration::from_secs(2);

/// A handle to the embedded database; cheap to clone.
///
/// One connection writes, and a few read beside it; each has a thread of its own, so that no worker ever waits for a
/// disk, no report for a sign-in and no sign-in for a report. When the last handle is dropped, what is queued is still
/// done, the file is closed and the threads have ended.
#[derive(Clone)]
pub struct Database(Arc<DatabaseInner>);

pub(super) struct DatabaseInner {
    file: PathBuf,
    /// The file that was opened; `None` in memory.
    opened: Option<Inode>,
    patience: Duration,
    lanes: Option<Lanes>,
    threads: Option<Threads>,
    health: StateHealth,
    closed: watch::Receiver<()>,
    /// `None` in memory, and where the file of endings could not be made.
    endings: Arc<Mutex<Option<Endings>>>,
}

/// Where operations queue up.
struct Lanes {
    writer: Lane,
    /// `None` in memory, where there is one connection.
    reader: Option<Lane>,
}

impl Database {
    /// Opens the state file at `path`, made (mode 0600) where there is none. Blocks: for start-up.
    ///
    /// # Errors
    /// Everything of [`StorageError`] up to `Migration`; the file is left as it was.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::reopen(path, StateHealth::default())
    }

    /// The same for a file that was open before and whose health is told already.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn reopen(path: &Path, health: StateHealth) -> Result<Self, StorageError> {
        let held = file::hold(path)?;
        let opened = Inode::of(&held.path).map_err(|cause| StorageError::inaccessible(&held.path, cause))?;
        let connection = open::open(&held.path)?;
        let endings = endings(&held.path)?;
        let parts = Parts { file: held.path.clone(), opened: Some(opened), endings, health };
        Self::start(parts, connection, Some(held))
    }

    /// A database that ends with its last handle: `state = "memory"`.
    ///
    /// # Errors
    /// `Inaccessible` where no thread can be started.
    pub fn in_memory() -> Result<Self, StorageError> {
        let name = PathBuf::from("memory");
        let connection = open::in_memory(&name)?;
        let health = StateHealth::default();
        Self::start(Parts { file: name, opened: None, endings: None, health }, connection, None)
    }

    fn start(
        parts: Parts,
        connection: Connection,
        held: Option<file::LockedFile>,
    ) -> Result<Self, StorageError> {
        let Parts { file, opened, endings, health } = parts;
        let (open, closed) = watch::channel(());
        let reading = held.as_ref().map(|held| Readers::start(&held.path)).transpose()?;
        let (reader, readers) = reading.unzip();
        let then = move || {
            // Only now: another gateway that got the lock before the connections are closed would share the file.
            drop(held);
            drop(open);
        };
        let (writer, threads) = start_writer(&file, connection, readers, then)?;
        Ok(Self(Arc::new(DatabaseInner {
            file,
            opened,
            patience: PATIENCE,
            lanes: Some(Lanes { writer, reader }),
            threads: Some(threads),
            health,
            closed,
            endings: Arc::new(Mutex::new(endings)),
        })))
    }

    /// Reads: runs `operation` beside those that write, on what was committed last, and waits for its answer.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn read<T, F>(&self, operation: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let reader = |lanes: &Lanes| lanes.reader.as_ref().unwrap_or(&lanes.writer).clone();
        let result = self.answer(reader, |connection| operation(connection)).await;
        self.0.health.note(&result, false);
        result
    }

    /// Writes: runs `operation` on the connection that writes, and waits for its answer. Its success shows that the disk
    /// takes writes.
    ///
    /// It runs to its end even where the caller goes away meanwhile; a transaction it leaves open is
    /// rolled back.
    ///
    /// # Errors
    /// `Overloaded` where the queue stays full for two seconds; `Query` or `Corrupt` where SQLite says
    /// so; `Interrupted` where the operation panicked or the thread has ended.
    pub async fn write<T, F>(&self, operation: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.on_the_writer(operation, true).await
    }

    /// The same for what does not show whether the disk takes writes: it may find nothing to do.
    pub(super) async fn tidy<T, F>(&self, operation: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.on_the_writer(operation, false).await
    }

    async fn on_the_writer<T, F>(
        &self,
        operation: F,
        shows_that_writing_works: bool,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let result = self.answer(|lanes| lanes.writer.clone(), operation).await;
        self.0.health.note(&result, shows_that_writing_works);
        result
    }

    async fn answer<T, F>(&self, lane: impl FnOnce(&Lanes) -> Lane, operation: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let mut span = span("store", SpanKind::Client);
        span.attribute("db.system.name", || "sqlite");
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(answer.send(operation(connection))));
        let lane = self.0.lanes.as_ref().map(lane).ok_or_else(|| self.interrupted())?;
        self.enqueue(&lane, job).await?;
        // A lane that is kept while its answer is waited for could not end.
        drop(lane);
        let result = answered.await.map_err(|_| self.interrupted())?;
        result.map_err(|cause| StorageError::from_sqlite(&self.0.file, cause))
    }

    /// Puts an ending on record beside the state file, on the disk and without need of free space, until
    /// [`Database::forget_ending`]. In memory nothing outlives the process, and nothing is recorded.
    ///
    /// # Errors
    /// `Ending` where even that fails.
    pub async fn record_ending(&self, id: EndedId) -> Result<(), StorageError> {
        let Some(_) = self.0.opened else { return Ok(()) };
        let endings = Arc::clone(&self.0.endings);
        let recorded = tokio::task::spawn_blocking(move || match &mut *lock(&endings) {
            Some(endings) => endings.record(id),
            None => Err(io::Error::other("there is no such file")),
        });
        let recorded = recorded.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        recorded.map_err(|cause| StorageError::Ending { file: self.0.file.clone(), cause: Arc::new(cause) })
    }

    /// The database has taken this ending.
    pub async fn forget_ending(&self, id: EndedId) {
        let endings = Arc::clone(&self.0.endings);
        let forget = move || lock(&endings).as_mut().map(|endings| endings.forget(&id));
        drop(tokio::task::spawn_blocking(forget).await);
    }

    /// Endings on record: at start, those that the database had not taken when the last gateway ended.
    #[must_use]
    pub fn recorded_endings(&self) -> Vec<EndedId> {
        lock(&self.0.endings).as_ref().map_or_else(Vec::new, Endings::all)
    }

    /// Whether the file takes what is written and is still in its place.
    #[must_use]
    pub fn health(&self) -> &StateHealth {
        &self.0.health
    }

    pub(super) fn opened(&self) -> Option<Inode> {
        self.0.opened
    }

    pub(super) fn downgrade(&self) -> Weak<DatabaseInner> {
        Arc::downgrade(&self.0)
    }

    pub(super) fn upgrade(inner: &Weak<DatabaseInner>) -> Option<Self> {
        inner.upgrade().map(Self)
    }

    /// Waits for no place in the queue.
    #[cfg(test)]
    pub(super) fn impatient(mut self) -> Self {
        Arc::get_mut(&mut self.0).unwrap().patience = Duration::ZERO;
        self
    }

    /// Resolves once the file is closed and its lock given up, after the last handle is gone. It holds none.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closed = self.0.closed.clone();
        async move { while closed.changed().await.is_ok() {} }
    }

    /// The state file; `memory` where there is none.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    async fn enqueue(&self, lane: &Lane, job: Job) -> Result<(), StorageError> {
        lane.send_timeout(job, self.0.patience).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => StorageError::Overloaded { file: self.0.file.clone() },
            SendTimeoutError::Closed(_) => self.interrupted(),
        })
    }

    fn interrupted(&self) -> StorageError {
        StorageError::Interrupted { file: self.0.file.clone() }
    }
}

/// What a database is made of besides its connection.
struct Parts {
    file: PathBuf,
    opened: Option<Inode>,
    endings: Option<Endings>,
    health: StateHealth,
}

/// A full disk does not keep the gateway from starting: it goes on without the file where that is not there
/// yet. One that is there and cannot be read may hold endings, so that nobody gets in without it.
fn endings(state: &Path) -> Result<Option<Endings>, StorageError> {
    let path = beside(state);
    match Endings::open(&path) {
        Ok(endings) => Ok(Some(endings)),
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            tracing::warn!(file = %path.display(), %error, "there is no room for the file that keeps sign-outs on a full disk");
            Ok(None)
        }
        Err(cause) => Err(StorageError::inaccessible(&path, cause)),
    }
}

fn lock(endings: &Mutex<Option<Endings>>) -> MutexGuard<'_, Option<Endings>> {
    endings.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for DatabaseInner {
    fn drop(&mut self) {
        self.lanes = None;
        self.threads.take().into_iter().for_each(Threads::join);
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.0.file.display())
    }
}
