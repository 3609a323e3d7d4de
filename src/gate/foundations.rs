//! What outlives a reload.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::ids::RequestIds;
use super::tickets::Tickets;
use crate::clock::Clock;
use crate::forward::{Asserter, Upstream};
use crate::oidc::RefreshFlights;
use crate::session::Sessions;
use crate::telemetry::{Metrics, RequestStats};

/// What every house of this process stands on.
pub struct Foundations {
    /// Worker threads.
    pub workers: usize,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// All sessions.
    pub sessions: Arc<Sessions>,
    /// Seals sign-ins in flight.
    pub flow_key: [u8; 64],
    /// Signs what apps may verify.
    pub asserter: Arc<Asserter>,
    /// Where background tasks run.
    pub background: Handle,
    pub(super) tickets: Tickets,
    pub(super) ids: RequestIds,
    pub(super) unrouted: Arc<RequestStats>,
    pub(super) refreshes: RefreshFlights<()>,
}
