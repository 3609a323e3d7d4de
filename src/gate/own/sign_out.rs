//! Ending a session here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use crate::listener::RequestBody;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::Url;

use super::super::body::Body;
use super::super::record::RequestRecord;
use super::super::rejection::Rejection;
use super::super::respond::{forget_pages, onward, redirect, set_cookie, show};
use super::super::return_to::ReturnTo;
use super::super::snapshot::Snapshot;
use super::{SIGN_IN, SIGN_OUT, SIGNED_OUT, SignInRequest, parameters, session};
use crate::authn::OpenedSession;
use crate::identity::Principal;
use crate::pages::{Form, Page, SignOut, SignedOut};
use crate::secret::Secret;
use crate::session::{CookieRead, Session};

/// `GET` asks whether that is meant; `POST` from a page of this origin does it.
pub(super) async fn answer(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Rejection> {
    let standing = match session(snapshot, record, request.headers()).await {
        Err(no @ Rejection::StoreUnavailable(_)) if request.method() == Method::POST => {
            super::same_origin(record, request.headers())?;
            return end_unread(snapshot, record, request.headers(), no).await;
        }
        standing => standing?,
    };
    match standing.session() {
        Some(OpenedSession { session, .. }) if request.method() == Method::POST => {
            super::same_origin(record, request.headers())?;
            end(snapshot, record, session).await
        }
        Some(OpenedSession { session, .. }) => Ok(show(question(snapshot, &session.principal))),
        None => Ok(signed_out(snapshot, Lasts::Ever, None)),
    }
}

/// How long a sign-out holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    Ever,
    /// No disk took it: the person must know.
    UntilRestart,
}

/// "Sign out?"
fn question(snapshot: &Snapshot, principal: &Principal) -> Page {
    let page = SignOut {
        principal,
        provider: snapshot.display_name(&principal.provider),
        form: Form { action: SIGN_OUT, fields: &[] },
        cancel: "/",
    };
    page.page()
}

async fn end(
    snapshot: &Snapshot,
    record: &RequestRecord,
    session: &Session,
) -> Result<Response<Body>, Rejection> {
    let ended = snapshot.foundations.sessions.end(&session.family()).await;
    tracing::info!(id = %record.id, session = %session.id, user = session.principal.user, "signed out");
    let response = match (ended, goodbye(snapshot, session, &Secret::random())) {
        (Err(_), _) => signed_out(snapshot, Lasts::UntilRestart, None),
        (Ok(()), Some(there)) => onward(redirect(StatusCode::SEE_OTHER, there.as_str())?),
        (Ok(()), None) => {
            let still_at = snapshot.display_name(&session.principal.provider);
            signed_out(snapshot, Lasts::Ever, Some(still_at))
        }
    };
    Ok(forgotten(snapshot, response))
}

/// Ends the session of the cookie's key though the store cannot say whose it is: no fault of ours keeps
/// anybody signed in (invariant 23).
async fn end_unread(
    snapshot: &Snapshot,
    record: &RequestRecord,
    headers: &HeaderMap,
    no: Rejection,
) -> Result<Response<Body>, Rejection> {
    let Some(CookieRead::Key(key)) = snapshot.cookie.read(headers) else { return Err(no) };
    let ended = snapshot.foundations.sessions.end(key.id()).await;
    tracing::info!(id = %record.id, session = %key.id(), "signed out");
    let lasts = if ended.is_ok() { Lasts::Ever } else { Lasts::UntilRestart };
    Ok(forgotten(snapshot, signed_out(snapshot, lasts, None)))
}

/// Has the browser forget the session's key and the pages it has kept.
fn forgotten(snapshot: &Snapshot, mut response: Response<Body>) -> Response<Body> {
    set_cookie(&mut response, snapshot.cookie.clear());
    forget_pages(snapshot, &mut response);
    response
}

/// Where the provider signs the person out as well, and leads back from with `state`.
pub(super) fn goodbye(snapshot: &Snapshot, session: &Session, state: &Secret) -> Option<Url> {
    let provider = snapshot.providers.get(session.principal.provider.as_str())?;
    let back = snapshot.public.as_ref()?.endpoint(SIGNED_OUT);
    provider.logout_url(session.tokens.id.as_ref(), state.expose(), &back)
}

/// Back from the provider: at the end, or on the way to sign in as somebody else.
pub(super) fn back<B>(snapshot: &Snapshot, request: &Request<B>) -> Result<Response<Body>, Rejection> {
    let state = parameters(request.uri()).find(|(name, _)| name == "state").map(|(_, state)| state);
    let destination = state.and_then(|state| snapshot.flows.destination(&state));
    let Some(destination) = destination else { return Ok(signed_out(snapshot, Lasts::Ever, None)) };
    let return_to = ReturnTo::parse(&destination.return_to, |url| snapshot.claims(url));
    redirect(
        StatusCode::SEE_OTHER,
        &SignInRequest { return_to, anew: true, ..SignInRequest::default() }.address(),
    )
}

/// Where people end up; `still_at`: the provider that has not been told.
fn signed_out(snapshot: &Snapshot, lasts: Lasts, still_at: Option<&str>) -> Response<Body> {
    let sign_in = snapshot.public.as_ref().map(|public| public.endpoint(SIGN_IN));
    let sign_in = sign_in.as_ref().map_or(SIGN_IN, Url::as_str);
    let until_restart = lasts == Lasts::UntilRestart;
    show(SignedOut { sign_in, still_at, until_restart }.page())
}
