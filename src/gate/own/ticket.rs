//! From the sign-in host to an app's host, with a one-time ticket. With a single host the hop vanishes.

use std::sync::Arc;

use crate::listener::Content;
use http::{HeaderMap, Request, Response, StatusCode};
use url::{Position, Url};

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::hops::Hop;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, set_cookie};
use super::super::return_to::ReturnTo;
use super::super::tickets::{Missed, Ticket};
use super::lost::{self, Lost};
use super::{TICKET, Wish, parameters};
use crate::session::{NewSession, Session};

/// The parameter that carries a ticket's number.
const NUMBER: &str = "ticket";

/// Sends a browser from an app's host to the sign-in host. A secret stays behind in a cookie: whoever
/// comes back with a ticket must be who left (invariant 6).
pub(super) fn leave(house: &House, cookies: &HeaderMap, wish: &Wish) -> Result<Response<Body>, Rejection> {
    let public = house.public.as_ref().ok_or(Rejection::Internal("a sign-in without [server] public_url"))?;
    let (hop, kept) = house.hops.begin(cookies)?;
    let wish = Wish { hop: Some(hop), ..wish.clone() };
    let url = format!("{}{}", &public.url[..Position::BeforePath], wish.address());
    let mut response = redirect(StatusCode::FOUND, &url)?;
    kept.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// Sends a browser that has its session to where it wanted to go: at once on this host, by ticket on an
/// app's.
pub(super) fn arrive(house: &House, session: &Arc<Session>, wish: Wish) -> Result<Response<Body>, Rejection> {
    let Some(to) = wish.return_to else { return redirect(StatusCode::SEE_OTHER, house.home()) };
    match wish.hop {
        Some(hop) if !house.is_public_url(to.url()) => with_ticket(house, session, to, hop, wish.again),
        Some(_) | None => redirect(StatusCode::SEE_OTHER, to.as_str()),
    }
}

fn with_ticket(
    house: &House,
    session: &Arc<Session>,
    to: ReturnTo,
    hop: Hop,
    again: bool,
) -> Result<Response<Body>, Rejection> {
    let host = to.url().host_str().unwrap_or_default().to_owned();
    let mut url = to.url().clone();
    let ticket = house.foundations.tickets.issue(Ticket {
        authority: authority(&url).to_owned(),
        hop,
        session: NewSession::Child { host, of: Arc::clone(session) },
        return_to: to,
        again,
    });
    url.set_path(TICKET);
    url.set_fragment(None);
    url.query_pairs_mut().clear().append_pair(NUMBER, ticket.expose());
    redirect(StatusCode::SEE_OTHER, url.as_str())
}

fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// Takes a ticket in at the app's host and gives the browser its session there.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Content>,
) -> Result<Response<Body>, Rejection> {
    let inbound = exchange.inbound()?;
    let here = Url::parse(&format!("{}://{}/", inbound.forwarding.scheme, inbound.authority)).ok();
    let number = parameters(request.uri()).find(|(name, _)| name == NUMBER).map(|(_, number)| number);
    let holds = |hop: &Hop| house.hops.holds(request.headers(), hop);
    let no_ticket = Err(Missed::Unknown);
    let taken = number
        .zip(here.as_ref())
        .map_or(no_ticket, |(number, here)| house.foundations.tickets.take(&number, authority(here), holds));
    let Ticket { session, return_to, hop, .. } = match taken {
        Ok(ticket) => ticket,
        Err(missed) => {
            let reason = missed.to_string();
            return Err(lost::sign_in(house, exchange, request.headers(), missed.into(), reason).await);
        }
    };
    let (key, session) = house.foundations.sessions.create(session).await?;
    exchange.principal = Some(Arc::clone(&session.principal));
    let mut response = redirect(StatusCode::SEE_OTHER, return_to.as_str())?;
    set_cookie(&mut response, house.cookie.set(&key));
    set_cookie(&mut response, house.hops.clear(&hop)?);
    Ok(response)
}

impl From<Missed> for Lost {
    /// A ticket that lies in the wrong browser is spent; its way may be begun again in this one.
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Unknown => Self::nowhere(),
            Missed::OtherBrowser(ticket) => Self { return_to: Some(ticket.return_to), again: ticket.again },
        }
    }
}
