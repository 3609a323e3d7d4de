//! Bounds on trying keys for strangers: a token that names no key is tried with all of its provider's that could have
//! signed it. What names one costs one check and is not counted: a provider that ends thousands of sessions does so from
//! one address.

use std::num::NonZeroU32;
use std::time::Duration;

use http::HeaderMap;

use crate::clock::Clock;
use crate::limit::{Exceeded, LimitSettings, Limiter, Per, Rate};
use crate::request::ClientAddress;

/// For one address, and for all together: so many tokens a second, and at once.
const PER_ADDRESS: (u32, u32) = (2, 50);
const TOGETHER: (u32, u32) = (20, 200);
/// Addresses that are told apart.
const ADDRESSES: u64 = 10_000;

#[derive(Debug)]
pub(super) struct KeyTrials(Limiter);

impl KeyTrials {
    pub(super) fn new(clock: &Clock) -> Self {
        let limit = |per, (rate, burst): (u32, u32)| LimitSettings {
            per,
            rate: Rate { count: at_least_one(rate), period: Duration::from_secs(1) },
            burst: at_least_one(burst),
        };
        let limits = [limit(Per::Address, PER_ADDRESS), limit(Per::Route, TOGETHER)];
        Self(Limiter::with_clock(&limits, ADDRESSES, clock))
    }

    /// Lets a token of `client` be tried with `keys`, or says for how long not.
    ///
    /// # Errors
    /// Where too many have been tried lately.
    pub(super) fn admit(&self, client: ClientAddress, keys: usize) -> Result<(), Exceeded> {
        if mutant!(keys <= 1, "keys-tried-without-bound" => true) {
            return Ok(());
        }
        self.0.count_client(client, &HeaderMap::new()).map(drop)
    }
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}
