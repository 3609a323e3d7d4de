//! From an app's host to the sign-in host and back, with a one-time ticket. Where the app is on the sign-in host itself,
//! there is nothing to hand over.
//!
//! 1. On the app's host a secret is left behind in a cookie, and the browser takes its fingerprint to the sign-in host.
//! 2. There the person signs in, or has a session already. A ticket is issued for the app's host, the fingerprint and a
//!    session that hangs on that one.
//! 3. The browser brings the ticket's number to the app's host. Whatever comes of that, the ticket is spent. Where the
//!    number, the host and the secret fit, the browser gets its session and forgets the secret.
//!
//! The number alone opens nothing in another browser, and the secret alone is nobody's session.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::OptionFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use url::{Position, Url};

use super::answer::Answer;
use super::bound_session;
use super::context::RequestContext;
use super::error::EndpointError;
use super::handover::HandoverFingerprint;
use super::lost::{self, LostDestination};
use super::paths::TICKET;
use super::response::{redirect, set_cookie};
use super::return_to::ReturnTo;
use super::sign_in_request::{SignInRequest, parameter};
use super::state::Endpoints;
use super::tickets::{Ticket, TicketError};
use crate::session::{FamilyGrant, NewSession, Session, SessionKey};

/// The parameter that carries a ticket's number.
const NUMBER: &str = "ticket";

/// Sends a browser from an app's host to the sign-in host. A secret stays behind in a cookie: whoever
/// comes back with a ticket must be who left (invariant 6).
pub(super) fn redirect_to_sign_in_host(
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

/// Whether a browser that has its session needs a ticket to get where it wants to go.
pub(super) fn is_needed(endpoints: &Endpoints, wanted: &SignInRequest) -> bool {
    let elsewhere = |to: &ReturnTo| !endpoints.hosts.is_public_url(to.url());
    wanted.handover.is_some() && wanted.return_to.as_ref().is_some_and(elsewhere)
}

/// Sends a browser that has its session to where it wanted to go: at once on this host, by ticket on an
/// app's, where its session may be bound to the device or may not.
pub(super) async fn finish_sign_in(
    endpoints: &Endpoints,
    session: &Arc<Session>,
    wanted: SignInRequest,
    bindable: bool,
) -> Result<Response<Bytes>, EndpointError> {
    let by_ticket = is_needed(endpoints, &wanted);
    let Some(return_to) = wanted.return_to else {
        return redirect(StatusCode::SEE_OTHER, endpoints.hosts.front_page());
    };
    match wanted.handover.filter(|_| by_ticket) {
        Some(handover) => {
            let (family, again) = (FamilyGrant::of(session), wanted.again);
            hand_over(endpoints, &Ticket { handover, family, return_to, again, bindable }).await
        }
        None => redirect(StatusCode::SEE_OTHER, return_to.as_str()),
    }
}

/// Issues `ticket`, and sends the browser with its number to the host that it is for.
async fn hand_over(endpoints: &Endpoints, ticket: &Ticket) -> Result<Response<Bytes>, EndpointError> {
    let mut url = ticket.return_to.url().clone();
    let number = endpoints.resources.tickets.issue(ticket).await?;
    url.set_path(TICKET);
    url.set_fragment(None);
    url.query_pairs_mut().clear().append_pair(NUMBER, number.expose());
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
    let Ticket { family, return_to, handover, bindable, .. } = match taken(endpoints, context, request).await
    {
        Ok(ticket) => ticket,
        Err(TicketError::Away(error)) => return EndpointError::from(error).into(),
        Err(missed) => {
            let reason = missed.to_string();
            return lost::refuse(endpoints, context, request.headers(), missed.into(), reason).await;
        }
    };
    let host = return_to.url().host_str().unwrap_or_default().to_owned();
    let session = NewSession::Child { host, of: family, address: Some(context.forwarding.client.ip()) };
    match endpoints.resources.sessions.create(session).await {
        Ok((key, session)) => {
            let offer =
                OptionFuture::from(bindable.then(|| bound_session::offer(endpoints, context, &session)));
            let offer = offer.await.flatten();
            let response = arrived(endpoints, &key, &return_to, &handover).map(|mut response| {
                response.headers_mut().extend(offer);
                response
            });
            Answer::to(Some(Arc::clone(&session.principal)), response)
        }
        Err(error) => EndpointError::from(error).into(),
    }
}

async fn taken<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Result<Ticket, TicketError> {
    let here = Url::parse(&format!("{}/", context.origin())).map_err(|_| TicketError::Unknown)?;
    let number = parameter(request.uri(), NUMBER).ok_or(TicketError::Unknown)?;
    let holds =
        |handover: &HandoverFingerprint| endpoints.cookies.handover.holds(request.headers(), handover);
    endpoints.resources.tickets.take(&number, authority(&here), holds).await
}

fn arrived(
    endpoints: &Endpoints,
    key: &SessionKey,
    return_to: &ReturnTo,
    handover: &HandoverFingerprint,
) -> Result<Response<Bytes>, EndpointError> {
    let mut response = redirect(StatusCode::SEE_OTHER, return_to.as_str())?;
    set_cookie(&mut response, endpoints.cookies.session.set(key));
    set_cookie(&mut response, endpoints.cookies.handover.clear(handover)?);
    Ok(response)
}

impl From<TicketError> for LostDestination {
    /// A ticket in the wrong browser is spent, but where it was to lead is known: this browser may begin its own sign-in.
    fn from(missed: TicketError) -> Self {
        match missed {
            TicketError::Unknown | TicketError::Away(_) => Self::unknown(),
            TicketError::OtherBrowser(ticket) => {
                Self { return_to: Some(ticket.return_to), again: ticket.again }
            }
        }
    }
}
