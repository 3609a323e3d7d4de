//! A session store that can move to another process while it is used.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::store::{
    Expiry, Inserted, RemovedFamily, SessionStore, StoreFuture, StoredFamily, StoredSession, Touch,
};
use super::{SessionId, StoreUnavailable};

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
struct Lost;

impl MovableStore {
    /// One that begins at `store`.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self(watch::Sender::new(Stage::At(store)))
    }

    /// Lets go of the store in use. Operations under way still end there; those that come now wait for
    /// [`MovableStore::arrive`], a minute at most.
    pub fn depart(&self) {
        self.0.send_replace(Stage::Moving);
    }

    /// Operations go to `store` from now on, those that wait first.
    pub fn arrive(&self, store: Arc<dyn SessionStore>) {
        self.0.send_replace(Stage::At(store));
    }

    async fn current(&self) -> Result<Arc<dyn SessionStore>, StoreUnavailable> {
        let mut stage = self.0.subscribe();
        let arrived = tokio::time::timeout(MOVING, stage.wait_for(|stage| stage.store().is_some())).await;
        let store = arrived.ok().and_then(Result::ok).and_then(|stage| stage.store().cloned());
        store.ok_or_else(|| StoreUnavailable::new(Lost))
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
    fn insert_root(&self, family: StoredFamily, session: StoredSession) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.insert_root(family, session).await })
    }

    fn insert_child(&self, session: StoredSession) -> StoreFuture<'_, Inserted> {
        Box::pin(async move { self.current().await?.insert_child(session).await })
    }

    fn load(&self, id: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        Box::pin(async move { self.current().await?.load(id).await })
    }

    fn update_record(&self, root: SessionId, record: Vec<u8>) -> StoreFuture<'_, Vec<SessionId>> {
        Box::pin(async move { self.current().await?.update_record(root, record).await })
    }

    fn touch(&self, touches: Vec<Touch>) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.touch(touches).await })
    }

    fn remove_family(&self, id: SessionId) -> StoreFuture<'_, Option<RemovedFamily>> {
        Box::pin(async move { self.current().await?.remove_family(id).await })
    }

    fn record_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.record_ending(id).await })
    }

    fn forget_ending(&self, id: SessionId) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.current().await?.forget_ending(id).await })
    }

    fn recorded_endings(&self) -> Vec<SessionId> {
        self.0.borrow().store().map_or_else(Vec::new, |store| store.recorded_endings())
    }

    fn purge(&self, expiry: Expiry) -> StoreFuture<'_, Vec<RemovedFamily>> {
        Box::pin(async move { self.current().await?.purge(expiry).await })
    }

    fn shrink(&self) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.current().await?.shrink().await })
    }
}
