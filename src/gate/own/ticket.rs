//! From the sign-in host to an app's host, with a one-time ticket. With a single host the hop vanishes.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, set_cookie};
use super::super::return_to::ReturnTo;
use super::super::tickets::{Ticket, hop_of};
use super::parameters;
use super::sign_in::Wish;
use crate::secret::Secret;
use crate::session::{NewSession, Session};

/// Sends a browser from an app's host to the sign-in host. A secret stays behind in a cookie: whoever
/// comes back with a ticket must be who left (invariant 6).
pub(super) fn hop(house: &House, wish: &Wish<'_>) -> Result<Response<Body>, Rejection> {
    let public = house.public.as_ref().ok_or(Rejection::Internal("a sign-in without [server] public_url"))?;
    let secret = Secret::random();
    let mut url = public.endpoint("/.portcullis/sign-in");
    if let Some(to) = &wish.return_to {
        url.query_pairs_mut().append_pair("return", to.as_str());
    }
    url.query_pairs_mut().append_pair("hop", &hop_of(secret.expose()));
    let mut response = redirect(StatusCode::FOUND, url.as_str())?;
    set_cookie(&mut response, house.hop_cookie(&secret)?);
    Ok(response)
}

/// Sends a browser that has its session to where it wanted to go: at once on this host, by ticket on an
/// app's.
pub(super) fn arrive(
    house: &House,
    session: &Arc<Session>,
    return_to: Option<ReturnTo>,
    hop: Option<String>,
) -> Result<Response<Body>, Rejection> {
    let Some(to) = return_to else { return redirect(StatusCode::SEE_OTHER, house.home()) };
    match hop {
        Some(hop) if !house.is_public_url(to.url()) => with_ticket(house, session, &to, hop),
        Some(_) | None => redirect(StatusCode::SEE_OTHER, to.as_str()),
    }
}

fn with_ticket(house: &House, session: &Session, to: &ReturnTo, hop: String) -> Result<Response<Body>, Rejection> {
    let authority = &to.url()[url::Position::BeforeHost..url::Position::AfterPort];
    let ticket = house.foundations.tickets.issue(Ticket {
        authority: authority.to_owned(),
        hop,
        session: NewSession::child(session, authority),
        return_to: to.as_str().to_owned(),
    });
    let mut url = to.url().clone();
    url.set_path("/.portcullis/ticket");
    url.query_pairs_mut().clear().append_pair("ticket", ticket.expose());
    redirect(StatusCode::SEE_OTHER, url.as_str())
}

/// Takes a ticket in at the app's host and gives the browser its session there.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejection> {
    let authority = exchange.inbound.as_ref().map(|inbound| inbound.authority.to_string()).unwrap_or_default();
    let number = parameters(request.uri()).find(|(name, _)| name == "ticket").map(|(_, number)| number);
    let hop = house.hop_secret(request.headers());
    let ticket = number.zip(hop).and_then(|(number, hop)| house.foundations.tickets.take(&number, &authority, &hop));
    let ticket = ticket.ok_or_else(|| Rejection::NoSuchFlow("the ticket is not good here, was used, or is older than 60 s".into()))?;
    let (key, session) = house.foundations.sessions.create(ticket.session).await?;
    exchange.principal = Some(Arc::clone(&session.principal));
    let mut response = redirect(StatusCode::SEE_OTHER, &ticket.return_to)?;
    set_cookie(&mut response, house.cookie.set(&key));
    set_cookie(&mut response, house.clear_hop_cookie());
    Ok(response)
}
