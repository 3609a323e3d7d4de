//! Sign-ins that have come back, so that each comes back once (invariant 6): a browser is told to forget its
//! flow, and one that does not could have its provider called for as long as the flow is good.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::clock::{Clock, Timestamp};
use crate::oidc::SIGN_IN_LIFETIME;
use crate::secret::fingerprint;

/// The most states that are remembered at a time.
const CAPACITY: u64 = 100_000;

/// The states of flows that have come back, by digest. Each is kept with the time at which its flow is no longer
/// good.
///
/// Both that time and the flow's are told by the gateway's wall clock: where it is set back, both last longer. The
/// cache drops its entries by a clock of its own, after four times that span, which is later than most clocks are
/// set back by.
#[derive(Debug)]
pub(super) struct UsedStates {
    used: Cache<[u8; 32], Timestamp>,
    clock: Clock,
}

impl UsedStates {
    pub(super) fn new(clock: Clock) -> Self {
        // The least recently used goes first, for its flow is the first to end.
        let used = Cache::builder().max_capacity(CAPACITY).eviction_policy(EvictionPolicy::lru());
        Self { used: used.time_to_live(4 * SIGN_IN_LIFETIME).build(), clock }
    }

    /// Whether the flow of `state` comes back for the first time. Of several that come at once, one is the first.
    pub(super) fn spend(&self, state: &str) -> bool {
        let now = self.clock.now();
        let entry = self.used.entry(fingerprint(state.as_bytes()));
        entry.or_insert_with_if(|| now + SIGN_IN_LIFETIME, |end| *end <= now).is_fresh()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn invariant_6_a_flow_comes_back_once() {
        let used_states = UsedStates::new(Clock::manual(START));
        assert!(used_states.spend("a"));
        assert!(!used_states.spend("a"));
        assert!(used_states.spend("b"));
    }

    #[test]
    fn invariant_6_a_flow_comes_back_once_though_the_clock_is_set_back() {
        let clock = Clock::manual(START);
        let used_states = UsedStates::new(clock.clone());
        assert!(used_states.spend("a"));
        clock.advance(SIGN_IN_LIFETIME - Duration::from_secs(1));
        assert!(!used_states.spend("a"), "while its flow is good");
        clock.set(START);
        clock.advance(SIGN_IN_LIFETIME - Duration::from_secs(1));
        assert!(!used_states.spend("a"), "its flow is good again");
        clock.advance(Duration::from_secs(1));
        assert!(used_states.spend("a"), "its flow is good no more, whoever asks");
    }
}
