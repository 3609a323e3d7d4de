//! Engines for the tests of other rooms.

use std::time::Duration;

use super::{
    Acquired, Holder, LeaseStore, OneTimeName, OneTimeStore, Put, RateError, RateFuture, RateKey, RateStore,
};
use crate::session::{SessionId, StoreFuture, StoreUnavailable};

/// A store that does not answer.
#[derive(Debug)]
pub struct Away;

fn away() -> StoreUnavailable {
    StoreUnavailable::new(std::io::Error::other("away"))
}

impl OneTimeStore for Away {
    fn put(&self, _: OneTimeName, _: Vec<u8>, _: Duration) -> StoreFuture<'_, Put> {
        Box::pin(async { Err(away()) })
    }

    fn replace(&self, _: OneTimeName, _: Vec<u8>, _: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async { Err(away()) })
    }

    fn take(&self, _: OneTimeName) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Err(away()) })
    }
}

impl LeaseStore for Away {
    fn acquire(&self, _: SessionId, _: Holder, _: Duration) -> StoreFuture<'_, Acquired> {
        Box::pin(async { Err(away()) })
    }

    fn renew(&self, _: SessionId, _: Holder, _: Duration) -> StoreFuture<'_, bool> {
        Box::pin(async { Err(away()) })
    }

    fn release(&self, _: SessionId, _: Holder, _: Option<Duration>) -> StoreFuture<'_, ()> {
        Box::pin(async { Err(away()) })
    }
}

impl RateStore for Away {
    fn count(&self, _: [u8; 32], _: Vec<RateKey>) -> RateFuture<'_> {
        Box::pin(async { Err(RateError::Away(away())) })
    }
}
