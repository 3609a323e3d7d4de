//! Credentials, policy and the limits that count principals.

use std::sync::Arc;

use http::Request;

use super::exchange::Exchange;
use super::house::House;
use super::rejection::Rejection;
use super::return_to::ReturnTo;
use super::route::Route;
use crate::authn::Authentication;
use crate::limit::{Exceeded, Standing};
use crate::policy::{Decision, Permit, Question, decide};

/// Whose credential the request carries. A public route looks at none: it works without store and
/// provider, and nobody is anybody there.
pub(super) async fn authenticate<B>(
    house: &House,
    route: &Route,
    request: &Request<B>,
) -> Result<Authentication, Rejection> {
    if route.access.is_public() {
        return Ok(Authentication::Anonymous);
    }
    let found = house.authenticator.authenticate(route.accept, request.headers()).await?;
    super::freshen::freshen(house, route, found).await
}

/// Asks the policy.
pub(super) fn decide_for<'a>(exchange: &'a Exchange, authentication: &'a Authentication) -> Option<Question<'a>> {
    let inbound = exchange.inbound.as_ref()?;
    Some(Question {
        principal: authentication.principal(),
        method: &inbound.method,
        path: &inbound.path,
        client: inbound.forwarding.client,
    })
}

/// Lets the policy decide, and puts the decision on record.
pub(super) fn decide<B>(
    route: &Route,
    exchange: &mut Exchange,
    authentication: &Authentication,
    request: &Request<B>,
) -> Result<Permit, Rejection> {
    exchange.principal = authentication.principal().map(Arc::clone);
    let question = decide_for(exchange, authentication).ok_or(Rejection::Internal("a request that was not read"))?;
    match self::policy(route, &question) {
        Decision::Permit(permit) => Ok(permit),
        Decision::Forbidden(reason) => Err(Rejection::Forbidden(reason)),
        Decision::SignIn(_) => Err(sign_in(route, exchange, request)),
    }
}

fn policy(route: &Route, question: &Question<'_>) -> Decision {
    decide(&route.access, question)
}

fn sign_in<B>(route: &Route, exchange: &Exchange, request: &Request<B>) -> Rejection {
    let url = exchange.inbound.as_ref().map(|inbound| inbound.url(request));
    let return_to = url.filter(|_| route.accept.session).and_then(|url| ReturnTo::parse(&url, |_| true));
    Rejection::SignIn(return_to)
}

/// Counts the principal.
pub(super) fn limit(route: &Route, permit: &Permit, before: Standing) -> Result<Standing, Exceeded> {
    match permit.principal() {
        Some(principal) => Ok(before.tighter(route.limiter.after(principal)?)),
        None => Ok(before),
    }
}
