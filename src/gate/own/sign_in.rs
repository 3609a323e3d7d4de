//! Beginning a sign-in (OpenID Connect Core 1.0, section 3.1.2).

use std::sync::Arc;

use crate::listener::Content;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::{Position, Url, form_urlencoded};

use super::super::body::Body;
use super::super::exchange::Exchange;
use super::super::freshen::is_spent;
use super::super::house::House;
use super::super::rejection::{Away, Rejection};
use super::super::respond::{challenge, forget_pages, onward, redirect, set_cookie, show};
use super::super::return_to::ReturnTo;
use super::{SIGN_IN, Wish, keep_address, session, sign_out, ticket};
use crate::authn::Authentication;
use crate::oidc::{Choice, Destination, Hint, Provider, ProviderError, ResponseMode, SignInIntent};
use crate::pages::{self, Chooser};

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
        && !is_spent(house, session)
    {
        return ticket::arrive(house, session, wish);
    }
    let by_form = wish.login_hint.is_some();
    let departure = depart(house, exchange, request.headers(), wish).await?;
    // The chooser's form asks by `GET`, and browsers hold its page's `form-action` against redirects.
    Ok(if by_form { onward(departure) } else { departure })
}

/// Whoever is to be someone else must be nobody at the provider first: there are those that ask for the password
/// of the person they remember, and let nobody say that they are another.
///
/// The way out of a posted form leads through a page of ours: browsers hold its `form-action` against every
/// redirect that follows.
async fn switch(
    house: &House,
    exchange: &Exchange,
    headers: &HeaderMap,
    standing: &Authentication,
    wish: Wish,
) -> Result<Response<Body>, Rejection> {
    let goodbye = match standing {
        Authentication::Session(_, session) => {
            let back = house.flows.state(&destination(house, &wish));
            let goodbye = sign_out::goodbye(house, session, &back).filter(|_| !wish.is_long());
            // It has ended in memory in any case, and whatever went wrong is in the log: on to the sign-in.
            drop(house.foundations.sessions.end(&session.family()).await);
            goodbye
        }
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(..) => None,
    };
    let response = match goodbye {
        Some(there) => redirect(StatusCode::SEE_OTHER, there.as_str())?,
        None => depart(house, exchange, headers, wish).await?,
    };
    let mut response = onward(response);
    set_cookie(&mut response, house.cookie.clear());
    forget_pages(house, &mut response);
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
    if wish.is_long() {
        return keep_address::answer(exchange, wish);
    }
    if !exchange.is_on_public_host(house) {
        return ticket::leave(house, cookies, &wish);
    }
    let hint = Hint { provider: wish.provider.as_deref(), login_hint: wish.login_hint.as_deref() };
    match house.providers.choose(hint) {
        Choice::One(provider) => to_provider(house, exchange, provider, cookies, wish).await,
        Choice::Chooser(several) => Ok(chooser(house, exchange, &several, wish)),
    }
}

async fn to_provider(
    house: &House,
    exchange: &Exchange,
    provider: &Arc<Provider>,
    cookies: &HeaderMap,
    wish: Wish,
) -> Result<Response<Body>, Rejection> {
    provider.retry_now().await.map_err(|error| away(house, provider, &wish, &error))?;
    let intent = SignInIntent {
        state: Some(house.flows.state(&destination(house, &wish))),
        login_hint: wish.login_hint.clone(),
        replaces: replaced(house, exchange, provider, cookies).await?,
        prompt: wish.anew.then(|| "login".to_owned()),
        ..SignInIntent::default()
    };
    let departure = provider.begin(intent).map_err(|error| away(house, provider, &wish, &error))?;
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
        Authentication::Anonymous | Authentication::Ended | Authentication::Bearer(..) => None,
    })
}

fn destination(house: &House, wish: &Wish) -> Destination {
    Destination {
        return_to: wish.return_to.as_ref().map_or_else(|| house.home(), ReturnTo::as_str).to_owned(),
        hop: wish.hop.as_ref().map(ToString::to_string),
        again: wish.again,
    }
}

fn away(house: &House, provider: &Provider, wish: &Wish, error: &ProviderError) -> Rejection {
    Rejection::SignInUnavailable(Box::new(Away {
        provider: provider.name().clone(),
        reason: error.to_string(),
        others: others(house, provider.name().as_str(), wish),
    }))
}

/// Other ways to sign in than the one that fails: what each is called, and where it is.
pub(in crate::gate) fn others(house: &House, failing: &str, wish: &Wish) -> Vec<(String, String)> {
    let signs_in = |provider: &&Arc<Provider>| {
        provider.settings().client.is_some() && provider.name().as_str() != failing
    };
    let way = |provider: &Arc<Provider>| {
        let wish = Wish { provider: Some(provider.name().to_string()), login_hint: None, ..wish.clone() };
        (provider.settings().display_name.clone(), wish.address())
    };
    house.providers.iter().filter(signs_in).map(way).collect()
}

/// Nobody is signed in: 401, as for all others who are not.
fn chooser(house: &House, exchange: &Exchange, several: &[&Arc<Provider>], mut wish: Wish) -> Response<Body> {
    wish.return_to = wish.return_to.or_else(|| ReturnTo::parse(house.home(), |_| true));
    let choice =
        |provider: &'_ &Arc<Provider>| (provider.name().clone(), provider.settings().display_name.clone());
    let names: Vec<_> = several.iter().map(choice).collect();
    let providers: Vec<_> =
        names.iter().map(|(name, display_name)| pages::Choice { name, display_name }).collect();
    let ask_email = several.iter().any(|provider| !provider.settings().email_domains.is_empty());
    let lasting = wish.lasting();
    let lasting: Vec<_> = lasting.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = Chooser {
        host: wish.return_to.as_ref().map(|to| host(to.url())).unwrap_or_default(),
        action: SIGN_IN,
        providers: &providers,
        ask_email,
        unknown_email: wish.login_hint.as_deref().filter(|_| ask_email),
        lasting: &lasting,
    };
    challenge(exchange, show(page.page()))
}

/// The host as people know it: with its port where that is an unusual one.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// The address where a person signs in and then goes on with what the tab keeps as `id`.
pub(in crate::gate) fn resume_address(origin: &str, id: &str) -> String {
    let back = format!("{origin}{}?id={id}", pages::RESUME);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(pages::RETURN_TO, &back);
    format!("{SIGN_IN}?{}", query.finish())
}

/// The address of the sign-in endpoint for whoever shall sign in as someone else and come back to `return_to`.
pub(in crate::gate) fn switch_address(return_to: Option<&ReturnTo>) -> String {
    Wish { return_to: return_to.cloned(), ..Wish::default() }.address()
}
