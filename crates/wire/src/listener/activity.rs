//! What a connection is busy with, and how long it may go on so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use super::ConnectionLimits;

/// What a connection is busy with; shared by its byte stream, its requests and its timer, which all run on one worker.
///
/// [`Activity::due`] reads the first that holds, and its time limit:
/// - blocked: the peer does not take our bytes, since `blocked` (stalled);
/// - in flight: a request is being answered, and nothing is due;
/// - head: one has begun at `since` and is not whole (slowloris);
/// - silent since `since`: a kept-alive connection, or one that nothing has come of yet.
///
/// What becomes due earlier than the timer was set for is told by `changed`; anything later it finds out itself.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    /// Requests whose response has not ended.
    in_flight: AtomicUsize,
    /// Milliseconds from `start` to the present head's first byte or to the last response's end.
    since: AtomicU64,
    /// Whether a head has begun and is not whole.
    head: AtomicBool,
    /// Whether anything has come since the connection was open for HTTP.
    heard: AtomicBool,
    /// Since when the peer has not taken our bytes: milliseconds from `start` plus one; 0: it takes them.
    blocked: AtomicU64,
    /// Whether the connection is to end with what is under way.
    leaving: AtomicBool,
    /// Whether something may be due earlier than it was.
    changed: AtomicBool,
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
            heard: AtomicBool::new(false),
            blocked: AtomicU64::new(0),
            leaving: AtomicBool::new(false),
            changed: AtomicBool::new(false),
        })
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The connection is open for HTTP: the time for its first byte runs from now.
    pub(super) fn open(&self) {
        self.since.store(self.elapsed(), Relaxed);
    }

    /// Notes that the peer has sent something since the connection was open for HTTP.
    pub(super) fn heard(&self) {
        self.heard.store(true, Relaxed);
    }

    /// Whether anything has come of HTTP so far.
    pub(super) fn was_heard(&self) -> bool {
        self.heard.load(Relaxed)
    }

    /// Whether the connection may be closed for a newcomer's sake: it waits for the peer, and nothing is lost but
    /// time.
    pub(super) fn is_evictable(&self, limits: &ConnectionLimits) -> bool {
        if self.in_flight.load(Relaxed) == 0 {
            return true;
        }
        let blocked = self.blocked.load(Relaxed);
        blocked > 0 && self.start.elapsed() >= Duration::from_millis(blocked - 1) + limits.evict_stalled
    }

    /// Notes whether a head has begun and is not whole.
    pub(super) fn head(&self, begun: bool) {
        if self.head.swap(begun, Relaxed) != begun && begun {
            self.heard();
            self.since.store(self.elapsed(), Relaxed);
            self.changed.store(true, Relaxed);
        }
    }

    /// Notes whether the peer did not take our bytes.
    pub(super) fn blocked(&self, blocked: bool) {
        let known = self.blocked.load(Relaxed) != 0;
        if known != blocked {
            self.blocked.store(if blocked { self.elapsed() + 1 } else { 0 }, Relaxed);
        }
    }

    /// The connection takes no request that has not begun.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    /// Counts a request until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        self.heard();
        InFlight(Arc::clone(self))
    }

    /// When to look next, and why the connection's time is up if nothing has changed by then.
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
            let silence = if self.heard.load(Relaxed) { limits.idle } else { limits.head.min(limits.idle) };
            (after(since, silence), Some(Expiry::Idle))
        }
    }

    /// Ends when the connection has been at one thing for too long.
    pub(super) async fn expired(&self, limits: &ConnectionLimits) -> Expiry {
        let mut alarm = self.alarm(limits);
        std::future::poll_fn(|cx| alarm.poll(cx)).await
    }

    /// The timer that tells so. It has to be polled after the connection, by the same task.
    pub(super) fn alarm<'a>(&'a self, limits: &'a ConnectionLimits) -> Alarm<'a> {
        Alarm { activity: self, limits, sleep: None }
    }
}

/// The timer of a connection. Every wake of the connection polls it, so that it looks at no clock and asks no
/// timer unless its own time has come or the connection has turned to something else.
#[derive(Debug)]
pub(super) struct Alarm<'a> {
    activity: &'a Activity,
    limits: &'a ConnectionLimits,
    /// Boxed, as it must not move once it has been polled; `None` before that.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm<'_> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Expiry> {
        let waits = self.sleep.as_ref().is_some_and(|sleep| !sleep.is_elapsed());
        // Read before it is written: it is hardly ever true, and every wake would write.
        if waits && !self.activity.changed.load(Relaxed) {
            return Poll::Pending;
        }
        self.activity.changed.store(false, Relaxed);
        loop {
            match self.activity.due(self.limits) {
                (at, Some(expiry)) if at <= Instant::now() => return Poll::Ready(expiry),
                (at, _) => ready!(self.wait(at, cx)),
            }
        }
    }

    fn wait(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        sleep.as_mut().reset(at);
        // Unconstrained: where a task has used up its budget, tokio answers in the timer's place, which then
        // does not know whom to wake.
        Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx)
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
