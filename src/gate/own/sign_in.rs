//! Beginning a sign-in (OpenID Connect Core 1.0, section 3.1.2).

use std::borrow::Cow;

use http::{HeaderMap, Method, Request, Response};
use hyper::body::Incoming;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{redirect, set_cookie, show};
use super::super::return_to::ReturnTo;
use super::{parameters, ticket};
use crate::authn::Authentication;
use crate::oidc::{Choice, Hint, Provider, SignInIntent};
use crate::pages::{Chooser, ChooserProvider};

/// What a browser asks for.
#[derive(Debug, Default)]
pub(in crate::gate) struct Wish<'a> {
    /// Where to come back to.
    pub(in crate::gate) return_to: Option<ReturnTo>,
    /// A provider's name.
    pub(in crate::gate) provider: Option<Cow<'a, str>>,
    /// Who it will be.
    pub(in crate::gate) login_hint: Option<Cow<'a, str>>,
    /// The fingerprint of the secret that waits at the app's host.
    pub(in crate::gate) hop: Option<String>,
    /// Whether a session that stands is no answer: sign in as someone else.
    pub(in crate::gate) anew: bool,
}

/// `GET` begins a sign-in or shows the chooser; `POST` ends the session first ("sign in as someone else").
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejection> {
    let wish = wish(house, &request);
    if request.method() == Method::POST {
        super::same_origin(house, request.headers())?;
        let ended = super::sign_out::end(house, request.headers()).await?;
        let mut response = depart(house, exchange, request.headers(), Wish { anew: true, ..wish }).await?;
        ended.then(|| set_cookie(&mut response, house.cookie.clear()));
        return Ok(response);
    }
    let standing = house.authenticator.session(request.headers()).await?;
    if let Authentication::Session(_, session) = standing {
        exchange.principal = Some(session.principal.clone());
        return ticket::arrive(house, &session, wish.return_to, wish.hop);
    }
    depart(house, exchange, request.headers(), wish).await
}

fn wish<B>(house: &House, request: &Request<B>) -> Wish<'static> {
    let mut wish = Wish::default();
    for (name, value) in parameters(request.uri()) {
        match name.as_ref() {
            "return" => wish.return_to = ReturnTo::parse(&value, |url| house.claims(url)),
            "provider" => wish.provider = Some(value.into_owned().into()),
            "login_hint" => wish.login_hint = Some(value.into_owned().into()).filter(|v: &Cow<'_, str>| !v.is_empty()),
            "hop" => wish.hop = Some(value.into_owned()).filter(|hop| hop.len() == 64),
            _ => {}
        }
    }
    wish
}

/// Sends a browser to its provider, or to the page where it chooses one. On an app's own host it is sent
/// to the sign-in host first.
pub(in crate::gate) async fn depart(
    house: &House,
    exchange: &Exchange,
    headers: &HeaderMap,
    wish: Wish<'_>,
) -> Result<Response<Body>, Rejection> {
    if !exchange.is_on_public_host(house) {
        return ticket::hop(house, &wish);
    }
    let hint = Hint { provider: wish.provider.as_deref(), login_hint: wish.login_hint.as_deref() };
    match house.providers.choose(hint) {
        Choice::One(provider) => to_provider(house, provider, headers, wish).await,
        Choice::Chooser(several) => Ok(chooser(house, exchange, &several, &wish)),
    }
}

async fn to_provider(
    house: &House,
    provider: &Provider,
    headers: &HeaderMap,
    wish: Wish<'_>,
) -> Result<Response<Body>, Rejection> {
    provider.retry_now().await?;
    let home = house.home();
    let intent = SignInIntent {
        return_to: wish.return_to.as_ref().map_or(home, ReturnTo::as_str).to_owned(),
        login_hint: wish.login_hint.map(Cow::into_owned),
        hop: wish.hop,
        prompt: wish.anew.then(|| "login".to_owned()),
    };
    let departure = provider.begin(intent)?;
    let mut response = redirect(http::StatusCode::FOUND, departure.location.as_str())?;
    let cookies = house.flows.seal(&departure.flow, headers);
    cookies.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

fn chooser(house: &House, exchange: &Exchange, several: &[&std::sync::Arc<Provider>], wish: &Wish<'_>) -> Response<Body> {
    let home = house.home();
    let return_to = wish.return_to.as_ref().map_or(home, ReturnTo::as_str);
    let providers = several.iter().map(|provider| ChooserProvider {
        name: provider.name().to_string(),
        display_name: provider.settings().display_name.clone(),
    });
    show(
        exchange,
        &Chooser {
            host: wish.return_to.as_ref().and_then(|to| to.url().host_str()).unwrap_or_default(),
            providers: providers.collect(),
            by_email: several.iter().any(|provider| !provider.settings().email_domains.is_empty()),
            return_to,
            hop: wish.hop.as_deref(),
        }
        .page(),
    )
}
