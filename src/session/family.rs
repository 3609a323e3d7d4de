//! What the sessions of one sign-in share in memory: when they were used, and that they have ended.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;

use super::SessionId;
use crate::clock::Timestamp;

#[derive(Debug)]
pub(super) struct Family {
    pub(super) root: SessionId,
    last_seen: AtomicU64,
    written: AtomicU64,
    ended: AtomicBool,
    cut: Notify,
}

impl Family {
    fn new(root: SessionId, last_seen: Timestamp) -> Self {
        let (seen, written) = (AtomicU64::new(last_seen.seconds()), AtomicU64::new(last_seen.seconds()));
        Self { root, last_seen: seen, written, ended: AtomicBool::new(false), cut: Notify::new() }
    }

    pub(super) fn last_seen(&self) -> Timestamp {
        Timestamp::from_seconds(self.last_seen.load(Ordering::Relaxed))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Notes a use at `now`; true for the one caller that is to have it written: once per `interval`.
    pub(super) fn seen(&self, now: Timestamp, interval: Duration) -> bool {
        // Read first: a store by every request would pass the cache line around all processors.
        if self.last_seen() >= now {
            return false;
        }
        self.last_seen.fetch_max(now.seconds(), Ordering::Relaxed);
        let written = self.written.load(Ordering::Relaxed);
        let due = now.since(Timestamp::from_seconds(written)) >= interval;
        due && self
            .written
            .compare_exchange(written, now.seconds(), Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes back that it would be written.
    pub(super) fn unwritten(&self) {
        self.written.store(0, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.cut.notify_waiters();
    }
}

/// Resolves when a session, or the root it hangs on, has ended. For streams that outlive their request
/// (invariant 8). Costs the stream one allocation; ending wakes only the family's own streams.
pub struct SessionEnded(Pin<Box<dyn Future<Output = ()> + Send>>);

impl SessionEnded {
    pub(super) fn of(family: Arc<Family>) -> Self {
        Self(Box::pin(async move {
            let cut = family.cut.notified();
            tokio::pin!(cut);
            // Listens before it looks, so that an end in between is not missed.
            cut.as_mut().enable();
            if !family.has_ended() {
                cut.await;
            }
        }))
    }
}

impl Future for SessionEnded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionEnded")
    }
}

/// All families that some session in memory belongs to: as many as there are sessions in use.
#[derive(Debug, Default)]
pub(super) struct Families(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    families: HashMap<SessionId, Weak<Family>>,
    sweep_at: usize,
    /// Roots that have ended and that the store still holds: what it says of them does not count
    /// (invariant 23). No more than the store has sessions, since a store that fails takes no new ones.
    ended: HashSet<SessionId>,
}

impl Families {
    /// The family of `root`, shared with whoever holds it already; one that has ended where it, or its session
    /// `id`, has.
    pub(super) fn join(&self, root: SessionId, id: SessionId, last_seen: Timestamp) -> Arc<Family> {
        let mut known = self.known();
        if known.ended.contains(&root) || known.ended.contains(&id) {
            let family = Family::new(root, last_seen);
            family.end();
            return Arc::new(family);
        }
        if let Some(family) = known.families.get(&root).and_then(Weak::upgrade) {
            return family;
        }
        known.sweep();
        let family = Arc::new(Family::new(root, last_seen));
        known.families.insert(root, Arc::downgrade(&family));
        family
    }

    /// Ends the family of `root` for everybody who holds it, and for everybody who would join it until
    /// [`Families::gone`].
    pub(super) fn end_for_good(&self, root: SessionId) {
        self.known().ended.insert(root);
        self.end(root);
    }

    /// The store holds the family of `root` no more, and nobody in memory does.
    pub(super) fn gone(&self, root: SessionId) {
        self.known().ended.remove(&root);
    }

    /// Whether `root` has ended and the store does not know it yet.
    pub(super) fn has_ended(&self, root: &SessionId) -> bool {
        self.known().ended.contains(root)
    }

    /// Roots that have ended and that the store still holds.
    pub(super) fn waiting(&self) -> Vec<SessionId> {
        self.known().ended.iter().copied().collect()
    }

    /// How many of them there are.
    pub(super) fn waiting_count(&self) -> usize {
        self.known().ended.len()
    }

    /// Ends the family of `root` for everybody who holds it.
    pub(super) fn end(&self, root: SessionId) {
        let family = self.known().families.remove(&root);
        if let Some(family) = family.and_then(|family| family.upgrade()) {
            family.end();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known().families.len()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Forgets families that nobody holds, whenever their number may have doubled.
    fn sweep(&mut self) {
        if self.families.len() >= self.sweep_at {
            self.families.retain(|_, family| family.strong_count() > 0);
            self.sweep_at = 2 * self.families.len() + 64;
        }
    }
}
