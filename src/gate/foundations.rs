//! What outlives a reload.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::ids::RequestIds;
use super::refresh_tokens::Renewal;
use super::tickets::Tickets;
use super::used_states::UsedStates;
use crate::clock::Clock;
use crate::forward::Asserter;
use crate::identity::RouteName;
use crate::oidc::RefreshFlights;
use crate::secret::SealingKey;
use crate::session::Sessions;
use crate::telemetry::{Metrics, RequestStats};

/// Sessions whose tokens may be refreshed at the same time.
const REFRESHES: usize = 10_000;

/// What every house of this process stands on.
pub struct Foundations {
    /// Worker threads.
    pub workers: usize,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// All sessions.
    pub sessions: Sessions,
    /// What seals things that browsers keep.
    pub keys: SealingKeys,
    /// Signs what apps may verify.
    pub asserter: Arc<Asserter>,
    /// Where background tasks run.
    pub background: Handle,
    pub(super) tickets: Tickets,
    pub(super) used_states: UsedStates,
    pub(super) ids: RequestIds,
    pub(super) unrouted: Arc<RequestStats>,
    pub(super) refreshes: RefreshFlights<Renewal>,
}

/// Keys for what browsers keep for us; one key serves one purpose (invariant 7).
#[derive(Debug)]
pub struct SealingKeys {
    /// Seals sign-ins in flight.
    pub flow: SealingKey,
    /// Seals forms that are kept while their senders sign in.
    pub form: SealingKey,
}

impl Foundations {
    /// With nothing issued or counted yet.
    #[must_use]
    pub fn new(
        workers: usize,
        clock: Clock,
        metrics: Metrics,
        sessions: Sessions,
        keys: SealingKeys,
        asserter: Arc<Asserter>,
        background: Handle,
    ) -> Self {
        let unrouted = metrics.route(&RouteName::new("none"), workers);
        let (tickets, ids, refreshes) =
            (Tickets::new(clock.clone()), RequestIds::new(), super::refresh_tokens::flights(REFRESHES));
        Self {
            workers,
            clock,
            metrics,
            sessions,
            keys,
            asserter,
            background,
            tickets,
            used_states: UsedStates::new(),
            ids,
            unrouted,
            refreshes,
        }
    }
}

impl fmt::Debug for Foundations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foundations").field("workers", &self.workers).finish_non_exhaustive()
    }
}
