//! What the caches in front of sessions and tokens answer, counted.

use std::sync::Arc;

use crate::telemetry::{self, Counter, Metrics};

/// What the caches answered, and what they did not.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    pub(super) session: Arc<telemetry::Lookups>,
    pub(super) token: Arc<telemetry::Lookups>,
    /// Tokens that no cache knew and that were good.
    pub(super) verified: Counter,
}

impl Lookups {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let (session, token) = (metrics.lookups("session"), metrics.lookups("token"));
        Self { session, token, verified: metrics.token_checks("ok") }
    }
}
