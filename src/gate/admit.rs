//! Whether a route can take one more request: its rates, and how many are under way.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::HeaderMap;

use super::authorize::Permitted;
use super::inbound::Inbound;
use super::limits::{SharedDecision, SharedLimits};
use super::rejection::Rejection;
use super::route::Route;
use super::snapshot::Snapshot;
use crate::limit::{ConcurrencyPermit, Exceeded, RateLimitState};

/// What comes of a count.
type Counted = Result<RateLimitState, Rejection>;

/// Counts a request before anybody has looked at its credentials.
pub(super) fn count_client(
    snapshot: &Snapshot,
    route: &Route,
    inbound: &Inbound,
    headers: &HeaderMap,
) -> Counted {
    let counted = route.service.limits.count_client(inbound.forwarding.client, headers);
    counted.map_err(|exceeded| {
        let label = mutant!(route.name.as_str(), "label-of-a-host" => inbound.authority.as_str());
        limited(snapshot, label, exceeded)
    })
}

/// Counts it by its principal as well, where it goes on in somebody's name.
pub(super) fn count_principal(
    snapshot: &Snapshot,
    permitted: &Permitted<'_>,
    before: RateLimitState,
) -> Counted {
    let counted = permitted.route.service.limits.count_principal(permitted.permit.principal(), before);
    counted.map_err(|exceeded| limited(snapshot, permitted.route.name.as_str(), exceeded))
}

/// As [`count_client`], for all replicas. Boxed, for every connection keeps room for the path of a request, and few
/// routes have need of this.
pub(super) fn count_client_for_all<'a>(
    snapshot: &'a Snapshot,
    route: &'a Route,
    limits: &'a SharedLimits,
    inbound: &'a Inbound,
    headers: &'a HeaderMap,
) -> BoxFuture<'a, Counted> {
    let counting = limits.count_client(inbound.forwarding.client, headers);
    counting.map(move |decision| decided(snapshot, route, decision)).boxed()
}

/// As [`count_principal`], for all replicas.
pub(super) fn count_principal_for_all<'a>(
    snapshot: &'a Snapshot,
    permitted: &'a Permitted<'_>,
    limits: &'a SharedLimits,
    before: RateLimitState,
) -> BoxFuture<'a, Counted> {
    let Some(principal) = permitted.permit.principal() else {
        return futures_util::future::ready(Ok(before)).boxed();
    };
    let counting = limits.count_principal(principal, before);
    counting.map(move |decision| decided(snapshot, permitted.route, decision)).boxed()
}

fn decided(snapshot: &Snapshot, route: &Route, (decision, here): SharedDecision) -> Counted {
    if let Some(why) = here {
        snapshot.metrics.counted_here(route.name.as_str(), why.word());
    }
    decision.map_err(|exceeded| limited(snapshot, route.name.as_str(), exceeded))
}

fn limited(snapshot: &Snapshot, route: &str, exceeded: Exceeded) -> Rejection {
    snapshot.metrics.limit_hit(route, "rate");
    exceeded.into()
}

/// Takes a place among the requests that the route lets be under way at once.
pub(super) fn enter(snapshot: &Snapshot, route: &Route) -> Result<ConcurrencyPermit, Rejection> {
    route.service.concurrency.try_enter().ok_or_else(|| {
        snapshot.metrics.limit_hit(route.name.as_str(), "concurrency");
        Rejection::Busy
    })
}
