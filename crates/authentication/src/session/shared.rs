//! The sessions of this process as the store of another one, which drains: what that one changes is seen here
//! at once, and what has ended here opens nothing there.

use std::sync::Arc;

use super::error::StoreFault;
use super::make::ATTEMPTS;
use super::sessions::SessionsInner;
use super::store::{
    Bound, ChildInserted, Inserted, LateCard, Marking, NewBinding, RecordUpdate, RememberedEnd,
    RemovedFamily, SessionStore, SignInUnderWay, StoreFuture, StoreUpkeep, StoredFamily, StoredOverview,
    StoredSelector, StoredSession, Touch, Updated,
};
use super::{SessionEnd, SessionId, Sessions, StoreUnavailable};

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
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted> {
        self.0.store.insert_root(family, session, sign_in)
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted> {
        match self.0.families.has_ended(&session.root) {
            true => Box::pin(async { Ok(ChildInserted::RootGone) }),
            false => self.0.store.insert_child(session),
        }
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move {
            let ended = |root: &SessionId| self.0.families.has_ended(root) || self.0.families.has_ended(&id);
            for _ in 0..ATTEMPTS {
                let version = self.0.cache.version(&id);
                let row = self.0.store.load(id).await?;
                // A row that was read before its family was removed, and is looked at only afterwards, is read again:
                // by then nobody knows any more that it has ended.
                if self.0.cache.version(&id) == version {
                    return Ok(row.filter(|(family, _)| !ended(&family.root)));
                }
            }
            Err(StoreUnavailable::new(StoreFault::Contended))
        })
    }

    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated> {
        Box::pin(async move {
            if self.0.families.has_ended(&update.root) {
                return Ok(Updated::Gone);
            }
            let updated = self.0.store.update_record(update).await?;
            if let Updated::Done(members) = &updated {
                members.iter().for_each(|id| self.0.cache.forget(id));
            }
            Ok(updated)
        })
    }

    fn mark(&self, marking: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        Box::pin(async move { self.0.mark(marking).await })
    }

    fn add_card(&self, card: LateCard) -> StoreFuture<'_, ()> {
        self.0.store.add_card(card)
    }

    fn bind(&self, binding: NewBinding) -> StoreFuture<'_, Bound> {
        Box::pin(async move {
            let bound = self.0.store.bind(binding).await?;
            if let Bound::Done(members) = &bound {
                members.iter().for_each(|id| self.0.cache.forget(id));
            }
            Ok(bound)
        })
    }

    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool> {
        self.0.store.count_proof(session, version)
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        self.0.store.touch(touches)
    }

    fn remove_family(&self, id: SessionId, why: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        Box::pin(async move {
            let root = self.0.end_in_memory(id, why);
            self.0.remove_ended(root, why).await
        })
    }

    fn remove_families(&self, roots: Vec<SessionId>, why: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        Box::pin(async move {
            for root in &roots {
                self.0.end_in_memory(*root, why);
            }
            let removed = self.0.store.remove_families(roots.clone(), why).await?;
            removed.iter().for_each(|family| self.0.forget_family(family, why));
            roots.iter().for_each(|root| self.0.families.removed(*root));
            Ok(removed)
        })
    }

    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>> {
        self.0.store.find(selector, after, limit)
    }

    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()> {
        self.0.store.remember_end(end)
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        self.0.store.record_ending(self.0.end_in_memory(id, SessionEnd::SignedOut))
    }

    /// This process does it for itself.
    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        None
    }
}
