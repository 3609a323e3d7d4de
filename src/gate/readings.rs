//! A tolerated spelling goes on only where every reading of it comes to the same (invariant 20): an app that decodes
//! before it splits would serve `/admin/users` for the `/admin%2Fusers` of an open route.

use std::sync::Arc;

use super::ambiguous::Ambiguous;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::Route;
use super::snapshot::Snapshot;
use crate::endpoints;
use crate::policy::{Access, Decision, Question, decide};
use crate::request::{RequestPath, Transport};

/// Finds the readings of a path that its route tolerates; refuses it where one of them is another route's.
pub(super) fn read(
    snapshot: &Snapshot,
    transport: &Transport,
    inbound: &mut Inbound,
    route: &Arc<Route>,
) -> Result<(), Rejection> {
    if inbound.path.exceptions().is_empty() {
        return Ok(());
    }
    let readings =
        inbound.path.readings(route.stripped()).ok_or_else(|| Rejection::from(Ambiguous::too_deep()))?;
    if let Some(path) = readings.iter().find(|path| is_elsewhere(snapshot, transport, inbound, route, path)) {
        return Err(Ambiguous::other_route(path).into());
    }
    inbound.readings = readings;
    Ok(())
}

/// Whether a reading is what another route, or the gateway itself, answers.
pub(super) fn is_elsewhere(
    snapshot: &Snapshot,
    transport: &Transport,
    inbound: &Inbound,
    route: &Arc<Route>,
    path: &RequestPath,
) -> bool {
    match snapshot.route_of(transport, inbound, path) {
        _ if endpoints::holds(path.decoded()) => true,
        Ok(found) => mutant!(!Arc::ptr_eq(found, route), "reading-of-another-route" => false),
        Err(error) => matches!(error, Rejection::MethodNotAllowed(_)),
    }
}

/// The reading of a permitted request that its rules would not permit.
pub(super) fn refused<'r>(
    access: &Access,
    readings: &'r [RequestPath],
    question: &Question<'_>,
) -> Option<&'r RequestPath> {
    readings
        .iter()
        .find(|path| !matches!(decide(access, &Question { path, ..*question }), Decision::Permit(_)))
}
