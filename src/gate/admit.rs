//! Whether a route can take one more request: its rates, and how many are under way.

use http::HeaderMap;

use super::authorize::Permitted;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::Route;
use super::snapshot::Snapshot;
use crate::limit::{ConcurrencyPermit, Exceeded, RateLimitState};

/// Counts a request before anybody has looked at its credentials.
pub(super) fn count_client(
    snapshot: &Snapshot,
    route: &Route,
    inbound: &Inbound,
    headers: &HeaderMap,
) -> Result<RateLimitState, Rejection> {
    let counted = route.service.limits.count_client(inbound.forwarding.client, headers);
    counted.map_err(|exceeded| limited(snapshot, route, exceeded))
}

/// Counts it by its principal as well, where it goes on in somebody's name.
pub(super) fn count_principal(
    snapshot: &Snapshot,
    permitted: &Permitted<'_>,
    before: RateLimitState,
) -> Result<RateLimitState, Rejection> {
    let counted = permitted.route.service.limits.count_principal(permitted.permit.principal(), before);
    counted.map_err(|exceeded| limited(snapshot, permitted.route, exceeded))
}

fn limited(snapshot: &Snapshot, route: &Route, exceeded: Exceeded) -> Rejection {
    snapshot.metrics.limit_hit(route.name.as_str(), "rate");
    exceeded.into()
}

/// Takes a place among the requests that the route lets be under way at once.
pub(super) fn enter(snapshot: &Snapshot, route: &Route) -> Result<ConcurrencyPermit, Rejection> {
    route.service.concurrency.try_enter().ok_or_else(|| {
        snapshot.metrics.limit_hit(route.name.as_str(), "concurrency");
        Rejection::Busy
    })
}
