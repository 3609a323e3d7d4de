//! The rates of a route, and what has been counted for them: by this process, or by all replicas together.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use crate::identity::{Principal, RouteName};
use crate::limit::{Exceeded, LimitSettings, LimitUsage, Limiter, RateLimitState, RateQuestion};
use crate::replicas::{CountedHere, SharedRates};
use crate::request::ClientAddress;

/// Keys that one limiter remembers at most.
const LIMITER_KEYS: u64 = 100_000;

/// How far apart the store's count of a request and this process's may be.
const SHAKE: Duration = Duration::from_millis(200);

/// Rates and what has been counted for them.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    settings: Vec<LimitSettings>,
    limiter: Arc<Limiter>,
    /// Where all replicas count together; never where there is nothing to count.
    pub(super) shared: Option<SharedLimits>,
}

/// The same rates as all replicas count them.
#[derive(Clone, Debug)]
pub(super) struct SharedLimits {
    rates: Arc<SharedRates>,
    /// Whose rates they are: replicas count together what has one name.
    scope: RouteName,
    limiter: Arc<Limiter>,
}

/// A decision, and why it was this replica's alone, where it was.
pub(super) type SharedDecision = (Result<RateLimitState, Exceeded>, Option<CountedHere>);

impl Limits {
    /// The limits of `settings` on the route called `scope`; a route that had the same `before` hands on what it has
    /// counted, so that a reload forgives nobody.
    pub(super) fn new(
        scope: &RouteName,
        settings: &[LimitSettings],
        rates: Option<&Arc<SharedRates>>,
        before: Option<&Self>,
    ) -> Self {
        let kept = before.filter(|before| mutant!(before.settings == settings, "reload-forgives" => false));
        kept.cloned().unwrap_or_else(|| {
            let limiter = Arc::new(Limiter::new(settings, LIMITER_KEYS));
            let shared = rates.filter(|_| !settings.is_empty()).map(|rates| SharedLimits {
                rates: Arc::clone(rates),
                scope: scope.clone(),
                limiter: Arc::clone(&limiter),
            });
            Self { settings: settings.to_vec(), limiter, shared }
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

impl SharedLimits {
    /// As [`Limits::count_client`], for all replicas.
    pub(super) async fn count_client(&self, client: ClientAddress, headers: &HeaderMap) -> SharedDecision {
        let questions = self.limiter.client_questions(client, headers);
        self.decide(&questions, || self.limiter.count_client(client, headers)).await
    }

    /// As [`Limits::count_principal`], for all replicas.
    pub(super) async fn count_principal(
        &self,
        principal: &Principal,
        before: RateLimitState,
    ) -> SharedDecision {
        let questions = self.limiter.principal_questions(principal);
        let (decision, here) = self.decide(&questions, || self.limiter.count_principal(principal)).await;
        (decision.map(|state| before.tighter(state)), here)
    }

    /// What all replicas have counted together, or, where nobody knows that, this one for itself. What it lets pass it
    /// counts for itself in either case, and lets nothing pass that is over the limit by that: so a store that fails, or
    /// comes back with older counts, forgives nobody. Each of n replicas keeps to the whole limit, and all of them to n
    /// times that.
    async fn decide(
        &self,
        questions: &[RateQuestion],
        count_here: impl Fn() -> Result<RateLimitState, Exceeded>,
    ) -> SharedDecision {
        match self.rates.count(self.scope.as_str(), questions).await {
            Ok(Err(exceeded)) => (Err(exceeded), None),
            Ok(Ok(state)) => {
                let here = mutant!(count_here(), "lost-store-forgives" => Ok(RateLimitState::default()));
                (tolerated(here, state), None)
            }
            Err(why) => (
                mutant!(count_here(), "lost-store-limits-nobody" => Ok(RateLimitState::default())),
                Some(why),
            ),
        }
    }
}

/// What the store lets pass comes here a moment later or sooner than it came there: so much is no difference.
fn tolerated(
    here: Result<RateLimitState, Exceeded>,
    shared: RateLimitState,
) -> Result<RateLimitState, Exceeded> {
    match here {
        Err(exceeded) if exceeded.retry_after() > SHAKE => Err(exceeded),
        Ok(_) | Err(_) => Ok(shared),
    }
}

impl Default for Limits {
    /// No limits at all.
    fn default() -> Self {
        Self::new(&RouteName::new("none"), &[], None, None)
    }
}
