//! Ending a session here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, set_cookie, show};
use crate::authn::Authentication;
use crate::pages;
use crate::secret::Secret;
use crate::session::Session;

/// `GET` asks whether that is meant; `POST` from one of our own pages does it.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejection> {
    let standing = house.authenticator.session(request.headers()).await?;
    exchange.principal = standing.principal().cloned();
    if request.method() != Method::POST {
        return Ok(ask(exchange, &standing));
    }
    super::same_origin(house, request.headers())?;
    let Authentication::Session(_, session) = standing else { return redirect(StatusCode::SEE_OTHER, &after(house)) };
    house.foundations.sessions.end(&session).await?;
    tracing::info!(id = %exchange.id, session = %session.id, user = session.principal.user, "signed out");
    let mut response = redirect(StatusCode::SEE_OTHER, &goodbye(house, &session))?;
    set_cookie(&mut response, house.cookie.clear());
    Ok(response)
}

fn ask(exchange: &Exchange, standing: &Authentication) -> Response<Body> {
    match standing.principal() {
        Some(principal) => show(exchange, &pages::sign_out(&principal.user)),
        None => show(exchange, &pages::signed_out("/")),
    }
}

/// Ends the session of these headers; whether there was one.
pub(super) async fn end(house: &House, headers: &HeaderMap) -> Result<bool, Rejection> {
    let Authentication::Session(_, session) = house.authenticator.session(headers).await? else { return Ok(false) };
    house.foundations.sessions.end(&session).await?;
    Ok(true)
}

fn after(house: &House) -> String {
    house.public.as_ref().map_or_else(|| "/".to_owned(), |public| public.endpoint("/.portcullis/signed-out").to_string())
}

fn goodbye(house: &House, session: &Session) -> String {
    let provider = house.providers.get(session.principal.provider.as_str());
    let back = house.public.as_ref().map(|public| public.endpoint("/.portcullis/signed-out"));
    let at_provider = provider.zip(back).and_then(|(provider, back)| {
        provider.logout_url(session.tokens.id.as_ref(), Secret::random().expose(), &back)
    });
    at_provider.map_or_else(|| after(house), Into::into)
}

/// Where people end up.
pub(super) fn signed_out(house: &House, exchange: &Exchange) -> Response<Body> {
    show(exchange, &pages::signed_out(house.home()))
}
