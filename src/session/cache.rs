//! Sessions in memory, and the rule that nothing read before a change is kept after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::sync::Cache;

use super::{Session, SessionId};

/// Enough that changes of different sessions seldom meet.
const SHARDS: usize = 64;

/// The cache in front of the store. Its fast path takes no lock of ours.
#[derive(Debug)]
pub(super) struct SessionCache {
    sessions: Cache<SessionId, Arc<Session>>,
    changes: [Mutex<u64>; SHARDS],
}

/// How many changes had happened when something was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u64);

impl SessionCache {
    pub(super) fn new(capacity: u64) -> Self {
        let changes = std::array::from_fn(|_| Mutex::new(0));
        Self { sessions: Cache::new(capacity), changes }
    }

    pub(super) fn get(&self, id: &SessionId) -> Option<Arc<Session>> {
        self.sessions.get(id)
    }

    /// To be taken before the store is asked.
    pub(super) fn mark(&self, id: &SessionId) -> Mark {
        Mark(*self.count(id))
    }

    /// Keeps what `make` gives, unless the session has changed since `mark`: otherwise a session loaded
    /// just before its sign-out would be put back just after it (invariant 8).
    pub(super) fn keep(
        &self,
        id: &SessionId,
        mark: Mark,
        make: impl FnOnce() -> Arc<Session>,
    ) -> Option<Arc<Session>> {
        let count = self.count(id);
        (*count == mark.0).then(|| {
            let session = make();
            self.sessions.insert(*id, Arc::clone(&session));
            session
        })
    }

    /// The store's content under `id` has changed.
    pub(super) fn forget(&self, id: &SessionId) {
        let mut count = self.count(id);
        *count = count.wrapping_add(1);
        self.sessions.invalidate(id);
    }

    fn count(&self, id: &SessionId) -> MutexGuard<'_, u64> {
        let shard = usize::from(id.as_bytes()[0]) % SHARDS;
        self.changes[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
