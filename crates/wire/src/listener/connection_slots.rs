//! How many connections may be open: on one listener over all its workers, and on one worker among them.
//!
//! A [`ConnectionGuard`] is one open connection, counted on both from [`WorkerSlots::enter`] until it is dropped;
//! whatever goes on with a connection (an upgraded stream too) holds it. Where all slots are taken, a newcomer waits
//! in `enter` and three things end its wait: a guard of any worker is dropped (`left`), its own worker closes a
//! silent connection (`evict`), or another worker does, which is asked to by `wanted`.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::stats::ConnectionStats;

/// How often a newcomer that waits for a slot looks again: no event says that a connection has fallen silent.
const AGAIN: Duration = Duration::from_millis(100);

/// The connections open on one listener, over all its workers.
#[derive(Debug, Default)]
pub(super) struct ConnectionSlots {
    taken: AtomicUsize,
    left: Notify,
    wanted: Notify,
}

impl ConnectionSlots {
    /// Takes a slot where fewer than `limit` are taken.
    fn try_enter(&self, limit: usize) -> bool {
        self.taken.fetch_update(Relaxed, Relaxed, |taken| (taken < limit).then_some(taken + 1)).is_ok()
    }
}

/// The connections of one worker among them.
#[derive(Debug)]
pub(super) struct WorkerSlots {
    listener: Arc<ConnectionSlots>,
    taken: AtomicUsize,
    left: Notify,
}

impl WorkerSlots {
    pub(super) fn new(listener: &Arc<ConnectionSlots>) -> Arc<Self> {
        Arc::new(Self { listener: Arc::clone(listener), taken: AtomicUsize::new(0), left: Notify::new() })
    }

    /// Ends when a newcomer waits for a slot on another worker.
    pub(super) async fn wanted(&self) {
        self.listener.wanted.notified().await;
    }

    /// Takes a slot for an accepted connection, once there are fewer than `limit`: `evict` closes a silent
    /// connection of this worker where it finds one, and the other workers are asked for one of theirs.
    pub(super) async fn enter(
        self: &Arc<Self>,
        limit: usize,
        stats: &Arc<ConnectionStats>,
        mut evict: impl FnMut() -> bool,
    ) -> ConnectionGuard {
        loop {
            // Registered before the slot is tried: a connection that ends in between would go unnoticed.
            let mut left = pin!(self.listener.left.notified());
            left.as_mut().enable();
            if self.listener.try_enter(limit) {
                self.taken.fetch_add(1, Relaxed);
                stats.accept();
                return ConnectionGuard { worker: Arc::clone(self), stats: Arc::clone(stats) };
            }
            if !evict() {
                self.listener.wanted.notify_waiters();
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
pub(super) struct ConnectionGuard {
    worker: Arc<WorkerSlots>,
    stats: Arc<ConnectionStats>,
}

impl ConnectionGuard {
    pub(super) const fn stats(&self) -> &Arc<ConnectionStats> {
        &self.stats
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.worker.taken.fetch_sub(1, Relaxed);
        self.worker.left.notify_one();
        self.worker.listener.taken.fetch_sub(1, Relaxed);
        self.worker.listener.left.notify_waiters();
    }
}
