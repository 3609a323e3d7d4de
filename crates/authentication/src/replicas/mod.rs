//! What the replicas of one gateway share beside sessions: what is good once ([`OneTimeStore`]), who is at work on
//! something ([`LeaseStore`]), how much somebody has asked for ([`RateStore`]), and what each has signed of its record
//! ([`SharedHeads`]).
//!
//! Each is a few operations that an engine does whole or not at all. A gateway that is one process keeps the first two
//! in its memory and counts requests on the spot ([`SharedState::local`]); a store of all replicas does them in their
//! place. One suite of tests runs against every engine.

mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod heads;
mod leases;
mod local;
mod one_time;
mod rates;
mod redis;
mod shared_rates;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::RateError;
pub use heads::{SharedHeads, SignedLast};
pub use leases::{Acquired, Holder, Lease, LeaseStore, Leases};
pub use local::LocalStore;
pub use one_time::{OneTimeKind, OneTimeName, OneTimeStore, Put};
pub use rates::{RateDigests, RateFuture, RateKey, RateStore};
pub use redis::RedisShared;
pub use shared_rates::{CountedHere, SharedRates};

use crate::clock::Clock;
use crate::storage::redis::RedisClient;

/// What the replicas share beside sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SharedState {
    /// What is good once.
    pub one_time: Arc<dyn OneTimeStore>,
    /// Who is at work on something.
    pub leases: Leases,
    /// Counts of requests; `None` where each process counts for itself.
    pub rates: Option<Arc<SharedRates>>,
}

impl SharedState {
    /// That of a gateway that is one process.
    #[must_use]
    pub fn local(clock: Clock) -> Self {
        let store = Arc::new(LocalStore::new(clock));
        Self { one_time: Arc::clone(&store) as _, leases: Leases::new(store), rates: None }
    }

    /// That of replicas that share a Redis; counts are kept there under names that `digests` makes.
    #[must_use]
    pub fn in_redis(client: RedisClient, digests: RateDigests, clock: Clock) -> Self {
        let store = Arc::new(RedisShared::new(client));
        Self {
            one_time: Arc::clone(&store) as _,
            leases: Leases::new(Arc::clone(&store) as _),
            rates: Some(Arc::new(SharedRates::new(store, digests, clock))),
        }
    }
}
