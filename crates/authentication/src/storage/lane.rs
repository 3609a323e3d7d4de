//! Connections and the threads that they are used on, so that no worker of the gateway ever waits for a disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::{StorageError, open};

/// Operations that may wait in a lane; at tens of microseconds each, a fraction of a second.
pub(super) const QUEUE: usize = 1024;

/// Connections that read beside the one that writes.
const READERS: usize = 2;

/// What is done with a connection.
pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Where operations queue up. A lane ends when its last sender is gone, and everything in it is done.
pub(super) type Lane = mpsc::Sender<Job>;

/// The threads that read. In the write-ahead log's mode of SQLite they see what was committed last, wait for no
/// writer, and no writer waits for them.
#[derive(Debug)]
pub(super) struct Readers(Vec<JoinHandle<()>>);

impl Readers {
    /// Opens the file at `path`, which exists and is of this version, for reading.
    pub(super) fn start(path: &Path) -> Result<(Lane, Self), StorageError> {
        let (lane, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let threads = (0..READERS).map(|_| {
            let (connection, queue) = (open::reader(path)?, Arc::clone(&queue));
            spawn("storage-reader", path, move || close(serve(connection, &queue)))
        });
        Ok((lane, Self(threads.collect::<Result<_, _>>()?)))
    }

    /// Waits until all of them have closed the file, once their lane has ended.
    fn join(self) {
        self.0.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// All threads of a database, by the one that writes, which ends last.
#[derive(Debug)]
pub(super) struct Threads {
    writer: JoinHandle<()>,
    all: Vec<ThreadId>,
}

impl Threads {
    /// Waits until the file is closed, once the lanes have ended. An operation that holds the last handle does not
    /// wait: its thread cannot wait for itself.
    pub(super) fn join(self) {
        if !self.all.contains(&thread::current().id()) {
            drop(self.writer.join());
        }
    }
}

/// Starts the thread that writes. Whoever writes closes the file last, which moves the log into it; `then` is done with
/// the file closed.
pub(super) fn start_writer(
    path: &Path,
    connection: Connection,
    readers: Option<Readers>,
    then: impl FnOnce() + Send + 'static,
) -> Result<(Lane, Threads), StorageError> {
    let (lane, queue) = mpsc::channel(QUEUE);
    let queue = Mutex::new(queue);
    let mut all: Vec<_> = readers.iter().flat_map(|readers| &readers.0).map(|it| it.thread().id()).collect();
    let writer = spawn("storage", path, move || {
        let connection = serve(connection, &queue);
        readers.into_iter().for_each(Readers::join);
        close(connection);
        then();
    })?;
    all.push(writer.thread().id());
    Ok((lane, Threads { writer, all }))
}

fn spawn(
    name: &str,
    path: &Path,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StorageError> {
    let started = thread::Builder::new().name(name.into()).spawn(work);
    started.map_err(|cause| StorageError::inaccessible(path, cause))
}

/// Does what comes until the lane has ended.
fn serve(mut connection: Connection, queue: &Mutex<mpsc::Receiver<Job>>) -> Connection {
    // A thread that waits for a job holds the queue; the others wait for the queue.
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
    while let Some(job) = next() {
        // A panic ends one operation, not everybody's sessions; its transaction rolls back as it unwinds.
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a storage operation panicked and was rolled back");
        }
    }
    connection
}

fn close(connection: Connection) {
    if let Err((_, error)) = connection.close() {
        tracing::error!(%error, "the state file was not closed cleanly; the next start recovers it");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use tokio::task::JoinHandle;

    use crate::storage::{Database, StorageError};

    type Held = JoinHandle<Result<(), StorageError>>;

    fn file() -> (tempfile::TempDir, Database) {
        let place = tempfile::tempdir().unwrap();
        let database = Database::open(&place.path().join("state.db")).unwrap();
        (place, database)
    }

    async fn keys(database: &Database) -> i64 {
        let count =
            |c: &rusqlite::Connection| c.query_row("SELECT count(*) FROM server_keys", [], |row| row.get(0));
        database.read(count).await.unwrap()
    }

    const INSERT: &str = "INSERT INTO server_keys (purpose, created, key) VALUES ('test', 1, x'00')";

    /// Somebody who reads for as long as the sender is there: a report.
    async fn long_read(database: &Database) -> (Sender<()>, Held) {
        let (go_on, wait) = channel::<()>();
        let (begun, reading) = tokio::sync::oneshot::channel();
        let database = database.clone();
        let held = tokio::spawn(async move {
            let report = move |c: &rusqlite::Connection| {
                let mut statement = c.prepare("SELECT purpose FROM server_keys UNION ALL SELECT ''")?;
                let mut rows = statement.query([])?;
                rows.next()?;
                let _ = begun.send(());
                let _ = wait.recv();
                rows.next().map(drop)
            };
            database.read(report).await
        });
        reading.await.unwrap();
        (go_on, held)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_sign_in_waits_for_a_report() {
        let (_place, database) = file();
        let (go_on, held) = long_read(&database).await;
        database.write(|c| c.execute(INSERT, [])).await.unwrap();
        assert_eq!(keys(&database).await, 1, "and who reads now sees it");
        drop(go_on);
        held.await.unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_report_waits_for_a_sign_in() {
        let (_place, database) = file();
        let (go_on, wait) = channel::<()>();
        let (begun, writing) = tokio::sync::oneshot::channel();
        let writer = database.clone();
        let held: Held = tokio::spawn(async move {
            let insert = move |c: &mut rusqlite::Connection| {
                let transaction = c.transaction()?;
                transaction.execute(INSERT, [])?;
                let _ = begun.send(());
                let _ = wait.recv();
                transaction.commit()
            };
            writer.write(insert).await
        });
        writing.await.unwrap();
        assert_eq!(keys(&database).await, 0, "what is not committed is not there");
        drop(go_on);
        held.await.unwrap().unwrap();
        assert_eq!(keys(&database).await, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_is_closed_once_the_last_report_is_done() {
        let (place, database) = file();
        let (go_on, held) = long_read(&database).await;
        let closed = database.closed();
        held.abort();
        let end = std::thread::spawn(move || drop(database));
        drop(go_on);
        closed.await;
        end.join().unwrap();
        assert!(!place.path().join("state.db-wal").exists(), "the log was moved into the file");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_report_may_hold_the_last_handle() {
        let (_place, database) = file();
        let (closed, last) = (database.closed(), database.clone());
        let (go_on, wait) = channel::<()>();
        let (begun, reading) = tokio::sync::oneshot::channel();
        let held = tokio::spawn(async move {
            let report = move |_: &rusqlite::Connection| {
                let _ = begun.send(());
                let _ = wait.recv();
                drop(last);
                Ok(())
            };
            database.read(report).await
        });
        reading.await.unwrap();
        held.abort();
        let _ = held.await;
        drop(go_on);
        closed.await;
    }

    #[tokio::test]
    async fn who_reads_cannot_write() {
        let (_place, database) = file();
        database.read(|c| c.execute(INSERT, [])).await.unwrap_err();
        assert_eq!(keys(&database).await, 0);
    }
}
