//! Sign-ins that have come back, so that each comes back once (invariant 6): a browser is told to forget its
//! flow, and one that does not could have its provider called for as long as the flow is good.

use moka::sync::Cache;

use crate::oidc::SIGN_IN_LIFETIME;
use crate::secret::fingerprint;

const CAPACITY: u64 = 100_000;

/// The states of flows that have come back, by digest.
#[derive(Debug)]
pub(super) struct UsedStates(Cache<[u8; 32], ()>);

impl UsedStates {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_live(SIGN_IN_LIFETIME).build())
    }

    /// Whether the flow of `state` comes back for the first time; from now on it has.
    pub(super) fn spend(&self, state: &str) -> bool {
        self.0.entry(fingerprint(state.as_bytes())).or_insert(()).is_fresh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_6_a_flow_comes_back_once() {
        let used_states = UsedStates::new();
        assert!(used_states.spend("a"));
        assert!(!used_states.spend("a"));
        assert!(used_states.spend("b"));
    }
}
