//! From the sign-in host to an app's host, with a one-time ticket. With a single host the hop vanishes.

use std::sync::Arc;

use crate::listener::RequestBody;
use http::{HeaderMap, Request, Response, StatusCode};
use url::{Position, Url};

use super::super::body::Body;
use super::super::handover::HandoverSecret;
use super::super::record::RequestRecord;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, set_cookie};
use super::super::return_to::ReturnTo;
use super::super::snapshot::Snapshot;
use super::super::tickets::{Missed, Ticket};
use super::lost::{self, Lost};
use super::{SignInRequest, TICKET, parameters};
use crate::session::{NewSession, Session};

/// The parameter that carries a ticket's number.
const NUMBER: &str = "ticket";

/// Sends a browser from an app's host to the sign-in host. A secret stays behind in a cookie: whoever
/// comes back with a ticket must be who left (invariant 6).
pub(super) fn leave(
    snapshot: &Snapshot,
    cookies: &HeaderMap,
    wanted: &SignInRequest,
) -> Result<Response<Body>, Rejection> {
    let public =
        snapshot.public.as_ref().ok_or(Rejection::Internal("a sign-in without [server] public_url"))?;
    let (handover, kept) = snapshot.handover.begin(cookies)?;
    let wanted = SignInRequest { handover: Some(handover), ..wanted.clone() };
    let url = format!("{}{}", &public.url[..Position::BeforePath], wanted.address());
    let mut response = redirect(StatusCode::FOUND, &url)?;
    kept.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// Sends a browser that has its session to where it wanted to go: at once on this host, by ticket on an
/// app's.
pub(super) fn arrive(
    snapshot: &Snapshot,
    session: &Arc<Session>,
    wanted: SignInRequest,
) -> Result<Response<Body>, Rejection> {
    let Some(to) = wanted.return_to else { return redirect(StatusCode::SEE_OTHER, snapshot.home()) };
    match wanted.handover {
        Some(handover) if !snapshot.is_public_url(to.url()) => {
            with_ticket(snapshot, session, to, handover, wanted.again)
        }
        Some(_) | None => redirect(StatusCode::SEE_OTHER, to.as_str()),
    }
}

fn with_ticket(
    snapshot: &Snapshot,
    session: &Arc<Session>,
    to: ReturnTo,
    handover: HandoverSecret,
    again: bool,
) -> Result<Response<Body>, Rejection> {
    let host = to.url().host_str().unwrap_or_default().to_owned();
    let mut url = to.url().clone();
    let ticket = snapshot.foundations.tickets.issue(Ticket {
        authority: authority(&url).to_owned(),
        handover,
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
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Rejection> {
    let inbound = record.inbound()?;
    let here = Url::parse(&format!("{}://{}/", inbound.forwarding.scheme, inbound.authority)).ok();
    let number = parameters(request.uri()).find(|(name, _)| name == NUMBER).map(|(_, number)| number);
    let holds = |handover: &HandoverSecret| snapshot.handover.holds(request.headers(), handover);
    let no_ticket = Err(Missed::Unknown);
    let taken = number.zip(here.as_ref()).map_or(no_ticket, |(number, here)| {
        snapshot.foundations.tickets.take(&number, authority(here), holds)
    });
    let Ticket { session, return_to, handover, .. } = match taken {
        Ok(ticket) => ticket,
        Err(missed) => {
            let reason = missed.to_string();
            return Err(lost::sign_in(snapshot, record, request.headers(), missed.into(), reason).await);
        }
    };
    let (key, session) = snapshot.foundations.sessions.create(session).await?;
    record.principal = Some(Arc::clone(&session.principal));
    let mut response = redirect(StatusCode::SEE_OTHER, return_to.as_str())?;
    set_cookie(&mut response, snapshot.cookie.set(&key));
    set_cookie(&mut response, snapshot.handover.clear(&handover)?);
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
