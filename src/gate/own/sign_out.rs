//! Ending a session here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use crate::listener::Content;
use http::{Method, Request, Response, StatusCode};
use url::Url;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{forget_pages, onward, redirect, set_cookie, show};
use super::{SIGN_OUT, SIGNED_OUT, session};
use crate::authn::Authentication;
use crate::identity::Principal;
use crate::pages::{Form, Page, SignOut, SignedOut};
use crate::secret::Secret;
use crate::session::Session;

/// `GET` asks whether that is meant; `POST` from a page of this origin does it.
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Content>,
) -> Result<Response<Body>, Rejection> {
    let standing = session(house, exchange, request.headers()).await?;
    match standing {
        Authentication::Session(_, session) if request.method() == Method::POST => {
            super::same_origin(exchange, request.headers())?;
            end(house, exchange, &session).await
        }
        Authentication::Session(_, session) => Ok(show(question(house, &session.principal))),
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(_) => {
            Ok(signed_out(house))
        }
    }
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
    house.foundations.sessions.end(&session.id).await?;
    tracing::info!(id = %exchange.id, session = %session.id, user = session.principal.user, "signed out");
    let mut response = match goodbye(house, session) {
        Some(there) => onward(redirect(StatusCode::SEE_OTHER, there.as_str())?),
        None => signed_out(house),
    };
    set_cookie(&mut response, house.cookie.clear());
    forget_pages(&mut response);
    Ok(response)
}

/// Where the provider signs the person out as well.
fn goodbye(house: &House, session: &Session) -> Option<Url> {
    let provider = house.providers.get(session.principal.provider.as_str())?;
    let back = house.public.as_ref()?.endpoint(SIGNED_OUT);
    provider.logout_url(session.tokens.id.as_ref(), Secret::random().expose(), &back)
}

/// Where people end up.
pub(super) fn signed_out(house: &House) -> Response<Body> {
    show(SignedOut { sign_in: house.home(), still_at: None }.page())
}
