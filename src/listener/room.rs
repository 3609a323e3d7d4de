//! Places for connections: of one listener over all its workers, and of one worker.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::Refusal;
use super::stats::ConnectionStats;

/// How often somebody who waits for a place asks again: a connection that falls silent tells nobody.
const AGAIN: Duration = Duration::from_millis(100);

/// The connections open on one listener, over all its workers.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: AtomicUsize,
    left: Notify,
    wanted: Notify,
}

impl Room {
    /// Takes a place where fewer than `limit` are taken.
    fn try_enter(&self, limit: usize) -> bool {
        self.taken.fetch_update(Relaxed, Relaxed, |taken| (taken < limit).then_some(taken + 1)).is_ok()
    }

    /// Ends when somebody of another worker waits for a place.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

/// The connections of one worker among them.
#[derive(Debug)]
pub(super) struct WorkerRoom {
    room: Arc<Room>,
    taken: AtomicUsize,
    left: Notify,
}

impl WorkerRoom {
    pub(super) fn of(room: &Arc<Room>) -> Arc<Self> {
        Arc::new(Self { room: Arc::clone(room), taken: AtomicUsize::new(0), left: Notify::new() })
    }

    pub(super) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Takes a seat for an accepted connection, once there are fewer than `limit`: `evict` closes a silent
    /// connection of this worker where it finds one, and the other workers are asked for one of theirs.
    pub(super) async fn enter(
        self: &Arc<Self>,
        limit: usize,
        stats: &Arc<ConnectionStats>,
        mut evict: impl FnMut() -> bool,
    ) -> Seat {
        loop {
            // Before it is tried: whoever leaves meanwhile is heard.
            let mut left = pin!(self.room.left.notified());
            left.as_mut().enable();
            if self.room.try_enter(limit) {
                self.taken.fetch_add(1, Relaxed);
                stats.accept();
                return Seat { worker: Arc::clone(self), stats: Arc::clone(stats) };
            }
            if !evict() {
                self.room.wanted.notify_waiters();
            }
            let _ = timeout(AGAIN, left).await;
        }
    }

    /// Ends when the worker has no connection any more. Only one waits at a time: the accept loop.
    pub(super) async fn empty(&self) {
        while self.taken.load(Relaxed) > 0 {
            self.left.notified().await;
        }
    }
}

/// One open connection, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    worker: Arc<WorkerRoom>,
    stats: Arc<ConnectionStats>,
}

impl Seat {
    pub(super) fn count(&self, refusal: Refusal) {
        self.stats.count(refusal);
    }

    pub(super) fn stats(&self) -> Arc<ConnectionStats> {
        Arc::clone(&self.stats)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.worker.taken.fetch_sub(1, Relaxed);
        self.worker.left.notify_one();
        self.worker.room.taken.fetch_sub(1, Relaxed);
        self.worker.room.left.notify_waiters();
    }
}
