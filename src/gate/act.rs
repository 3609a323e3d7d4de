//! What happens to a permitted request.

use http::{HeaderMap, HeaderValue, Request, Response, header};
use hyper::body::Incoming;

use super::body::Body;
use super::exchange::Exchange;
use super::house::House;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::{Action, Route};
use super::settings::RedirectSettings;
use crate::authn::Authentication;
use crate::forward::{Passage, forward};
use crate::policy::Permit;

/// Forwards, redirects, or answers from the gateway's own endpoints.
pub(super) async fn act(
    house: &House,
    route: &Route,
    exchange: &mut Exchange,
    permit: Permit,
    authentication: &Authentication,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejection> {
    match &route.action {
        Action::Own(endpoint) => endpoint.answer(house, exchange, request).await,
        Action::Redirect(redirect) => redirected(redirect, exchange, &request),
        Action::Forward(upstream, plan) => {
            let inbound = exchange.inbound.as_ref().ok_or(Rejection::Internal("a request that was not read"))?;
            let strip = |headers: &mut HeaderMap| house.strip_cookies(headers);
            let passage = passage(house, exchange, inbound, authentication, &strip);
            let response = forward(upstream, plan, permit, passage, request).await?;
            Ok(response.map(Body::upstream))
        }
    }
}

fn passage<'a>(
    house: &'a House,
    exchange: &'a Exchange,
    inbound: &'a Inbound,
    authentication: &'a Authentication,
    own_cookies: &'a (dyn Fn(&mut HeaderMap) + Send + Sync),
) -> Passage<'a> {
    Passage {
        transport: &exchange.transport,
        forwarding: &inbound.forwarding,
        authority: &inbound.authority,
        path: &inbound.path,
        request_id: &exchange.id,
        tokens: authentication.tokens(),
        bearer: matches!(authentication, Authentication::Bearer(_)),
        own_cookies,
        assertion: Some(&house.foundations.asserter),
    }
}

fn redirected<B>(
    redirect: &RedirectSettings,
    exchange: &Exchange,
    request: &Request<B>,
) -> Result<Response<Body>, Rejection> {
    let inbound = exchange.inbound.as_ref().ok_or(Rejection::Internal("a request that was not read"))?;
    let location = HeaderValue::try_from(location(redirect, inbound, request));
    let mut response = Response::new(Body::ours(""));
    *response.status_mut() = redirect.status;
    let location = location.map_err(|_| Rejection::Internal("a redirect to an unprintable address"))?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

fn location<B>(redirect: &RedirectSettings, inbound: &Inbound, request: &Request<B>) -> String {
    let scheme = redirect.scheme.unwrap_or(inbound.forwarding.scheme);
    let asked = if redirect.scheme.is_some() { inbound.authority.host().to_owned() } else { inbound.authority.to_string() };
    let host = redirect.host.as_deref().unwrap_or(&asked);
    let path = redirect.path.as_deref().unwrap_or_else(|| inbound.path.raw());
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}{path}{query}")
}
