//! Where a provider sends people back to (OpenID Connect Core 1.0, section 3.1.2.5).

use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::set_cookie;
use super::super::return_to::ReturnTo;
use super::{parameters, ticket};
use crate::authn::Authentication;
use crate::oidc::{CallbackParameters, Flow, Provider, SignInError, SignedIn};
use crate::session::NewSession;

/// Finishes the sign-in that this browser began, gives it a session, and sends it where it wanted to go.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejection> {
    let callback = callback(&request);
    let state = callback.state.clone().unwrap_or_default();
    let flow = house.flows.open(request.headers(), &state);
    let flow = flow.map_err(|error| Rejection::NoSuchFlow(error.to_string()))?;
    let provider = house.providers.get(flow.provider.as_str());
    let provider = provider.ok_or_else(|| Rejection::NoSuchFlow("its provider has left the configuration".into()))?;
    let signed_in = provider.finish(&flow, callback).await;
    count(house, provider, signed_in.as_ref().err());
    let mut response = settle(house, exchange, request.headers(), &flow, signed_in?).await?;
    set_cookie(&mut response, house.flows.clear(&state));
    Ok(response)
}

fn callback<B>(request: &Request<B>) -> CallbackParameters {
    let mut callback = CallbackParameters::default();
    for (name, value) in parameters(request.uri()) {
        let field = match name.as_ref() {
            "code" => &mut callback.code,
            "state" => &mut callback.state,
            "iss" => &mut callback.iss,
            "error" => &mut callback.error,
            "error_description" => &mut callback.error_description,
            _ => continue,
        };
        *field = Some(value.into_owned());
    }
    callback
}

fn count(house: &House, provider: &Provider, error: Option<&SignInError>) {
    let result = error.map_or("ok", |error| match error.blame() {
        crate::oidc::Blame::Client => "client-error",
        crate::oidc::Blame::Provider => "provider-error",
        crate::oidc::Blame::Us => "gateway-error",
    });
    house.foundations.metrics.sign_in(provider.name().as_str(), result);
}

async fn settle(
    house: &House,
    exchange: &mut Exchange,
    headers: &HeaderMap,
    flow: &Flow,
    signed_in: SignedIn,
) -> Result<Response<Body>, Rejection> {
    let new = NewSession::root(signed_in.principal, signed_in.tokens, signed_in.sid);
    let sessions = &house.foundations.sessions;
    let (key, session) = match house.authenticator.session(headers).await? {
        Authentication::Session(old, _) => sessions.rotate(&old, new).await?,
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(_) => sessions.create(new).await?,
    };
    exchange.principal = Some(session.principal.clone());
    tracing::info!(id = %exchange.id, provider = %session.principal.provider, user = session.principal.user, session = %session.id, "signed in");
    let return_to = ReturnTo::parse(&flow.return_to, |url| house.claims(url));
    let mut response = ticket::arrive(house, &session, return_to, flow.hop.clone())?;
    set_cookie(&mut response, house.cookie.set(&key));
    Ok(response)
}
