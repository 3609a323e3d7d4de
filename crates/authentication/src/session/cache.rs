//! Sessions in memory, and the rule that nothing read before a change is kept after it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use super::{Session, SessionId};

/// Enough that changes of different sessions seldom meet.
const SHARDS: usize = 64;

/// The cache in front of the store. Its fast path takes no lock of ours.
#[derive(Debug)]
pub(super) struct SessionCache {
    sessions: Cache<SessionId, Arc<Session>>,
    changes: [Changes; SHARDS],
}

/// How many changes have happened. Counted and acted upon under the lock, read without it.
#[derive(Debug, Default)]
struct Changes {
    lock: Mutex<()>,
    count: AtomicU64,
}

/// How many changes had happened when something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl SessionCache {
    pub(super) fn new(capacity: u64) -> Self {
        let changes = std::array::from_fn(|_| Changes::default());
        Self { sessions: Cache::new(usize::try_from(capacity).unwrap_or(usize::MAX)), changes }
    }

    pub(super) fn get(&self, id: &SessionId) -> Option<Arc<Session>> {
        self.sessions.get(id)
    }

    /// To be taken before the store, or this cache, is asked.
    pub(super) fn mark(&self, id: &SessionId) -> Mark {
        Mark(self.changes(id).count.load(Ordering::Acquire))
    }

    /// Keeps what `make` gives, unless the session has changed since `mark`: otherwise a session loaded
    /// just before its sign-out would be put back just after it (invariant 8).
    pub(super) fn keep(
        &self,
        id: &SessionId,
        mark: Mark,
        make: impl FnOnce() -> Arc<Session>,
    ) -> Option<Arc<Session>> {
        let _held = self.changes(id).hold();
        mutant!(self.mark(id) == mark, "put-back-after-its-end" => true).then(|| {
            let session = make();
            self.sessions.insert(*id, Arc::clone(&session));
            session
        })
    }

    /// The store's content under `id` has changed.
    pub(super) fn forget(&self, id: &SessionId) {
        let changes = self.changes(id);
        let _held = changes.hold();
        changes.count.fetch_add(1, Ordering::AcqRel);
        self.sessions.remove(id);
    }

    fn changes(&self, id: &SessionId) -> &Changes {
        &self.changes[usize::from(id.as_bytes()[0]) % SHARDS]
    }
}

impl Changes {
    fn hold(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
