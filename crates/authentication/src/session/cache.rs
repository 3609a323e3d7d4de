//! Sessions in memory, and the rule that nothing read before a change is kept after it.
//!
//! For the cache a session is either *absent* or *kept*, and its identifier belongs to one of 64 shards, each of
//! which counts changes: its version.
//!
//! - Who wants to keep a session first takes the version, then reads the store, then calls `keep`. Where the version
//!   is still the same, the session becomes *kept*; otherwise nothing is kept, and the caller reads again.
//! - Whoever changes a session changes the store first and then calls `forget`: the version goes up and the session
//!   becomes *absent*, both under the shard's lock.
//! - So whatever is kept was read after the last change that was made known here. A change of another session of the
//!   shard costs one more read, and never shows anything old. Versions never go down.

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
    shards: [Shard; SHARDS],
}

/// Sessions that share a count of changes. It goes up under the lock, under which sessions are kept and forgotten,
/// too; it is read without.
#[derive(Debug, Default)]
struct Shard {
    lock: Mutex<()>,
    changes: AtomicU64,
}

/// How many changes of a shard had been made known when something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CacheVersion(u64);

impl SessionCache {
    pub(super) fn new(capacity: u64) -> Self {
        let shards = std::array::from_fn(|_| Shard::default());
        Self { sessions: Cache::new(usize::try_from(capacity).unwrap_or(usize::MAX)), shards }
    }

    pub(super) fn get(&self, id: &SessionId) -> Option<Arc<Session>> {
        self.sessions.get(id)
    }

    /// To be taken before the store, or this cache, is asked.
    pub(super) fn version(&self, id: &SessionId) -> CacheVersion {
        CacheVersion(self.shard(id).changes.load(Ordering::Acquire))
    }

    /// Keeps what `make` gives, unless the session has changed since `version`: otherwise a session loaded
    /// just before its sign-out would be put back just after it (invariant 8).
    pub(super) fn keep(
        &self,
        id: &SessionId,
        version: CacheVersion,
        make: impl FnOnce() -> Arc<Session>,
    ) -> Option<Arc<Session>> {
        let _held = self.shard(id).hold();
        mutant!(self.version(id) == version, "put-back-after-its-end" => true).then(|| {
            let session = make();
            self.sessions.insert(*id, Arc::clone(&session));
            session
        })
    }

    /// The store's content under `id` has changed.
    pub(super) fn forget(&self, id: &SessionId) {
        let shard = self.shard(id);
        let _held = shard.hold();
        shard.changes.fetch_add(1, Ordering::AcqRel);
        self.sessions.remove(id);
    }

    /// Whatever is being read now is read again before it is kept.
    pub(super) fn read_again(&self) {
        for shard in &self.shards {
            let _held = shard.hold();
            shard.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Everything in the store may have changed.
    pub(super) fn forget_all(&self) {
        self.read_again();
        self.sessions.clear();
        // What was kept in between was read before: whoever holds it apart from the cache is told as well.
        self.read_again();
    }

    fn shard(&self, id: &SessionId) -> &Shard {
        &self.shards[usize::from(id.as_bytes()[0]) % SHARDS]
    }
}

impl Shard {
    fn hold(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
