//! The sessions of this process as the store of another one, which drains: what that one changes is seen here
//! at once, and what has ended here opens nothing there.

use std::sync::Arc;

use super::sessions::SessionsInner;
use super::store::{
    Inserted, RemovedFamily, SessionStore, StoreFuture, StoreUpkeep, StoredFamily, StoredSession, Touch,
};
use super::{SessionEnd, SessionId, Sessions};

#[derive(Debug)]
struct SharedStore(Arc<SessionsInner>);

impl Sessions {
    /// The store for a process that this one has taken over from.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn SessionStore> {
        Arc::new(SharedStore(Arc::clone(&self.0)))
    }
}

impl SessionStore for SharedStore {
    fn insert_root(&self, family: StoredFamily, session: StoredSession) -> StoreFuture<'_, ()> {
        self.0.store.insert_root(family, session)
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, Inserted> {
        match self.0.families.has_ended(&session.root) {
            true => Box::pin(async { Ok(Inserted::RootGone) }),
            false => self.0.store.insert_child(session),
        }
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move {
            let ended = |root: &SessionId| self.0.families.has_ended(root) || self.0.families.has_ended(&id);
            Ok(self.0.store.load(id).await?.filter(|(family, _)| !ended(&family.root)))
        })
    }

    fn update_record(&self, root: SessionId, record: Vec<u8>) -> StoreFuture<'_, Vec<SessionId>> {
        Box::pin(async move {
            if self.0.families.has_ended(&root) {
                return Ok(Vec::new());
            }
            let members = self.0.store.update_record(root, record).await?;
            members.iter().for_each(|id| self.0.cache.forget(id));
            Ok(members)
        })
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        self.0.store.touch(touches)
    }

    fn remove_family(&self, id: SessionId) -> StoreFuture<'_, Option<RemovedFamily>> {
        Box::pin(async move {
            let root = self.0.end_in_memory(id, SessionEnd::SignedOut);
            self.0.remove_ended(root, SessionEnd::SignedOut).await
        })
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        self.0.store.record_ending(self.0.end_in_memory(id, SessionEnd::SignedOut))
    }

    /// This process does it for itself.
    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        None
    }
}
