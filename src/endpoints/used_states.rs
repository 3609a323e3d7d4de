//! Sign-ins that have come back, so that each comes back once (invariant 6): a browser is told to forget its
//! flow, and one that does not could have its provider called for as long as the flow is good.

use std::sync::Arc;
use std::time::Duration;

use crate::oidc::SIGN_IN_LIFETIME;
use crate::replicas::{OneTimeKind, OneTimeName, OneTimeStore, Put};
use crate::secret::fingerprint;
use crate::session::StoreUnavailable;

/// A flow is good by the gateway's wall clock, and a state is kept by a clock that goes on whatever is done to that one:
/// so much longer that a wall clock which is set back makes no flow good twice.
const KEPT: Duration = Duration::from_secs(4 * SIGN_IN_LIFETIME.as_secs());

/// The states of flows that have come back, by digest.
#[derive(Debug)]
pub(super) struct UsedStates(Arc<dyn OneTimeStore>);

impl UsedStates {
    pub(super) fn new(store: Arc<dyn OneTimeStore>) -> Self {
        Self(store)
    }

    /// Whether the flow of `state` comes back for the first time. Of several that come at once, on whichever replica, one
    /// is the first.
    ///
    /// # Errors
    /// The store is away: nobody knows, and it does not come back now.
    pub(super) async fn spend(&self, state: &str) -> Result<bool, StoreUnavailable> {
        let name = OneTimeName { kind: OneTimeKind::SignInState, digest: fingerprint(state.as_bytes()) };
        let put = self.0.put(name, Vec::new(), KEPT).await?;
        Ok(mutant!(put == Put::Kept, "callback-good-twice" => true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Timestamp};
    use crate::replicas::LocalStore;
    use crate::replicas::testing::Away;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn used_states(clock: &Clock) -> UsedStates {
        UsedStates::new(Arc::new(LocalStore::new(clock.clone())))
    }

    #[tokio::test]
    async fn invariant_6_a_flow_comes_back_once() {
        let used_states = used_states(&Clock::manual(START));
        assert!(used_states.spend("a").await.unwrap());
        assert!(!used_states.spend("a").await.unwrap());
        assert!(used_states.spend("b").await.unwrap());
    }

    #[tokio::test]
    async fn invariant_6_a_flow_comes_back_once_though_the_clock_is_set_back() {
        let clock = Clock::manual(START);
        let used_states = used_states(&clock);
        assert!(used_states.spend("a").await.unwrap());
        for _ in 0..3 {
            clock.advance(SIGN_IN_LIFETIME - Duration::from_secs(1));
            assert!(!used_states.spend("a").await.unwrap(), "its flow is good");
            clock.set(START);
        }
        clock.advance(KEPT);
        assert!(used_states.spend("a").await.unwrap(), "its flow is good no more, whoever asks");
    }

    #[tokio::test]
    async fn a_store_that_is_away_does_not_say_that_it_comes_back_for_the_first_time() {
        assert!(UsedStates::new(Arc::new(Away)).spend("a").await.is_err());
    }
}
