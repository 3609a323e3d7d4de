//! Sign-ins that have come back, so that each comes back once (invariant 6): a browser is told to forget its
//! flow, and one that does not could have its provider called for as long as the flow is good.

use super::single_use::SingleUse;
use crate::clock::Clock;
use crate::oidc::SIGN_IN_LIFETIME;
use crate::secret::fingerprint;

/// The states of flows that have come back, by digest. Each is kept until its flow is no longer good.
///
/// Both that time and the flow's are told by the gateway's wall clock: where it is set back, both last longer. The
/// cache drops its entries by a clock of its own, after four times that span, which is later than most clocks are
/// set back by.
#[derive(Debug)]
pub(super) struct UsedStates(SingleUse);

impl UsedStates {
    pub(super) fn new(clock: Clock) -> Self {
        Self(SingleUse::new(clock, Some(4 * SIGN_IN_LIFETIME)))
    }

    /// Whether the flow of `state` comes back for the first time. Of several that come at once, one is the first.
    pub(super) fn spend(&self, state: &str) -> bool {
        self.0.spend(fingerprint(state.as_bytes()), |now| now + SIGN_IN_LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;

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
