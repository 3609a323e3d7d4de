//! What the caches in front of sessions and tokens answer, counted.

use crate::telemetry::{Counter, Metrics};

/// What the caches answered, and what they did not.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    pub(super) session_hit: Counter,
    pub(super) session_miss: Counter,
    pub(super) token_hit: Counter,
    pub(super) token_miss: Counter,
    /// Tokens that no cache knew and that were good.
    pub(super) verified: Counter,
}

impl Lookups {
    pub(super) fn of(metrics: &Metrics) -> Self {
        Self {
            session_hit: metrics.cache_lookups("session", "hit"),
            session_miss: metrics.cache_lookups("session", "miss"),
            token_hit: metrics.cache_lookups("token", "hit"),
            token_miss: metrics.cache_lookups("token", "miss"),
            verified: metrics.token_checks("ok"),
        }
    }
}
