//! What is good once, until a time of its own: remembered by digest until then.

use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::clock::{Clock, Timestamp};

/// The most digests that are remembered at a time.
const CAPACITY: u64 = 100_000;

/// Digests of what has been used, each with the time from which on it may be forgotten, by the gateway's clock.
#[derive(Debug)]
pub(super) struct SingleUse {
    used: Cache<[u8; 32], Timestamp>,
    clock: Clock,
}

impl SingleUse {
    /// `at_most`: how long the cache keeps an entry by a clock of its own, where that bounds it.
    pub(super) fn new(clock: Clock, at_most: Option<Duration>) -> Self {
        // The least recently used goes first, for its time is the first to be over.
        let mut used = Cache::builder().max_capacity(CAPACITY).eviction_policy(EvictionPolicy::lru());
        if let Some(at_most) = at_most {
            used = used.time_to_live(at_most);
        }
        Self { used: used.build(), clock }
    }

    /// Whether it is used for the first time; it is remembered until what `until` says of the present. Of several that
    /// come at once, one is the first.
    pub(super) fn spend(&self, digest: [u8; 32], until: impl FnOnce(Timestamp) -> Timestamp) -> bool {
        let now = self.clock.now();
        self.used.entry(digest).or_insert_with_if(|| until(now), |end| *end <= now).is_fresh()
    }

    /// Takes its use back.
    pub(super) fn forget(&self, digest: &[u8; 32]) {
        self.used.invalidate(digest);
    }
}
