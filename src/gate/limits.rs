//! The rates of a route, and what has been counted for them.

use std::sync::Arc;

use http::HeaderMap;

use crate::identity::Principal;
use crate::limit::{Exceeded, LimitSettings, LimitUsage, Limiter, RateLimitState};
use crate::request::ClientAddress;

/// Keys that one limiter remembers at most.
const LIMITER_KEYS: u64 = 100_000;

/// Rates and what has been counted for them.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    settings: Vec<LimitSettings>,
    limiter: Arc<Limiter>,
}

impl Limits {
    /// The limits of `settings`; a route that had the same `before` hands on what it has counted, so that a reload
    /// forgives nobody.
    pub(super) fn new(settings: &[LimitSettings], before: Option<&Self>) -> Self {
        let kept = before.filter(|before| mutant!(before.settings == settings, "reload-forgives" => false));
        kept.cloned().unwrap_or_else(|| Self {
            settings: settings.to_vec(),
            limiter: Arc::new(Limiter::new(settings, LIMITER_KEYS)),
        })
    }

    /// Whether nothing is counted.
    pub(super) const fn is_empty(&self) -> bool {
        self.settings.is_empty()
    }

    /// Each of them as it stands.
    pub(super) fn usage(&self) -> Vec<LimitUsage> {
        self.limiter.usage().collect()
    }

    /// Counts a request before anybody has looked at its credentials: by its address, the route and header keys.
    pub(super) fn count_client(
        &self,
        client: ClientAddress,
        headers: &HeaderMap,
    ) -> Result<RateLimitState, Exceeded> {
        self.limiter.count_client(client, headers)
    }

    /// Counts it by its principal as well, where it has one.
    pub(super) fn count_principal(
        &self,
        principal: Option<&Arc<Principal>>,
        before: RateLimitState,
    ) -> Result<RateLimitState, Exceeded> {
        match principal {
            Some(principal) => Ok(before.tighter(self.limiter.count_principal(principal)?)),
            None => Ok(before),
        }
    }
}

impl Default for Limits {
    /// No limits at all.
    fn default() -> Self {
        Self::new(&[], None)
    }
}
