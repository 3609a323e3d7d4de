//! The database's thread and the handle to it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{StorageError, file, open};

/// Operations that may wait; at tens of microseconds each, a fraction of a second.
pub(super) const QUEUE: usize = 1024;

/// How long an operation waits for a place in the queue.
const PATIENCE: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the embedded database; cheap to clone.
///
/// SQLite runs on a thread of its own, so that no worker ever waits for a disk. When the last handle is
/// dropped, what is queued is still done, the file is closed and the thread has ended.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    file: PathBuf,
    patience: Duration,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Database {
    /// Opens the state file at `path`, made (mode 0600) where there is none. Blocks: for start-up.
    ///
    /// # Errors
    /// Everything of [`StorageError`] up to `Migration`; the file is left as it was.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let held = file::hold(path)?;
        let connection = open::open(&held.path)?;
        Self::start(held.path.clone(), connection, Some(held))
    }

    /// A database that ends with its last handle: `state = "memory"`.
    ///
    /// # Errors
    /// `Inaccessible` where no thread can be started.
    pub fn in_memory() -> Result<Self, StorageError> {
        let name = PathBuf::from("memory");
        let connection = open::in_memory(&name)?;
        Self::start(name, connection, None)
    }

    fn start(file: PathBuf, connection: Connection, held: Option<file::Held>) -> Result<Self, StorageError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("storage".into())
            .spawn(move || {
                work(connection, queue);
                drop(held); // only now: the lock outlives the connection
            })
            .map_err(|cause| StorageError::inaccessible(&file, cause))?;
        Ok(Self(Arc::new(Inner { file, patience: PATIENCE, jobs: Some(jobs), thread: Some(thread) })))
    }

    /// Runs `operation` on the database's thread and waits for its answer.
    ///
    /// It runs to its end even where the caller goes away meanwhile; a transaction it leaves open is
    /// rolled back.
    ///
    /// # Errors
    /// `Overloaded` where the queue stays full for two seconds; `Query` or `Corrupt` where SQLite says
    /// so; `Interrupted` where the operation panicked or the thread has ended.
    pub async fn run<T, F>(&self, operation: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(answer.send(operation(connection))));
        self.enqueue(job).await?;
        let result = answered.await.map_err(|_| self.interrupted())?;
        result.map_err(|cause| StorageError::from_sqlite(&self.0.file, cause))
    }

    /// Waits for no place in the queue.
    #[cfg(test)]
    pub(super) fn impatient(mut self) -> Self {
        Arc::get_mut(&mut self.0).unwrap().patience = Duration::ZERO;
        self
    }

    /// The state file; `memory` where there is none.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    async fn enqueue(&self, job: Job) -> Result<(), StorageError> {
        let jobs = self.0.jobs.as_ref().ok_or_else(|| self.interrupted())?;
        match jobs.send_timeout(job, self.0.patience).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                Err(StorageError::Overloaded { file: self.0.file.clone() })
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(self.interrupted()),
        }
    }

    fn interrupted(&self) -> StorageError {
        StorageError::Interrupted { file: self.0.file.clone() }
    }
}

fn work(mut connection: Connection, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        // A panic ends one operation, not everybody's sessions; its transaction rolls back as it unwinds.
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a storage operation panicked and was rolled back");
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::error!(%error, "the state file was not closed cleanly; the next start recovers it");
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs = None;
        // An operation may hold the last handle; its thread cannot wait for itself.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.0.file.display())
    }
}
