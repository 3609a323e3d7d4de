//! Beginning a sign-in (OpenID Connect Core 1.0, section 3.1.2).

use std::borrow::Cow;
use std::sync::Arc;

use crate::listener::Content;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::Url;

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::hops::Hop;
use super::super::house::House;
use super::super::rejection::Rejection;
use super::super::respond::{forget_pages, onward, redirect, set_cookie, show};
use super::super::return_to::ReturnTo;
use super::{SIGN_IN, parameters, session, ticket};
use crate::authn::Authentication;
use crate::oidc::{Choice, Hint, Provider, ResponseMode, SignInIntent};
use crate::pages::{self, Chooser};

/// Parameter of the sign-in endpoint: a session that stands is no answer.
pub(super) const ANEW: &str = "anew";

/// The longest `login_hint` that is passed on, in bytes.
const LONGEST_HINT: usize = 320;

/// What a browser asks for.
#[derive(Debug, Default)]
pub(in crate::gate) struct Wish {
    /// Where to come back to.
    pub(in crate::gate) return_to: Option<ReturnTo>,
    /// A provider's name.
    pub(in crate::gate) provider: Option<String>,
    /// Who it will be.
    pub(in crate::gate) login_hint: Option<String>,
    /// The fingerprint of the secret that waits at the app's host.
    pub(in crate::gate) hop: Option<Hop>,
    /// Whether a session that stands is no answer: sign in as someone else.
    pub(in crate::gate) anew: bool,
}

impl Wish {
    fn read<B>(house: &House, request: &Request<B>) -> Self {
        let mut wish = Self::default();
        for (name, value) in parameters(request.uri()) {
            match name.as_ref() {
                pages::RETURN_TO => wish.return_to = ReturnTo::parse(&value, |url| house.claims(url)),
                pages::PROVIDER => wish.provider = Some(value.into_owned()),
                pages::LOGIN_HINT => wish.login_hint = hint(value),
                pages::HOP => wish.hop = Hop::parse(&value),
                ANEW => wish.anew = true,
                _ => {}
            }
        }
        wish
    }
}

fn hint(value: Cow<'_, str>) -> Option<String> {
    Some(value.into_owned()).filter(|hint| !hint.is_empty() && hint.len() <= LONGEST_HINT)
}

/// `GET` begins a sign-in or shows the chooser; `POST` ends the session first ("sign in as someone else").
pub(super) async fn answer(
    house: &House,
    exchange: &mut Exchange,
    request: Request<Content>,
) -> Result<Response<Body>, Rejection> {
    let mut wish = Wish::read(house, &request);
    let standing = session(house, exchange, request.headers()).await?;
    if request.method() == Method::POST {
        super::same_origin(exchange, request.headers())?;
        wish.anew = true;
        return switch(house, exchange, request.headers(), &standing, wish).await;
    }
    if let Authentication::Session(_, session) = &standing
        && !wish.anew
    {
        return ticket::arrive(house, session, wish.return_to, wish.hop);
    }
    let by_form = wish.login_hint.is_some();
    let departure = depart(house, exchange, request.headers(), wish).await?;
    // The chooser's form asks by `GET`, and browsers hold its page's `form-action` against redirects.
    Ok(if by_form { onward(departure) } else { departure })
}

/// The way out of a posted form leads through a page of ours: browsers hold its `form-action` against every
/// redirect that follows.
async fn switch(
    house: &House,
    exchange: &Exchange,
    headers: &HeaderMap,
    standing: &Authentication,
    wish: Wish,
) -> Result<Response<Body>, Rejection> {
    if let Authentication::Session(_, session) = standing {
        // It has ended in memory in any case, and whatever went wrong is in the log: on to the sign-in.
        drop(house.foundations.sessions.end(&session.family()).await);
    }
    let mut response = onward(depart(house, exchange, headers, wish).await?);
    set_cookie(&mut response, house.cookie.clear());
    forget_pages(&mut response);
    Ok(response)
}

/// Sends a browser to its provider, or to the page where it chooses one. On an app's own host it is sent
/// to the sign-in host first.
pub(in crate::gate) async fn depart(
    house: &House,
    exchange: &Exchange,
    cookies: &HeaderMap,
    wish: Wish,
) -> Result<Response<Body>, Rejection> {
    if !exchange.is_on_public_host(house) {
        return ticket::leave(house, cookies, &wish);
    }
    let hint = Hint { provider: wish.provider.as_deref(), login_hint: wish.login_hint.as_deref() };
    match house.providers.choose(hint) {
        Choice::One(provider) => to_provider(house, exchange, provider, cookies, wish).await,
        Choice::Chooser(several) => Ok(chooser(house, &several, &wish)),
    }
}

async fn to_provider(
    house: &House,
    exchange: &Exchange,
    provider: &Arc<Provider>,
    cookies: &HeaderMap,
    wish: Wish,
) -> Result<Response<Body>, Rejection> {
    let away = |error: crate::oidc::ProviderError| Rejection::ProviderUnavailable {
        provider: provider.name().clone(),
        reason: error.to_string(),
    };
    provider.retry_now().await.map_err(away)?;
    let intent = SignInIntent {
        return_to: wish.return_to.as_ref().map_or_else(|| house.home(), ReturnTo::as_str).to_owned(),
        login_hint: wish.login_hint,
        hop: wish.hop.map(|hop| hop.to_string()),
        replaces: replaced(house, exchange, provider, cookies).await?,
        prompt: wish.anew.then(|| "login".to_owned()),
        ..SignInIntent::default()
    };
    let departure = provider.begin(intent).map_err(away)?;
    let mut response = redirect(StatusCode::FOUND, departure.location.as_str())?;
    let kept = house.flows.set(cookies, &departure.flow);
    let kept = kept.map_err(|_| Rejection::Internal("a sign-in that does not fit a cookie"))?;
    kept.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// The session that stands while a sign-in begins whose response will be posted: browsers leave its cookie out
/// of that, and without being told nobody would end it.
async fn replaced(
    house: &House,
    exchange: &Exchange,
    provider: &Provider,
    cookies: &HeaderMap,
) -> Result<Option<[u8; 32]>, Rejection> {
    let client = provider.settings().client.as_ref();
    if client.is_none_or(|client| client.response_mode == ResponseMode::Query) {
        return Ok(None);
    }
    let standing = house.authenticator.session(exchange.inbound()?.authority.host(), cookies).await?;
    Ok(match standing {
        Authentication::Session(_, session) => Some(*session.id.as_bytes()),
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(_) => None,
    })
}

fn chooser(house: &House, several: &[&Arc<Provider>], wish: &Wish) -> Response<Body> {
    let choice =
        |provider: &'_ &Arc<Provider>| (provider.name().clone(), provider.settings().display_name.clone());
    let names: Vec<_> = several.iter().map(choice).collect();
    let providers: Vec<_> =
        names.iter().map(|(name, display_name)| pages::Choice { name, display_name }).collect();
    let ask_email = several.iter().any(|provider| !provider.settings().email_domains.is_empty());
    let hop = wish.hop.as_ref().map(ToString::to_string);
    let page = Chooser {
        host: wish.return_to.as_ref().and_then(|to| to.url().host_str()).unwrap_or_default(),
        action: SIGN_IN,
        providers: &providers,
        ask_email,
        unknown_email: wish.login_hint.as_deref().filter(|_| ask_email),
        return_to: wish.return_to.as_ref().map_or_else(|| house.home(), ReturnTo::as_str),
        hop: hop.as_deref(),
    };
    show(page.page())
}

/// The address where a person signs in and then goes on with the form that is kept as `id`.
pub(in crate::gate) fn resume_address(origin: &str, id: &str) -> String {
    let back = format!("{origin}{}?id={id}", pages::RESUME);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(pages::RETURN_TO, &back);
    format!("{SIGN_IN}?{}", query.finish())
}

/// The address of the sign-in endpoint for whoever shall sign in as someone else and come back to `return_to`.
pub(in crate::gate) fn switch_address(return_to: Option<&Url>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(return_to.map(|url| (pages::RETURN_TO, url.as_str())));
    format!("{SIGN_IN}?{}", query.finish())
}
