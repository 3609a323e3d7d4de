//! Sessions for the tests of other rooms.

#![allow(clippy::unwrap_used, reason = "it fails as tests do")]

use std::sync::Arc;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::identity::Principal;
use crate::storage::Database;

/// Keys of the tests.
#[must_use]
pub fn keys() -> StateKeys {
    StateKeys::derive(&[[7; 32]]).unwrap()
}

/// Somebody who signs in on `host` now, with nothing that the provider gave.
#[must_use]
pub fn sign_in(host: &str, principal: Arc<Principal>, clock: &Clock) -> NewSession {
    NewSession::Root {
        host: host.to_owned(),
        principal,
        tokens: Tokens::default(),
        sid: None,
        origin: SignInOrigin::default(),
        began: clock.now(),
    }
}

/// A store that ends with the test, for several [`Sessions`] to share.
#[must_use]
pub fn store() -> Arc<dyn SessionStore> {
    Arc::new(EmbeddedStore::new(Database::in_memory().unwrap()))
}

/// What makes sessions of a family that no store knows.
#[must_use]
pub fn family_grant() -> FamilyGrant {
    FamilyGrant { root: SessionId::from_bytes([9; 32]), key: seal::FamilyKey::random() }
}

/// Sessions that end with the test.
#[must_use]
pub fn sessions(clock: &Clock) -> Sessions {
    Sessions::new(SessionSettings::default(), store(), keys(), clock.clone())
}

/// Sessions whose store does not answer.
#[must_use]
pub fn away(clock: &Clock) -> Sessions {
    Sessions::new(SessionSettings::default(), Arc::new(Away), keys(), clock.clone())
}

#[derive(Debug)]
struct Away;

fn away_now<T: Send + 'static>() -> StoreFuture<'static, T> {
    Box::pin(async { Err(StoreUnavailable::new(std::io::Error::other("away"))) })
}

impl SessionStore for Away {
    fn insert_root(&self, _: StoredFamily, _: StoredSession, _: SignInUnderWay) -> StoreFuture<'_, Inserted> {
        away_now()
    }

    fn insert_child(&self, _: StoredSession) -> StoreFuture<'_, ChildInserted> {
        away_now()
    }

    fn load(&self, _: SessionId) -> StoreFuture<'_, Option<(StoredFamily, StoredSession)>> {
        away_now()
    }

    fn update_record(&self, _: RecordUpdate) -> StoreFuture<'_, Updated> {
        away_now()
    }

    fn mark(&self, _: Marking) -> StoreFuture<'_, Vec<SessionId>> {
        away_now()
    }

    fn add_card(&self, _: LateCard) -> StoreFuture<'_, ()> {
        away_now()
    }

    fn bind(&self, _: NewBinding) -> StoreFuture<'_, Bound> {
        away_now()
    }

    fn count_proof(&self, _: SessionId, _: u32) -> StoreFuture<'_, bool> {
        away_now()
    }

    fn touch(&self, _: Vec<Touch>) -> StoreFuture<'_, ()> {
        away_now()
    }

    fn remove_family(&self, _: SessionId, _: SessionEnd) -> StoreFuture<'_, Option<RemovedFamily>> {
        away_now()
    }

    fn remove_families(&self, _: Vec<SessionId>, _: SessionEnd) -> StoreFuture<'_, Vec<RemovedFamily>> {
        away_now()
    }

    fn find(&self, _: StoredSelector, _: Option<SessionId>, _: u32) -> StoreFuture<'_, Vec<StoredOverview>> {
        away_now()
    }

    fn remember_end(&self, _: RememberedEnd) -> StoreFuture<'_, ()> {
        away_now()
    }

    fn record_ending(&self, _: SessionId) -> StoreFuture<'_, ()> {
        away_now()
    }

    fn upkeep(&self) -> Option<&dyn StoreUpkeep> {
        Some(self)
    }
}

impl StoreUpkeep for Away {
    fn forget_ending(&self, _: SessionId) -> StoreFuture<'_, ()> {
        away_now()
    }

    fn recorded_endings(&self) -> Vec<SessionId> {
        Vec::new()
    }

    fn purge(&self, _: PurgeCriteria) -> StoreFuture<'_, Vec<RemovedFamily>> {
        away_now()
    }

    fn forget_ends(&self, _: Timestamp) -> StoreFuture<'_, bool> {
        away_now()
    }

    fn shrink(&self) -> StoreFuture<'_, bool> {
        away_now()
    }
}
