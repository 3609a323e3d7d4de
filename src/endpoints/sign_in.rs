//! Beginning a sign-in (OpenID Connect Core 1.0, section 3.1.2).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use url::Position;

use super::answer::Answer;
use super::context::RequestContext;
use super::error::{EndpointError, UnavailableProvider};
use super::paths::SIGN_IN;
use super::response::{challenge, interstitial, redirect, set_cookie, show};
use super::return_to::ReturnTo;
use super::revocation::Revocation;
use super::same_origin::same_origin;
use super::sign_in_request::SignInRequest;
use super::state::Endpoints;
use super::{device, keep_address, sign_out, step_up, ticket};
use crate::authn::{Authentication, OpenedSession};
use crate::clock::Timestamp;
use crate::events::{Caller, SignInBegun};
use crate::listener::RequestBody;
use crate::oidc::{AuthenticationRequest, Choice, Destination, Hint, Provider, ProviderError, ResponseMode};
use crate::pages::{Chooser, ProviderChoice};
use crate::session::{Bind, EndCause, HandOn, Session, SessionEnd};

/// How old a session must be before an expired access token is worth a new sign-in. A provider whose tokens last
/// shorter than this would have the browser redirected for ever.
const TOO_SOON: Duration = Duration::from_secs(10);

/// `GET` begins a sign-in or shows the chooser; `POST` ends the session first ("sign in as someone else").
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: Request<RequestBody>,
) -> Answer {
    match endpoints.session(context, request.headers()).await {
        Ok(found) => {
            let response = begin_or_switch(endpoints, context, &request, &found).await;
            Answer::to(found.principal().cloned(), response)
        }
        Err(error) => error.into(),
    }
}

async fn begin_or_switch(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: &Request<RequestBody>,
    found: &Authentication,
) -> Result<Response<Bytes>, EndpointError> {
    let wanted = SignInRequest::read(&endpoints.hosts, request.uri());
    if request.method() == Method::POST {
        same_origin(context, request.headers())?;
        return switch(endpoints, context, request.headers(), found, SignInRequest { anew: true, ..wanted })
            .await;
    }
    let moved = found.session().is_some_and(|opened| endpoints.has_moved(context, &opened.session));
    // Whoever carried the session there is to prove who they are, rather than to be remembered by the provider.
    let wanted = SignInRequest { anew: wanted.anew || moved, ..wanted };
    if let Some((OpenedSession { session, .. }, shown)) = found.session_and_possession()
        && !wanted.anew
        && !needs_new_sign_in(endpoints, session)
        && step_up::is_met(endpoints, session, &wanted)
    {
        match session.hand_on(shown) {
            HandOn::ShowDevice if ticket::is_needed(endpoints, &wanted) => {
                return show_device(endpoints, request, session);
            }
            // Each of its children would have half a minute to be bound, and nobody would ask for it.
            HandOn::Unbindable if endpoints.binding.bind == Bind::Required => {}
            hand_on @ (HandOn::Bindable | HandOn::Unbindable | HandOn::ShowDevice) => {
                let bindable = hand_on != HandOn::Unbindable;
                return ticket::finish_sign_in(endpoints, session, wanted, bindable).await;
            }
        }
    }
    let by_form = wanted.login_hint.is_some();
    let redirection = start_sign_in(endpoints, context, request.headers(), wanted).await?;
    // The chooser's form asks by `GET`, and browsers hold its page's `form-action` against redirects.
    Ok(if by_form { interstitial(context, redirection) } else { redirection })
}

/// Has the browser ask again, once its device has signed: it does so where the bound cookie is not there.
fn show_device(
    endpoints: &Endpoints,
    request: &Request<RequestBody>,
    session: &Session,
) -> Result<Response<Bytes>, EndpointError> {
    let here = request.uri().path_and_query().map_or("/", |here| here.as_str());
    let mut response = redirect(StatusCode::FOUND, here)?;
    let cleared = session.binding().map(|binding| endpoints.cookies.bound.clear_of(&binding.scope));
    cleared.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// Whether somebody who has a session must sign in all the same: its claims have changed, or its token has expired, only a
/// new sign-in brings another, and some app needs one.
fn needs_new_sign_in(endpoints: &Endpoints, session: &Session) -> bool {
    let now = endpoints.resources.clock.now();
    let expired = session.tokens.refresh.is_none()
        && session.tokens.access_expires.is_some_and(|at| now >= at)
        && is_renewed_by_sign_in(session, now)
        && endpoints.hosts.routes.pass_tokens();
    expired || session.has_stale_claims()
}

/// Whether a new sign-in may bring an access token that lasts: not where the last one's was over at once.
#[must_use]
pub fn is_renewed_by_sign_in(session: &Session, now: Timestamp) -> bool {
    now.since(session.created) >= TOO_SOON
}

/// Signs the person out, at the provider too where it has an endpoint for that, and in again. A provider that remembers
/// them may ask for that person's password alone and offer no other account.
///
/// It answers a posted form, and browsers hold the `form-action` of its page against every redirect that follows: so it
/// leads on by a page of ours.
async fn switch(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    found: &Authentication,
    wanted: SignInRequest,
) -> Result<Response<Bytes>, EndpointError> {
    let logout_url = match found.session_to_end() {
        Some(OpenedSession { session, .. }) => {
            let back = endpoints.cookies.flows.state(&destination(endpoints, &wanted));
            let logout_url = sign_out::logout_url(endpoints, session, &back, found.unshown().is_none())
                .filter(|_| !wanted.is_long());
            // Where the store fails, the session has ended in memory all the same, and the log says what went wrong.
            let cause = EndCause::from(SessionEnd::SignedOut).asked_in(context.owned_caller());
            drop(endpoints.resources.sessions.end_because(&session.family(), cause).await);
            drop(Revocation::begin(endpoints, session));
            logout_url
        }
        None => None,
    };
    let response = match logout_url {
        Some(there) => redirect(StatusCode::SEE_OTHER, there.as_str())?,
        None => start_sign_in(endpoints, context, headers, wanted).await?,
    };
    let mut response = interstitial(context, response);
    set_cookie(&mut response, endpoints.cookies.session.clear());
    set_cookie(&mut response, endpoints.cookies.bound.clear());
    endpoints.forget_pages(&mut response);
    Ok(response)
}

/// Sends a browser to its provider, or to the page where it chooses one. On an app's own host it is sent
/// to the sign-in host first.
///
/// # Errors
/// Where the provider is away, or the store does not answer.
pub async fn start_sign_in(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    cookies: &HeaderMap,
    wanted: SignInRequest,
) -> Result<Response<Bytes>, EndpointError> {
    if wanted.is_long() {
        return Ok(keep_address::page(context, wanted));
    }
    if !endpoints.hosts.is_public(context.authority, context.forwarding.scheme) {
        return ticket::redirect_to_sign_in_host(endpoints, cookies, &wanted);
    }
    let hint = Hint { provider: wanted.provider.as_deref(), login_hint: wanted.login_hint.as_deref() };
    match endpoints.providers.choose(hint) {
        Choice::One(provider) => to_provider(endpoints, context, provider, cookies, wanted).await,
        Choice::Chooser(several) => Ok(chooser(endpoints, context, &several, wanted)),
    }
}

async fn to_provider(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    provider: &Arc<Provider>,
    cookies: &HeaderMap,
    wanted: SignInRequest,
) -> Result<Response<Bytes>, EndpointError> {
    // A provider that was away may be back: it is asked before anybody is told that it is away.
    provider.retry_now().await.map_err(|error| provider_unavailable(endpoints, provider, &wanted, &error))?;
    let strength = step_up::strength(endpoints, &wanted);
    let strength = step_up::and_after_signals(endpoints, context, cookies, strength).await?;
    let login = wanted.anew || step_up::needs_login(endpoints, context, cookies, &strength).await?;
    let intent = AuthenticationRequest {
        state: Some(endpoints.cookies.flows.state(&destination(endpoints, &wanted))),
        login_hint: wanted.login_hint.clone(),
        replaces: session_to_replace(endpoints, context, provider, cookies).await?,
        prompt: login.then(|| "login".to_owned()),
        strength,
    };
    let redirection =
        provider.begin(intent).map_err(|error| provider_unavailable(endpoints, provider, &wanted, &error))?;
    let device = device::of(cookies);
    endpoints.resources.recorder.emit(&SignInBegun {
        caller: Caller { device: Some(&device), ..context.caller() },
        provider: provider.name().as_str(),
        route: None,
    });
    let mut response = redirect(StatusCode::FOUND, redirection.location.as_str())?;
    let kept = endpoints.cookies.flows.set(cookies, &redirection.flow);
    let kept = kept.map_err(|_| EndpointError::Internal("a sign-in that does not fit a cookie"))?;
    kept.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

/// The session that the browser has while a sign-in begins whose response will be posted. Browsers send no cookie
/// with that (`SameSite=Lax`), so that the flow must remember which session it is to replace.
async fn session_to_replace(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    provider: &Provider,
    cookies: &HeaderMap,
) -> Result<Option<[u8; 32]>, EndpointError> {
    let client = provider.settings().client.as_ref();
    if client.is_none_or(|client| client.response_mode == ResponseMode::Query) {
        return Ok(None);
    }
    let found = endpoints.session(context, cookies).await?;
    Ok(found.session_to_end().map(|opened| *opened.session.id.as_bytes()))
}

fn destination(endpoints: &Endpoints, wanted: &SignInRequest) -> Destination {
    Destination {
        return_to: wanted
            .return_to
            .as_ref()
            .map_or_else(|| endpoints.hosts.front_page(), ReturnTo::as_str)
            .to_owned(),
        handover: wanted.handover.as_ref().map(ToString::to_string),
        again: wanted.again,
    }
}

fn provider_unavailable(
    endpoints: &Endpoints,
    provider: &Provider,
    wanted: &SignInRequest,
    error: &ProviderError,
) -> EndpointError {
    EndpointError::ProviderUnavailable(Box::new(UnavailableProvider {
        provider: provider.name().clone(),
        reason: error.to_string(),
        others: others(endpoints, provider.name().as_str(), wanted),
    }))
}

/// Other ways to sign in than the one that fails: what each is called, and where it is.
pub(super) fn others(endpoints: &Endpoints, failing: &str, wanted: &SignInRequest) -> Vec<(String, String)> {
    let signs_in = |provider: &&Arc<Provider>| {
        provider.settings().client.is_some() && provider.name().as_str() != failing
    };
    let way = |provider: &Arc<Provider>| {
        let wanted =
            SignInRequest { provider: Some(provider.name().to_string()), login_hint: None, ..wanted.clone() };
        (provider.settings().display_name.clone(), wanted.address())
    };
    endpoints.providers.iter().filter(signs_in).map(way).collect()
}

/// The page with the providers to choose from: 401, as for everybody who is not signed in.
fn chooser(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    several: &[&Arc<Provider>],
    mut wanted: SignInRequest,
) -> Response<Bytes> {
    wanted.return_to = wanted.return_to.or_else(|| ReturnTo::parse(endpoints.hosts.front_page(), |_| true));
    let choice =
        |provider: &'_ &Arc<Provider>| (provider.name().clone(), provider.settings().display_name.clone());
    let names: Vec<_> = several.iter().map(choice).collect();
    let providers: Vec<_> =
        names.iter().map(|(name, display_name)| ProviderChoice { name, display_name }).collect();
    let ask_email = several.iter().any(|provider| !provider.settings().email_domains.is_empty());
    let lasting = wanted.lasting();
    let lasting: Vec<_> = lasting.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = Chooser {
        // As people know it: with its port where that is an unusual one.
        host: wanted
            .return_to
            .as_ref()
            .map(|to| &to.url()[Position::BeforeHost..Position::AfterPort])
            .unwrap_or_default(),
        action: SIGN_IN,
        providers: &providers,
        ask_email,
        unknown_email: wanted.login_hint.as_deref().filter(|_| ask_email),
        lasting: &lasting,
    };
    challenge(context.realm, show(page.page(context.look)))
}
