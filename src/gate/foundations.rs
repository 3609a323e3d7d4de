//! What outlives a reload.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::ids::RequestIds;
use super::refresh_tokens::Renewal;
use crate::clock::Clock;
use crate::endpoints::{Resources, SealingKeys};
use crate::forward::Asserter;
use crate::identity::RouteName;
use crate::oidc::RefreshFlights;
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
    /// Signs what apps may verify.
    pub asserter: Arc<Asserter>,
    /// Where background tasks run.
    pub background: Handle,
    pub(super) endpoints: Arc<Resources>,
    pub(super) ids: RequestIds,
    pub(super) unrouted: Arc<RequestStats>,
    pub(super) refreshes: RefreshFlights<Renewal>,
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
        let endpoints =
            Resources::new(clock.clone(), metrics.clone(), sessions.clone(), keys, Arc::clone(&asserter));
        Self {
            workers,
            clock,
            metrics,
            sessions,
            asserter,
            background,
            endpoints: Arc::new(endpoints),
            ids: RequestIds::new(),
            unrouted,
            refreshes: super::refresh_tokens::flights(REFRESHES),
        }
    }
}

impl fmt::Debug for Foundations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foundations").field("workers", &self.workers).finish_non_exhaustive()
    }
}
