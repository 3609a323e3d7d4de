//! From the sign-in host to an app's host, with a one-time ticket. With a single host the hop vanishes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use url::{Position, Url};

use super::answer::Answer;
use super::context::RequestContext;
use super::error::EndpointError;
use super::handover::HandoverSecret;
use super::lost::{self, Lost};
use super::paths::TICKET;
use super::response::{redirect, set_cookie};
use super::return_to::ReturnTo;
use super::sign_in_request::{SignInRequest, parameters};
use super::state::Endpoints;
use super::tickets::{Missed, Ticket};
use crate::session::{NewSession, Session, SessionKey};

/// The parameter that carries a ticket's number.
const NUMBER: &str = "ticket";

/// Sends a browser from an app's host to the sign-in host. A secret stays behind in a cookie: whoever
/// comes back with a ticket must be who left (invariant 6).
pub(super) fn leave(
    endpoints: &Endpoints,
    cookies: &HeaderMap,
    wanted: &SignInRequest,
) -> Result<Response<Bytes>, EndpointError> {
    let public = endpoints.hosts.public.as_ref();
    let public = public.ok_or(EndpointError::Internal("a sign-in without [server] public_url"))?;
    let (handover, kept) = endpoints.cookies.handover.begin(cookies)?;
    let wanted = SignInRequest { handover: Some(handover), ..wanted.clone() };
    let url = format!("{}{}", &public.url[..Position::BeforePath], wanted.address());
    let mut response = redirect(StatusCode::FOUND, &url)?;
    kept.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// Sends a browser that has its session to where it wanted to go: at once on this host, by ticket on an
/// app's.
pub(super) fn arrive(
    endpoints: &Endpoints,
    session: &Arc<Session>,
    wanted: SignInRequest,
) -> Result<Response<Bytes>, EndpointError> {
    let Some(to) = wanted.return_to else {
        return redirect(StatusCode::SEE_OTHER, endpoints.hosts.front_page());
    };
    match wanted.handover {
        Some(handover) if !endpoints.hosts.is_public_url(to.url()) => {
            with_ticket(endpoints, session, to, handover, wanted.again)
        }
        Some(_) | None => redirect(StatusCode::SEE_OTHER, to.as_str()),
    }
}

fn with_ticket(
    endpoints: &Endpoints,
    session: &Arc<Session>,
    to: ReturnTo,
    handover: HandoverSecret,
    again: bool,
) -> Result<Response<Bytes>, EndpointError> {
    let host = to.url().host_str().unwrap_or_default().to_owned();
    let mut url = to.url().clone();
    let ticket = endpoints.resources.tickets.issue(Ticket {
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
pub(super) async fn answer<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Answer {
    let Ticket { session, return_to, handover, .. } = match taken(endpoints, context, request) {
        Ok(ticket) => ticket,
        Err(missed) => {
            let reason = missed.to_string();
            return lost::sign_in(endpoints, context, request.headers(), missed.into(), reason).await;
        }
    };
    match endpoints.resources.sessions.create(session).await {
        Ok((key, session)) => {
            let response = arrived(endpoints, &key, &return_to, &handover);
            Answer::to(Some(Arc::clone(&session.principal)), response)
        }
        Err(error) => EndpointError::from(error).into(),
    }
}

fn taken<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Result<Ticket, Missed> {
    let here = Url::parse(&format!("{}/", context.origin())).map_err(|_| Missed::Unknown)?;
    let number = parameters(request.uri()).find(|(name, _)| name == NUMBER);
    let (_, number) = number.ok_or(Missed::Unknown)?;
    let holds = |handover: &HandoverSecret| endpoints.cookies.handover.holds(request.headers(), handover);
    endpoints.resources.tickets.take(&number, authority(&here), holds)
}

fn arrived(
    endpoints: &Endpoints,
    key: &SessionKey,
    return_to: &ReturnTo,
    handover: &HandoverSecret,
) -> Result<Response<Bytes>, EndpointError> {
    let mut response = redirect(StatusCode::SEE_OTHER, return_to.as_str())?;
    set_cookie(&mut response, endpoints.cookies.session.set(key));
    set_cookie(&mut response, endpoints.cookies.handover.clear(handover)?);
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
