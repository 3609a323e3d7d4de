//! Beginning a sign-in (OpenID Connect Core 1.0, section 3.1.2).

use std::sync::Arc;

use crate::listener::RequestBody;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::{Position, Url, form_urlencoded};

use super::super::body::Body;
use super::super::record::RequestRecord;
use super::super::refresh_tokens::is_spent;
use super::super::rejection::{Away, Rejection};
use super::super::respond::{challenge, forget_pages, onward, redirect, set_cookie, show};
use super::super::return_to::ReturnTo;
use super::super::snapshot::Snapshot;
use super::{SIGN_IN, SignInRequest, keep_address, session, sign_out, ticket};
use crate::authn::{Authentication, OpenedSession};
use crate::oidc::{AuthenticationRequest, Choice, Destination, Hint, Provider, ProviderError, ResponseMode};
use crate::pages::{self, Chooser};

/// `GET` begins a sign-in or shows the chooser; `POST` ends the session first ("sign in as someone else").
pub(super) async fn answer(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Rejection> {
    let mut wanted = SignInRequest::read(snapshot, &request);
    let standing = session(snapshot, record, request.headers()).await?;
    if request.method() == Method::POST {
        super::same_origin(record, request.headers())?;
        wanted.anew = true;
        return switch(snapshot, record, request.headers(), &standing, wanted).await;
    }
    if let Some(OpenedSession { session, .. }) = standing.session()
        && !wanted.anew
        && !is_spent(snapshot, session)
    {
        return ticket::arrive(snapshot, session, wanted);
    }
    let by_form = wanted.login_hint.is_some();
    let redirection = start_sign_in(snapshot, record, request.headers(), wanted).await?;
    // The chooser's form asks by `GET`, and browsers hold its page's `form-action` against redirects.
    Ok(if by_form { onward(redirection) } else { redirection })
}

/// Whoever is to be someone else must be nobody at the provider first: there are those that ask for the password
/// of the person they remember, and let nobody say that they are another.
///
/// The way out of a posted form leads through a page of ours: browsers hold its `form-action` against every
/// redirect that follows.
async fn switch(
    snapshot: &Snapshot,
    record: &RequestRecord,
    headers: &HeaderMap,
    standing: &Authentication,
    wanted: SignInRequest,
) -> Result<Response<Body>, Rejection> {
    let goodbye = match standing.session() {
        Some(OpenedSession { session, .. }) => {
            let back = snapshot.flows.state(&destination(snapshot, &wanted));
            let goodbye = sign_out::goodbye(snapshot, session, &back).filter(|_| !wanted.is_long());
            // It has ended in memory in any case, and whatever went wrong is in the log: on to the sign-in.
            drop(snapshot.foundations.sessions.end(&session.family()).await);
            goodbye
        }
        None => None,
    };
    let response = match goodbye {
        Some(there) => redirect(StatusCode::SEE_OTHER, there.as_str())?,
        None => start_sign_in(snapshot, record, headers, wanted).await?,
    };
    let mut response = onward(response);
    set_cookie(&mut response, snapshot.cookie.clear());
    forget_pages(snapshot, &mut response);
    Ok(response)
}

/// Sends a browser to its provider, or to the page where it chooses one. On an app's own host it is sent
/// to the sign-in host first.
pub(in crate::gate) async fn start_sign_in(
    snapshot: &Snapshot,
    record: &RequestRecord,
    cookies: &HeaderMap,
    wanted: SignInRequest,
) -> Result<Response<Body>, Rejection> {
    if wanted.is_long() {
        return keep_address::answer(record, wanted);
    }
    if !record.is_on_public_host(snapshot) {
        return ticket::leave(snapshot, cookies, &wanted);
    }
    let hint = Hint { provider: wanted.provider.as_deref(), login_hint: wanted.login_hint.as_deref() };
    match snapshot.providers.choose(hint) {
        Choice::One(provider) => to_provider(snapshot, record, provider, cookies, wanted).await,
        Choice::Chooser(several) => Ok(chooser(snapshot, record, &several, wanted)),
    }
}

async fn to_provider(
    snapshot: &Snapshot,
    record: &RequestRecord,
    provider: &Arc<Provider>,
    cookies: &HeaderMap,
    wanted: SignInRequest,
) -> Result<Response<Body>, Rejection> {
    provider.retry_now().await.map_err(|error| away(snapshot, provider, &wanted, &error))?;
    let intent = AuthenticationRequest {
        state: Some(snapshot.flows.state(&destination(snapshot, &wanted))),
        login_hint: wanted.login_hint.clone(),
        replaces: replaced(snapshot, record, provider, cookies).await?,
        prompt: wanted.anew.then(|| "login".to_owned()),
        ..AuthenticationRequest::default()
    };
    let redirection = provider.begin(intent).map_err(|error| away(snapshot, provider, &wanted, &error))?;
    let mut response = redirect(StatusCode::FOUND, redirection.location.as_str())?;
    let kept = snapshot.flows.set(cookies, &redirection.flow);
    let kept = kept.map_err(|_| Rejection::Internal("a sign-in that does not fit a cookie"))?;
    kept.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// The session that stands while a sign-in begins whose response will be posted: browsers leave its cookie out
/// of that, and without being told nobody would end it.
async fn replaced(
    snapshot: &Snapshot,
    record: &RequestRecord,
    provider: &Provider,
    cookies: &HeaderMap,
) -> Result<Option<[u8; 32]>, Rejection> {
    let client = provider.settings().client.as_ref();
    if client.is_none_or(|client| client.response_mode == ResponseMode::Query) {
        return Ok(None);
    }
    let standing = snapshot.authenticator.session(record.inbound()?.authority.host(), cookies).await?;
    Ok(standing.session().map(|opened| *opened.session.id.as_bytes()))
}

fn destination(snapshot: &Snapshot, wanted: &SignInRequest) -> Destination {
    Destination {
        return_to: wanted.return_to.as_ref().map_or_else(|| snapshot.home(), ReturnTo::as_str).to_owned(),
        handover: wanted.handover.as_ref().map(ToString::to_string),
        again: wanted.again,
    }
}

fn away(
    snapshot: &Snapshot,
    provider: &Provider,
    wanted: &SignInRequest,
    error: &ProviderError,
) -> Rejection {
    Rejection::SignInUnavailable(Box::new(Away {
        provider: provider.name().clone(),
        reason: error.to_string(),
        others: others(snapshot, provider.name().as_str(), wanted),
    }))
}

/// Other ways to sign in than the one that fails: what each is called, and where it is.
pub(in crate::gate) fn others(
    snapshot: &Snapshot,
    failing: &str,
    wanted: &SignInRequest,
) -> Vec<(String, String)> {
    let signs_in = |provider: &&Arc<Provider>| {
        provider.settings().client.is_some() && provider.name().as_str() != failing
    };
    let way = |provider: &Arc<Provider>| {
        let wanted =
            SignInRequest { provider: Some(provider.name().to_string()), login_hint: None, ..wanted.clone() };
        (provider.settings().display_name.clone(), wanted.address())
    };
    snapshot.providers.iter().filter(signs_in).map(way).collect()
}

/// Nobody is signed in: 401, as for all others who are not.
fn chooser(
    snapshot: &Snapshot,
    record: &RequestRecord,
    several: &[&Arc<Provider>],
    mut wanted: SignInRequest,
) -> Response<Body> {
    wanted.return_to = wanted.return_to.or_else(|| ReturnTo::parse(snapshot.home(), |_| true));
    let choice =
        |provider: &'_ &Arc<Provider>| (provider.name().clone(), provider.settings().display_name.clone());
    let names: Vec<_> = several.iter().map(choice).collect();
    let providers: Vec<_> =
        names.iter().map(|(name, display_name)| pages::Choice { name, display_name }).collect();
    let ask_email = several.iter().any(|provider| !provider.settings().email_domains.is_empty());
    let lasting = wanted.lasting();
    let lasting: Vec<_> = lasting.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = Chooser {
        host: wanted.return_to.as_ref().map(|to| host(to.url())).unwrap_or_default(),
        action: SIGN_IN,
        providers: &providers,
        ask_email,
        unknown_email: wanted.login_hint.as_deref().filter(|_| ask_email),
        lasting: &lasting,
    };
    challenge(record, show(page.page()))
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
    SignInRequest { return_to: return_to.cloned(), ..SignInRequest::default() }.address()
}
