//! The rates of a route.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use governor::clock::Clock as _;
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::nanos::Nanos;
use governor::state::{InMemoryState, StateStore};
use governor::{NotUntil, RateLimiter};
use http::{HeaderMap, HeaderName};

use super::policy::QuotaPolicy;
use super::store::BoundedStore;
use super::usage::{LimitUsage, Refusals};
use super::{Exceeded, LimitSettings, Per, RateLimitState};
use crate::clock::Clock;
use crate::identity::Principal;
use crate::request::ClientAddress;

/// Counts requests against every rate of a route. A route without limits costs nothing, not even a look at
/// the clock.
///
/// What counts few goes before what counts many (address, header, route): whoever is over a rate of their own
/// uses up nobody else's. What an earlier limit counted stays counted where a later one refuses.
#[derive(Debug)]
pub struct Limiter {
    limits: Vec<Limit>,
}

#[derive(Debug)]
struct Limit {
    per: Per,
    policy: Arc<QuotaPolicy>,
    clock: Ticks,
    counter: Counter,
    refusals: Refusals,
}

#[derive(Debug)]
enum Counter {
    /// Everybody together, without a lock.
    All(Rates<InMemoryState>),
    /// Each key by a digest under a random key: no address, name or header value is kept (invariant 15), and
    /// nobody can search for keys that share a counter. With another handle of the store, which is looked at.
    Each(Rates<BoundedStore>, RandomState, BoundedStore),
}

type Rates<S> = RateLimiter<<S as StateStore>::Key, S, Ticks, StateInformationMiddleware>;

impl Limiter {
    /// A limiter that keeps at most `max_keys` addresses, principals or header values apart for each limit;
    /// further ones share what [`Limiter::count_client`] and [`Limiter::count_principal`] grant until others are back
    /// at rest.
    #[must_use]
    pub fn new(limits: &[LimitSettings], max_keys: u64) -> Self {
        Self::with_clock(limits, max_keys, &Clock::system())
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(limits: &[LimitSettings], max_keys: u64, clock: &Clock) -> Self {
        let mut limits = limits.to_vec();
        limits.sort_by_key(|limit| breadth(&limit.per));
        let policies = QuotaPolicy::all(&limits);
        let keys = usize::try_from(max_keys).unwrap_or(usize::MAX);
        let limit = |(settings, policy): (LimitSettings, _)| Limit::new(settings.per, policy, keys, clock);
        Self { limits: limits.into_iter().zip(policies).map(limit).collect() }
    }

    /// Counts a request whose sender is not known yet: by address (IPv6 by its /64), header and route.
    ///
    /// # Errors
    /// Where one of these limits is reached; the request does not count for it.
    pub fn count_client(
        &self,
        client: ClientAddress,
        headers: &HeaderMap,
    ) -> Result<RateLimitState, Exceeded> {
        self.count(|limit| match &limit.per {
            Per::Address => Some(limit.count(&network(client))),
            Per::Header(name) => Some(limit.count(&only_value(headers, name))),
            Per::Route => Some(limit.count(&())),
            Per::Principal => None,
        })
    }

    /// Counts a request of `principal` for the limits that count principals (by provider and subject).
    ///
    /// # Errors
    /// Where one of these limits is reached; the request does not count for it.
    pub fn count_principal(&self, principal: &Principal) -> Result<RateLimitState, Exceeded> {
        self.count(|limit| match &limit.per {
            Per::Principal => Some(mutant!(
                limit.count(&(&principal.provider, &principal.subject)),
                "rate-mixes-providers" => limit.count(&("", &principal.subject)),
                "rate-mixes-people" => limit.count(&(&principal.provider, "")),
            )),
            Per::Address | Per::Header(_) | Per::Route => None,
        })
    }

    /// Each limit as it stands now, in the order in which they are asked.
    pub fn usage(&self) -> impl Iterator<Item = LimitUsage> + '_ {
        self.limits.iter().map(Limit::usage)
    }

    /// Whom each limit counts, and how many, in the order in which they are asked.
    pub(super) fn policies(&self) -> impl Iterator<Item = (&Per, &Arc<QuotaPolicy>)> {
        self.limits.iter().map(|limit| (&limit.per, &limit.policy))
    }

    /// What the stores of all limits hold: keys, entries to be tidied, shared places.
    #[cfg(test)]
    pub(super) fn sizes(self) -> [usize; 3] {
        let counters = self.limits.into_iter().map(|limit| limit.counter);
        let sizes = counters.map(|counter| match counter {
            Counter::Each(_, _, store) => store.sizes(),
            Counter::All(_) => [0; 3],
        });
        sizes.fold([0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z])
    }

    /// Asks the limits in turn up to the first that refuses.
    fn count(
        &self,
        count: impl Fn(&Limit) -> Option<Result<RateLimitState, Exceeded>>,
    ) -> Result<RateLimitState, Exceeded> {
        let mut standings = self.limits.iter().filter_map(count);
        standings.try_fold(RateLimitState::default(), |tightest, rate_limit_state| {
            Ok(tightest.tighter(rate_limit_state?))
        })
    }
}

/// The order in which limits are asked: the fewer requests share a counter, the earlier.
const fn breadth(per: &Per) -> u8 {
    match per {
        Per::Principal => 0,
        Per::Address => 1,
        Per::Header(_) => 2,
        Per::Route => 3,
    }
}

/// One household has a whole /64 and would never run out of addresses.
pub(super) fn network(client: ClientAddress) -> IpAddr {
    match client.ip() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => mutant!(
            Ipv6Addr::from_bits(address.to_bits() >> 64 << 64),
            "rate-for-each-ipv6-address" => address,
        )
        .into(),
    }
}

/// Of several fields nobody knows which one the app will read: such requests count with those that have none,
/// or a second field of noise would make every request a stranger's first.
pub(super) fn only_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut fields = headers.get_all(name).iter();
    let only = fields.next().map(|value| value.as_bytes());
    only.filter(|_| mutant!(fields.next().is_none(), "noise-makes-a-stranger" => true))
}

impl Limit {
    fn new(per: Per, policy: QuotaPolicy, keys: usize, clock: &Clock) -> Self {
        let (quota, clock) = (policy.quota, Ticks(clock.clone()));
        let counter = match per {
            Per::Route => Counter::All(RateLimiter::new(quota, InMemoryState::default(), clock.clone())),
            Per::Address | Per::Principal | Per::Header(_) => {
                let store = BoundedStore::new(keys, quota.replenish_interval().into());
                let rates = RateLimiter::new(quota, store.clone(), clock.clone());
                Counter::Each(rates, RandomState::new(), store)
            }
        };
        Self { per, policy: Arc::new(policy), clock, counter, refusals: Refusals::default() }
    }

    fn count(&self, key: &impl Hash) -> Result<RateLimitState, Exceeded> {
        let told = match &self.counter {
            Counter::All(rates) => rates.check(),
            Counter::Each(rates, digests, _) => rates.check_key(&digests.hash_one(key)),
        };
        self.tell(told)
    }

    fn usage(&self) -> LimitUsage {
        let counted = match &self.counter {
            Counter::All(_) => (1, usize::from(self.refusals.is_at_bound(self.clock.0.monotonic()))),
            Counter::Each(_, _, store) => {
                let tolerance = self.policy.time_for(self.policy.burst().saturating_sub(1));
                store.usage(self.clock.now(), tolerance.into())
            }
        };
        self.refusals.usage(&self.policy, counted)
    }

    fn tell(&self, told: Result<StateSnapshot, NotUntil<Nanos>>) -> Result<RateLimitState, Exceeded> {
        match told {
            Ok(state) => Ok(RateLimitState::new(&self.policy, state.remaining_burst_capacity())),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                self.refusals.note(self.clock.0.monotonic(), wait);
                Err(Exceeded::new(&self.policy, wait))
            }
        }
    }
}

/// The monotonic time of the gateway's clock, in nanoseconds, as governor reads it.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    /// Stands still after 292 years, so that no sum overflows.
    fn now(&self) -> Nanos {
        let nanos = u64::try_from(self.0.monotonic().as_nanos()).unwrap_or(u64::MAX);
        nanos.min(u64::MAX / 2).into()
    }
}
