//! What happens to a permitted request.

use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;

use super::body::Body;
use super::exchange::Exchange;
use super::house::House;
use super::inbound::Inbound;
use super::rejection::Rejection;
use super::route::{Action, Route};
use super::settings::RedirectSettings;
use crate::authn::Authentication;
use crate::forward::{Passage, Plan, UpgradeTunnel, Upstream, forward};
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
        Action::Forward(upstream, plan) => {
            forwarded(house, upstream, plan, exchange, permit, authentication, request).await
        }
        Action::Redirect(redirect) => redirected(redirect, exchange.inbound()?, &request),
        // Boxed: a sign-in is rare and large, and every request carries the room for its future.
        Action::Own(endpoint) => Box::pin(endpoint.answer(house, exchange, request)).await,
    }
}

async fn forwarded(
    house: &House,
    upstream: &Arc<Upstream>,
    plan: &Plan,
    exchange: &Exchange,
    permit: Permit,
    authentication: &Authentication,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejection> {
    let inbound = exchange.inbound()?;
    let passage = Passage {
        transport: &exchange.transport,
        forwarding: &inbound.forwarding,
        authority: &inbound.authority,
        path: &inbound.path,
        request_id: &exchange.id,
        bearer: matches!(authentication, Authentication::Bearer(_)),
        tokens: authentication.tokens(),
        own_cookies: house,
        asserter: Some(&house.foundations.asserter),
        audience: inbound.authority.host(),
    };
    let mut response = forward(upstream, plan, permit, passage, request).await?;
    if let Some(tunnel) = response.body_mut().take_tunnel() {
        open(tunnel, exchange);
    }
    Ok(response.map(Body::upstream))
}

/// Lets an upgraded stream run for as long as the session lives that opened it (invariant 8).
fn open(tunnel: UpgradeTunnel, exchange: &Exchange) {
    let (id, session) = (exchange.id.clone(), exchange.session.clone());
    tokio::spawn(async move {
        let cut = async {
            match session {
                Some(session) => session.ended().await,
                None => std::future::pending().await,
            }
        };
        let end = tunnel.run(cut).await;
        tracing::debug!(%id, ?end, "an upgraded stream has ended");
    });
}

fn redirected<B>(
    redirect: &RedirectSettings,
    inbound: &Inbound,
    request: &Request<B>,
) -> Result<Response<Body>, Rejection> {
    let location = HeaderValue::try_from(location(redirect, inbound, request));
    let location =
        location.map_err(|_| Rejection::Internal("a redirect to an address that cannot be written"))?;
    let mut response = Response::new(Body::ours(""));
    *response.status_mut() = redirect.status;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

fn location<B>(redirect: &RedirectSettings, inbound: &Inbound, request: &Request<B>) -> String {
    let scheme = redirect.scheme.unwrap_or(inbound.forwarding.scheme);
    let asked = match redirect.scheme {
        // The port belonged to the other scheme.
        Some(_) => {
            let port = redirect.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", inbound.authority.host())
        }
        None => inbound.authority.to_string(),
    };
    let host = redirect.host.as_deref().unwrap_or(&asked);
    let path = redirect.path.as_deref().unwrap_or_else(|| inbound.path.raw());
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}{path}{query}")
}
