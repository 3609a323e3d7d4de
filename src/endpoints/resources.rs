//! What the endpoints use and a reload keeps.

use std::sync::Arc;

use super::key_trials::KeyTrials;
use super::seen_logout_tokens::SeenLogoutTokens;
use super::tickets::Tickets;
use super::used_states::UsedStates;
use crate::clock::Clock;
use crate::events::Recorder;
use crate::forward::Asserter;
use crate::replicas::OneTimeStore;
use crate::secret::SealingKey;
use crate::session::Sessions;
use crate::telemetry::Metrics;

/// What outlives a configuration: what was handed out under the one before is good under the next.
#[derive(Debug)]
pub struct Resources {
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) recorder: Recorder,
    pub(super) sessions: Sessions,
    pub(super) keys: SealingKeys,
    pub(super) asserter: Arc<Asserter>,
    pub(super) tickets: Tickets,
    pub(super) used_states: UsedStates,
    pub(super) seen_logout_tokens: SeenLogoutTokens,
    pub(super) key_trials: KeyTrials,
}

/// Keys for what browsers keep for us; one key serves one purpose (invariant 7).
#[derive(Debug)]
pub struct SealingKeys {
    /// Seals sign-ins in flight.
    pub flow: SealingKey,
    /// Seals forms that are kept while their senders sign in.
    pub form: SealingKey,
    /// What transmitters of signals show us follows from it.
    pub signals: SealingKey,
}

impl Resources {
    /// What transmitters of signals show us follows from it.
    #[must_use]
    pub const fn signals_key(&self) -> &SealingKey {
        &self.keys.signals
    }

    /// `one_time` holds what is good once: tickets, sign-ins that came back, logout tokens.
    #[must_use]
    pub fn new(
        clock: Clock,
        (metrics, recorder): (Metrics, Recorder),
        sessions: Sessions,
        keys: SealingKeys,
        asserter: Arc<Asserter>,
        one_time: Arc<dyn OneTimeStore>,
    ) -> Self {
        Self {
            tickets: Tickets::new(Arc::clone(&one_time), clock.clone()),
            used_states: UsedStates::new(Arc::clone(&one_time)),
            seen_logout_tokens: SeenLogoutTokens::new(one_time, clock.clone()),
            key_trials: KeyTrials::new(&clock),
            clock,
            metrics,
            recorder,
            sessions,
            keys,
            asserter,
        }
    }
}
