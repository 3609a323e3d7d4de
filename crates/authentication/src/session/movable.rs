//! A session store that can move to another process while it is used.
//!
//! It is *at* a store, or *moving*. [`MovableStore::suspend`] takes it from the first to the second,
//! [`MovableStore::resume_at`] back, at another store or the same. Operations that have begun end at the store where
//! they began. What comes while it moves waits, for a minute at most, and then goes to the new store; after that
//! minute it fails as with any store that is away. Nothing is ever sent to two stores.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::store::{
    Bound, ChildInserted, Inserted, LateCard, Marking, NewBinding, PurgeCriteria, RecordUpdate,
    RememberedEnd, RemovedFamily, SessionStore, SignInUnderWay, StoreFuture, StoreUpkeep, StoredFamily,
    StoredOverview, StoredSelector, StoredSession, Touch, Updated,
};
use super::{SessionEnd, SessionId, StoreUnavailable};
use crate::clock::Timestamp;

/// How long an operation waits for a store that is on its way.
const MOVING: Duration = Duration::from_secs(60);

/// A store in front of the one that is in use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MovableStore(watch::Sender<Stage>);

#[derive(Clone, Debug)]
enum Stage {
    At(Arc<dyn SessionStore>),
    /// Between two places: operations wait.
    Moving,
}

#[derive(Debug, thiserror::Error)]
#[error("the session store has been on its way to another process for {} seconds", MOVING.as_secs())]
struct StillMoving;

impl MovableStore {
    /// One that begins at `store`.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self(watch::Sender::new(Stage::At(store)))
    }

    /// Lets go of the store in use. Operations under way still end there; those that come now wait for
    /// [`MovableStore::resume_at`], a minute at most.
    pub fn suspend(&self) {
        self.0.send_replace(Stage::Moving);
    }

    /// Operations go to `store` from now on, those that wait first.
    pub fn resume_at(&self, store: Arc<dyn SessionStore>) {
        self.0.send_replace(Stage::At(store));
    }

    async fn current(&self) -> Result<Arc<dyn SessionStore>, StoreUnavailable> {
        let mut stage = self.0.subscribe();
        let arrived = tokio::time::timeout(MOVING, stage.wait_for(|stage| stage.store().is_some())).await;
        let store = arrived.ok().and_then(Result::ok).and_then(|stage| stage.store().cloned());
        store.ok_or_else(|| StoreUnavailable::new(StillMoving))
    }
}

impl Stage {
    fn store(&self) -> Option<&Arc<dyn SessionStore>> {
        match self {
            Self::At(store) => Some(store),
            Self::Moving => None,
        }
    }
}

impl SessionStore for MovableStore {
    fn insert_root(
        &self,
        family: StoredFamily,
        session: StoredSession,
        sign_in: SignInUnderWay,
    ) -> StoreFuture<'_, Inserted> {
        Box::pin(async move { self.current().await?.insert_root(family, session, sign_in).await })
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, ChildInserted> {
        Box::pin(async move { self.current().await?.insert_child(session).await })
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move { self.current().await?.load(id).await })
    }

    fn update_record(&self, update: RecordUpdate) -> StoreFuture<'_, Updated> {
        Box::pin(async move { self.current().await?.update_record(update).await })
    }

    fn mark(&self, marking: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        Box::pin(async move { self.current().await?.mark(marking).await })
    }

    fn add_card(&self, card: LateCard) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.add_card(card).await })
    }

    fn bind(&self, binding: NewBinding) -> StoreFuture<'_, Bound> {
        Box::pin(async move { self.current().await?.bind(binding).await })
    }

    fn count_proof(&self, session: SessionId, version: u32) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.current().await?.count_proof(session, version).await })
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.touch(touches).await })
    }

    fn remove_family(&self, id: SessionId, why: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        Box::pin(async move { self.current().await?.remove_family(id, why).await })
    }

    fn remove_families(&self, roots: Vec<SessionId>, why: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        Box::pin(async move { self.current().await?.remove_families(roots, why).await })
    }

    fn find(
        &self,
        selector: StoredSelector,
        after: Option<SessionId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<StoredOverview>> {
        Box::pin(async move { self.current().await?.find(selector, after, limit).await })
    }

    fn remember_end(&self, end: RememberedEnd) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.remember_end(end).await })
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.record_ending(id).await })
    }

    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        Some(self)
    }
}

/// That of the store in use; nothing to do where another process does it.
impl StoreUpkeep for MovableStore {
    fn forget_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let store = self.current().await?;
            match store.upkeep() {
                Some(upkeep) => upkeep.forget_ending(id).await,
                None => Ok(()),
            }
        })
    }

    fn recorded_endings(&self) -> Vec<SessionId> {
        let stage = self.0.borrow();
        stage.store().and_then(|store| store.upkeep()).map_or_else(Vec::new, StoreUpkeep::recorded_endings)
    }

    fn purge(&self, criteria: PurgeCriteria) -> StoreFuture<'_, Vec<RemovedFamily>> {
        Box::pin(async move {
            let store = self.current().await?;
            match store.upkeep() {
                Some(upkeep) => upkeep.purge(criteria).await,
                None => Ok(Vec::new()),
            }
        })
    }

    fn forget_ends(&self, now: Timestamp) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let store = self.current().await?;
            match store.upkeep() {
                Some(upkeep) => upkeep.forget_ends(now).await,
                None => Ok(false),
            }
        })
    }

    fn shrink(&self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let store = self.current().await?;
            match store.upkeep() {
                Some(upkeep) => upkeep.shrink().await,
                None => Ok(false),
            }
        })
    }
}
