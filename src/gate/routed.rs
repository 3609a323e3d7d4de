//! A request whose route is known. A tolerated spelling goes on only where every reading of it comes to the same
//! (invariant 20): an app that decodes before it splits would serve `/admin/users` for the `/admin%2Fusers` of an open
//! route.

use std::sync::Arc;

use super::ambiguous::Ambiguous;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::Route;
use super::routing::Routing;
use super::service::Service;
use crate::endpoints;
use crate::policy::{Access, Decision, Question, decide};
use crate::request::RequestPath;

/// What was asked for, and the route that claims it.
#[derive(Debug)]
pub(super) struct Routed<'a, S = Service> {
    pub(super) inbound: &'a Inbound,
    pub(super) route: &'a Arc<Route<S>>,
    /// What servers may take a tolerated path for, all of it the same route's; empty where the path has one reading.
    pub(super) readings: Vec<RequestPath>,
}

impl<'a, S> Routed<'a, S> {
    /// Checks that the path may be asked of `route`, however a server reads it: what two programs could read differently
    /// is refused, unless the route's app needs it (invariant 2).
    ///
    /// # Errors
    /// Where the route does not tolerate such a path, or a server could read it as another route's.
    pub(super) fn new(
        routing: &Routing<S>,
        inbound: &'a Inbound,
        route: &'a Arc<Route<S>>,
    ) -> Result<Self, Rejection> {
        let beyond = inbound.path.exceptions().beyond(route.tolerated);
        if !mutant!(beyond.is_empty(), "every-path-tolerated" => true) {
            return Err(Rejection::Untolerated(beyond));
        }
        let mut routed = Self { inbound, route, readings: Vec::new() };
        if !inbound.path.exceptions().is_empty() {
            routed.readings = inbound.path.readings(route.stripped).ok_or_else(Ambiguous::too_deep)?;
            let elsewhere = |path: &&RequestPath| is_elsewhere(routing, inbound, route, path);
            if let Some(path) = routed.readings.iter().find(elsewhere) {
                return Err(Ambiguous::other_route(path).into());
            }
        }
        Ok(routed)
    }
}

/// Whether a reading is what another route, or the gateway itself, answers.
pub(super) fn is_elsewhere<S>(
    routing: &Routing<S>,
    inbound: &Inbound,
    route: &Arc<Route<S>>,
    path: &RequestPath,
) -> bool {
    match routing.route_of(inbound, path) {
        _ if endpoints::holds(path.decoded()) => true,
        Ok(found) => mutant!(!Arc::ptr_eq(found, route), "reading-of-another-route" => false),
        // A route that claims it for other methods is another one as well; what no route claims is nobody else's.
        Err(error) => matches!(error, Rejection::MethodNotAllowed(_)),
    }
}

/// The reading that the rules would not permit.
pub(super) fn refused<'r>(
    access: &Access,
    readings: &'r [RequestPath],
    question: &Question<'_>,
) -> Option<&'r RequestPath> {
    readings
        .iter()
        .find(|path| !matches!(decide(access, &Question { path, ..*question }), Decision::Permit(_)))
}
