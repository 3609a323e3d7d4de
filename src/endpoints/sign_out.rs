//! Ending a session here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::future::OptionFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;

use super::answer::Answer;
use super::context::RequestContext;
use super::device;
use super::error::EndpointError;
use super::paths::{SIGN_IN, SIGN_OUT, SIGNED_OUT};
use super::resources::Resources;
use super::response::{interstitial, redirect, set_cookie, show};
use super::revocation::Revocation;
use super::same_origin::same_origin;
use super::sign_in_request::{SignInRequest, parameter};
use super::state::Endpoints;
use crate::authn::OpenedSession;
use crate::clock::Timestamp;
use crate::events::{self, Caller};
use crate::identity::Principal;
use crate::pages::{GivenTokens, Page, SignOut, SignedOut, Told};
use crate::secret::Secret;
use crate::session::{CookieRead, EndCause, Session, SessionEnd};

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
    let response = match found.session_to_end() {
        Some(OpenedSession { session, .. }) if meant => {
            end(endpoints, context, headers, session, found.unshown().is_none()).await
        }
        // Who has the cookie alone is not told whose it is.
        Some(_) if found.unshown().is_some() => {
            redirect(StatusCode::SEE_OTHER, &SignInRequest::back_to(context, SIGN_OUT).address())
        }
        Some(OpenedSession { session, .. }) => Ok(show(question(endpoints, context, &session.principal))),
        None => Ok(signed_out(endpoints, context, Left::default())),
    };
    Answer::to(found.principal().cloned(), response)
}

/// The page that asks whether signing out is meant.
fn question(endpoints: &Endpoints, context: RequestContext<'_>, principal: &Principal) -> Page {
    let page = SignOut {
        principal,
        provider: endpoints.display_name(&principal.provider),
        action: SIGN_OUT,
        cancel: "/",
    };
    page.page(context.look)
}

async fn end(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    session: &Session,
    hint: bool,
) -> Result<Response<Bytes>, EndpointError> {
    same_origin(context, headers)?;
    let ended = endpoints.resources.sessions.end_because(&session.family(), by_themselves(context)).await;
    let device = device::of(headers);
    endpoints.resources.recorder.emit(&events::SignedOut {
        caller: Caller { device: Some(&device), ..context.caller() },
        who: Some(&session.principal),
        session: session.family().first_bytes(),
    });
    let revocation = Revocation::begin(endpoints, session);
    let provider = endpoints.display_name(&session.principal.provider);
    let there = logout_url(endpoints, session, &departure(endpoints, provider), hint);
    let response = match (ended, there) {
        (Ok(()), Some(there)) => interstitial(context, redirect(StatusCode::SEE_OTHER, there.as_str())?),
        // Said here, and not left to the provider's page: a restart would bring the session back.
        (ended, _) => {
            let tokens = OptionFuture::from(revocation.map(Revocation::outcome)).await;
            let provider = Some((provider, Told::No));
            signed_out(endpoints, context, Left { provider, tokens, until_restart: ended.is_err() })
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
    let ended = endpoints.resources.sessions.end_because(key.id(), by_themselves(context)).await;
    let (session, device) = (key.id().first_bytes(), device::of(headers));
    endpoints.resources.recorder.emit(&events::SignedOut {
        caller: Caller { device: Some(&device), ..context.caller() },
        who: None,
        session,
    });
    let left = Left { until_restart: ended.is_err(), ..Left::default() };
    Ok(forgotten(endpoints, signed_out(endpoints, context, left)))
}

/// A person signs out by this request.
fn by_themselves(context: RequestContext<'_>) -> EndCause {
    EndCause::from(SessionEnd::SignedOut).asked_in(context.owned_caller())
}

/// Has the browser forget the session's key and the pages it has kept.
fn forgotten(endpoints: &Endpoints, mut response: Response<Bytes>) -> Response<Bytes> {
    set_cookie(&mut response, endpoints.cookies.session.clear());
    set_cookie(&mut response, endpoints.cookies.bound.clear());
    endpoints.forget_pages(&mut response);
    response
}

/// Where the provider signs the person out as well, and leads back from with `state`.
pub(super) fn logout_url(
    endpoints: &Endpoints,
    session: &Session,
    state: &Secret,
    hint: bool,
) -> Option<Url> {
    let provider = endpoints.providers.get(session.principal.provider.as_str())?;
    let back = endpoints.hosts.public.as_ref()?.endpoint(SIGNED_OUT);
    // The provider's token goes through the browser: not through that of somebody who has a cookie alone.
    let hint = session.tokens.id.as_ref().filter(|_| mutant!(hint, "id-token-for-a-stolen-cookie" => true));
    provider.logout_url(hint, state.expose(), &back)
}

/// Somebody on the way to their provider to sign out there, too.
#[derive(Serialize, Deserialize)]
struct Departure {
    /// What people call the provider.
    provider: String,
    at: Timestamp,
}

/// What it is sealed under, so that nothing else that the key seals is taken for one (invariant 7).
const DEPARTURE: &[u8] = b"portcullis-sign-out";

/// How long they may take to come back.
const AWAY: Duration = Duration::from_secs(3600);

/// `state` by which the page behind it knows that its person was at the provider.
fn departure(endpoints: &Endpoints, provider: &str) -> Secret {
    let Resources { keys, clock, .. } = &*endpoints.resources;
    let departure = Departure { provider: provider.to_owned(), at: clock.now() };
    let sealed = keys.flow.seal_json(DEPARTURE, &departure);
    sealed.map_or_else(Secret::random, |sealed| Secret::new(URL_SAFE_NO_PAD.encode(sealed)))
}

fn come_back(endpoints: &Endpoints, state: &str) -> Option<Departure> {
    let Resources { keys, clock, .. } = &*endpoints.resources;
    let departure: Departure = keys.flow.open_json(DEPARTURE, &URL_SAFE_NO_PAD.decode(state).ok()?)?;
    (clock.now().since(departure.at) < AWAY).then_some(departure)
}

/// Back from the provider: at the end, or on the way to sign in as somebody else.
pub(super) async fn back<B>(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<B>,
) -> Answer {
    let state = parameter(request.uri(), "state").unwrap_or_default();
    if let Some(destination) = endpoints.cookies.flows.destination(&state) {
        let return_to = endpoints.hosts.return_to(&destination.return_to);
        let anew = SignInRequest { anew: true, ..SignInRequest::to(return_to) };
        return redirect(StatusCode::SEE_OTHER, &anew.address()).into();
    }
    if let Some(departure) = come_back(endpoints, &state) {
        let provider = Some((departure.provider.as_str(), Told::Yes));
        return signed_out(endpoints, context, Left { provider, ..Left::default() }).into();
    }
    // Whoever was not sent to their provider from here may be signed in: the page must not say otherwise.
    match endpoints.session(context, request.headers()).await {
        Ok(found) => {
            let open = mutant!(found.session(), "signed-in-and-told-otherwise" => None);
            let page = open.map(|open| show(question(endpoints, context, &open.session.principal)));
            let page = page.unwrap_or_else(|| signed_out(endpoints, context, Left::default()));
            Answer::to(found.principal().cloned(), Ok(page))
        }
        Err(error) => error.into(),
    }
}

/// What is left where somebody has signed out.
#[derive(Clone, Copy, Default)]
struct Left<'a> {
    provider: Option<(&'a str, Told)>,
    tokens: Option<GivenTokens>,
    until_restart: bool,
}

/// Where people end up.
fn signed_out(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    Left { provider, tokens, until_restart }: Left<'_>,
) -> Response<Bytes> {
    let sign_in = endpoints.hosts.address(SIGN_IN);
    show(SignedOut { sign_in: &sign_in, provider, tokens, until_restart }.page(context.look))
}
