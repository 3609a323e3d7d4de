//! Ending a session here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use crate::listener::Content;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::Url;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{forget_pages, onward, redirect, set_cookie, show};
use super::super::return_to::ReturnTo;
use super::{SIGN_IN, SIGN_OUT, SIGNED_OUT, Wish, parameters, session};
use crate::authn::Authentication;
use crate::identity::Principal;
use crate::pages::{Form, Page, SignOut, SignedOut};
use crate::secret::Secret;
use crate::session::{CookieRead, Session};

/// `GET` asks whether that is meant; `POST` from a page of this origin does it.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Content>,
) -> Result<Response<Body>, Rejection> {
    let standing = match session(house, exchange, request.headers()).await {
        Err(no @ Rejection::StoreUnavailable(_)) if request.method() == Method::POST => {
            super::same_origin(exchange, request.headers())?;
            return end_unread(house, exchange, request.headers(), no).await;
        }
        standing => standing?,
    };
    match standing {
        Authentication::Session(_, session) if request.method() == Method::POST => {
            super::same_origin(exchange, request.headers())?;
            end(house, exchange, &session).await
        }
        Authentication::Session(_, session) => Ok(show(question(house, &session.principal))),
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(..) => {
            Ok(signed_out(house, Lasts::Ever, None))
        }
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
fn question(house: &House, principal: &Principal) -> Page {
    let page = SignOut {
        principal,
        provider: house.display_name(&principal.provider),
        form: Form { action: SIGN_OUT, fields: &[] },
        cancel: "/",
    };
    page.page()
}

async fn end(house: &House, exchange: &Exchange, session: &Session) -> Result<Response<Body>, Rejection> {
    let ended = house.foundations.sessions.end(&session.family()).await;
    tracing::info!(id = %exchange.id, session = %session.id, user = session.principal.user, "signed out");
    let response = match (ended, goodbye(house, session, &Secret::random())) {
        (Err(_), _) => signed_out(house, Lasts::UntilRestart, None),
        (Ok(()), Some(there)) => onward(redirect(StatusCode::SEE_OTHER, there.as_str())?),
        (Ok(()), None) => {
            let still_at = house.display_name(&session.principal.provider);
            signed_out(house, Lasts::Ever, Some(still_at))
        }
    };
    Ok(forgotten(house, response))
}

/// Ends the session of the cookie's key though the store cannot say whose it is: no fault of ours keeps
/// anybody signed in (invariant 23).
async fn end_unread(
    house: &House,
    exchange: &Exchange,
    headers: &HeaderMap,
    no: Rejection,
) -> Result<Response<Body>, Rejection> {
    let Some(CookieRead::Key(key)) = house.cookie.read(headers) else { return Err(no) };
    let ended = house.foundations.sessions.end(key.id()).await;
    tracing::info!(id = %exchange.id, session = %key.id(), "signed out");
    let lasts = if ended.is_ok() { Lasts::Ever } else { Lasts::UntilRestart };
    Ok(forgotten(house, signed_out(house, lasts, None)))
}

/// Has the browser forget the session's key and the pages it has kept.
fn forgotten(house: &House, mut response: Response<Body>) -> Response<Body> {
    set_cookie(&mut response, house.cookie.clear());
    forget_pages(house, &mut response);
    response
}

/// Where the provider signs the person out as well, and leads back from with `state`.
pub(super) fn goodbye(house: &House, session: &Session, state: &Secret) -> Option<Url> {
    let provider = house.providers.get(session.principal.provider.as_str())?;
    let back = house.public.as_ref()?.endpoint(SIGNED_OUT);
    provider.logout_url(session.tokens.id.as_ref(), state.expose(), &back)
}

/// Back from the provider: at the end, or on the way to sign in as somebody else.
pub(super) fn back<B>(house: &House, request: &Request<B>) -> Result<Response<Body>, Rejection> {
    let state = parameters(request.uri()).find(|(name, _)| name == "state").map(|(_, state)| state);
    let destination = state.and_then(|state| house.flows.destination(&state));
    let Some(destination) = destination else { return Ok(signed_out(house, Lasts::Ever, None)) };
    let return_to = ReturnTo::parse(&destination.return_to, |url| house.claims(url));
    redirect(StatusCode::SEE_OTHER, &Wish { return_to, anew: true, ..Wish::default() }.address())
}

/// Where people end up; `still_at`: the provider that has not been told.
fn signed_out(house: &House, lasts: Lasts, still_at: Option<&str>) -> Response<Body> {
    let sign_in = house.public.as_ref().map(|public| public.endpoint(SIGN_IN));
    let sign_in = sign_in.as_ref().map_or(SIGN_IN, Url::as_str);
    let until_restart = lasts == Lasts::UntilRestart;
    show(SignedOut { sign_in, still_at, until_restart }.page())
}
