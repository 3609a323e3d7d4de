//! Ending a session here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::Url;

use super::answer::Answer;
use super::context::RequestContext;
use super::error::EndpointError;
use super::paths::{SIGN_IN, SIGN_OUT, SIGNED_OUT};
use super::response::{interstitial, redirect, set_cookie, show};
use super::same_origin::same_origin;
use super::sign_in_request::{SignInRequest, parameter};
use super::state::Endpoints;
use crate::authn::OpenedSession;
use crate::identity::Principal;
use crate::pages::{Page, SignOut, SignedOut};
use crate::secret::Secret;
use crate::session::{CookieRead, Session};

/// `GET` asks whether that is meant; `POST` from a page of this origin does it.
pub(super) async fn answer<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Answer {
    let (headers, meant) = (request.headers(), request.method() == Method::POST);
    let found = match endpoints.session(context, headers).await {
        Ok(found) => found,
        Err(error @ EndpointError::StoreUnavailable(_)) if meant => {
            return end_unread(endpoints, context, headers, error).await.into();
        }
        Err(error) => return error.into(),
    };
    let response = match found.session() {
        Some(OpenedSession { session, .. }) if meant => end(endpoints, context, headers, session).await,
        Some(OpenedSession { session, .. }) => Ok(show(question(endpoints, &session.principal))),
        None => Ok(signed_out(endpoints, Lasts::ForEver, None)),
    };
    Answer::to(found.principal().cloned(), response)
}

/// How long a sign-out holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    ForEver,
    /// The store did not take it, so that a restart would bring the session back: the person must know.
    UntilRestart,
}

/// The page that asks whether signing out is meant.
fn question(endpoints: &Endpoints, principal: &Principal) -> Page {
    let page = SignOut {
        principal,
        provider: endpoints.display_name(&principal.provider),
        action: SIGN_OUT,
        cancel: "/",
    };
    page.page()
}

async fn end(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    session: &Session,
) -> Result<Response<Bytes>, EndpointError> {
    same_origin(context, headers)?;
    let ended = endpoints.resources.sessions.end(&session.family()).await;
    tracing::info!(id = %context.id, session = %session.id, user = session.principal.user, "signed out");
    let response = match (ended, logout_url(endpoints, session, &Secret::random())) {
        // Said here, and not left to the provider's page: a restart would bring the session back.
        (Err(_), _) => signed_out(endpoints, Lasts::UntilRestart, None),
        (Ok(()), Some(there)) => interstitial(redirect(StatusCode::SEE_OTHER, there.as_str())?),
        (Ok(()), None) => {
            let still_at = endpoints.display_name(&session.principal.provider);
            signed_out(endpoints, Lasts::ForEver, Some(still_at))
        }
    };
    Ok(forgotten(endpoints, response))
}

/// Ends the session of the cookie's key though the store cannot say whose it is: a store that is away keeps nobody
/// signed in who wants to leave (invariant 23).
async fn end_unread(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    unread: EndpointError,
) -> Result<Response<Bytes>, EndpointError> {
    same_origin(context, headers)?;
    let Some(CookieRead::Key(key)) = endpoints.cookies.session.read(headers) else { return Err(unread) };
    let ended = endpoints.resources.sessions.end(key.id()).await;
    tracing::info!(id = %context.id, session = %key.id(), "signed out");
    let lasts = if ended.is_ok() { Lasts::ForEver } else { Lasts::UntilRestart };
    Ok(forgotten(endpoints, signed_out(endpoints, lasts, None)))
}

/// Has the browser forget the session's key and the pages it has kept.
fn forgotten(endpoints: &Endpoints, mut response: Response<Bytes>) -> Response<Bytes> {
    set_cookie(&mut response, endpoints.cookies.session.clear());
    endpoints.forget_pages(&mut response);
    response
}

/// Where the provider signs the person out as well, and leads back from with `state`.
pub(super) fn logout_url(endpoints: &Endpoints, session: &Session, state: &Secret) -> Option<Url> {
    let provider = endpoints.providers.get(session.principal.provider.as_str())?;
    let back = endpoints.hosts.public.as_ref()?.endpoint(SIGNED_OUT);
    provider.logout_url(session.tokens.id.as_ref(), state.expose(), &back)
}

/// Back from the provider: at the end, or on the way to sign in as somebody else.
pub(super) fn back<B>(endpoints: &Endpoints, request: &Request<B>) -> Result<Response<Bytes>, EndpointError> {
    let state = parameter(request.uri(), "state");
    let destination = state.and_then(|state| endpoints.cookies.flows.destination(&state));
    let Some(destination) = destination else { return Ok(signed_out(endpoints, Lasts::ForEver, None)) };
    let return_to = endpoints.hosts.return_to(&destination.return_to);
    let anew = SignInRequest { anew: true, ..SignInRequest::to(return_to) };
    redirect(StatusCode::SEE_OTHER, &anew.address())
}

/// Where people end up; `still_at`: the provider that has not been told.
fn signed_out(endpoints: &Endpoints, lasts: Lasts, still_at: Option<&str>) -> Response<Bytes> {
    let sign_in = endpoints.hosts.address(SIGN_IN);
    let until_restart = lasts == Lasts::UntilRestart;
    show(SignedOut { sign_in: &sign_in, still_at, until_restart }.page())
}
