//! What a connection is busy with, and how long it may go on so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::ConnectionLimits;

/// Shared by a connection's byte stream, its requests and its timer; all of them run on one worker.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    /// Requests whose response has not ended.
    in_flight: AtomicUsize,
    /// Milliseconds from `start` to the present head's first byte or to the last response's end.
    since: AtomicU64,
    head: AtomicBool,
    /// Milliseconds from `start` plus one; 0: the peer takes what we send.
    blocked: AtomicU64,
    tunnel: AtomicBool,
    changed: Notify,
}

/// Why a connection's time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// No request for long.
    Idle,
    /// A head that does not end (slowloris, invariant 14).
    Head,
    /// A peer that reads nothing.
    Stalled,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            in_flight: AtomicUsize::new(0),
            since: AtomicU64::new(0),
            head: AtomicBool::new(false),
            blocked: AtomicU64::new(0),
            tunnel: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether a head has begun and is not whole.
    pub(super) fn head(&self, begun: bool) {
        if self.head.swap(begun, Relaxed) != begun && begun {
            self.since.store(self.elapsed(), Relaxed);
            self.changed.notify_one();
        }
    }

    /// Whether the peer did not take our bytes.
    pub(super) fn blocked(&self, blocked: bool) {
        let known = self.blocked.load(Relaxed) != 0;
        if known != blocked {
            self.blocked.store(if blocked { self.elapsed() + 1 } else { 0 }, Relaxed);
        }
    }

    /// The connection no longer speaks HTTP.
    pub(super) fn become_tunnel(&self) {
        self.tunnel.store(true, Relaxed);
    }

    pub(super) fn is_tunnel(&self) -> bool {
        self.tunnel.load(Relaxed)
    }

    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(Arc::clone(self))
    }

    /// When to look next, and what is the matter if nothing has changed by then.
    fn due(&self, limits: &ConnectionLimits) -> (Instant, Option<Expiry>) {
        let after = |millis: u64, span: Duration| self.start + Duration::from_millis(millis) + span;
        let blocked = self.blocked.load(Relaxed);
        let since = self.since.load(Relaxed);
        if blocked > 0 {
            (after(blocked - 1, limits.idle), Some(Expiry::Stalled))
        } else if self.in_flight.load(Relaxed) > 0 {
            (Instant::now() + limits.idle, None)
        } else if self.head.load(Relaxed) {
            (after(since, limits.head), Some(Expiry::Head))
        } else {
            (after(since, limits.idle), Some(Expiry::Idle))
        }
    }

    /// Ends when the connection has been at one thing for too long.
    pub(super) async fn expired(&self, limits: &ConnectionLimits) -> Expiry {
        loop {
            match self.due(limits) {
                (at, Some(expiry)) if at <= Instant::now() => return expiry,
                (at, _) => {
                    let _ = tokio::time::timeout_at(at, self.changed.notified()).await;
                }
            }
        }
    }
}

/// A request under way: until it is dropped, silence is not idleness.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.0.since.store(self.0.elapsed(), Relaxed);
        }
    }
}
