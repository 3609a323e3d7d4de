//! What the endpoints use and a reload keeps.

use std::sync::Arc;

use super::seen_logout_tokens::SeenLogoutTokens;
use super::tickets::Tickets;
use super::used_states::UsedStates;
use crate::clock::Clock;
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
    pub(super) sessions: Sessions,
    pub(super) keys: SealingKeys,
    pub(super) asserter: Arc<Asserter>,
    pub(super) tickets: Tickets,
    pub(super) used_states: UsedStates,
    pub(super) seen_logout_tokens: SeenLogoutTokens,
}

/// Keys for what browsers keep for us; one key serves one purpose (invariant 7).
#[derive(Debug)]
pub struct SealingKeys {
    /// Seals sign-ins in flight.
    pub flow: SealingKey,
    /// Seals forms that are kept while their senders sign in.
    pub form: SealingKey,
}

impl Resources {
    /// `one_time` holds what is good once: tickets, sign-ins that came back, logout tokens.
    #[must_use]
    pub fn new(
        clock: Clock,
        metrics: Metrics,
        sessions: Sessions,
        keys: SealingKeys,
        asserter: Arc<Asserter>,
        one_time: Arc<dyn OneTimeStore>,
    ) -> Self {
        let tickets = Tickets::new(Arc::clone(&one_time), clock.clone());
        let used_states = UsedStates::new(Arc::clone(&one_time));
        let seen_logout_tokens = SeenLogoutTokens::new(one_time, clock.clone());
        Self { clock, metrics, sessions, keys, asserter, tickets, used_states, seen_logout_tokens }
    }
}
