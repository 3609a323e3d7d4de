//! What the caches in front of sessions and tokens answer, counted.

use std::sync::Arc;

use crate::telemetry::{Counter, Lookups, Metrics};

/// What the caches answered, and what they did not.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) session: Arc<Lookups>,
    pub(super) token: Arc<Lookups>,
    /// Tokens that no cache knew and that were good.
    pub(super) verified: Counter,
}

impl Counters {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let (session, token) = (metrics.lookups("session"), metrics.lookups("token"));
        Self { session, token, verified: metrics.token_checks("ok") }
    }
}
