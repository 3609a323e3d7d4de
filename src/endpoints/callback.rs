//! Where a provider sends people back to (OpenID Connect Core 1.0, section 3.1.2.5).

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, header};
use url::form_urlencoded;

use super::answer::Answer;
use super::body::read_to_end;
use super::context::RequestContext;
use super::error::{EndpointError, FailedSignIn};
use super::handover::HandoverFingerprint;
use super::lost::{self, LostDestination};
use super::response::set_cookie;
use super::sign_in_request::SignInRequest;
use super::state::Endpoints;
use super::{bound_session, device, sign_in, step_up, ticket};
use crate::authn::{Authentication, OpenedSession};
use crate::events::{Caller, SignInFailed, SignInSucceeded};
use crate::listener::RequestBody;
use crate::oidc::{
    CallbackParameters, Culprit, Destination, Flow, Provider, ResponseMode, SignInError, SignedIn,
};
use crate::secret::Secret;
use crate::session::{EndCause, NewSession, Session, SessionEnd, SessionId, SessionKey, StoreUnavailable};

/// The largest response that comes as a form, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// Finishes the sign-in that this browser began, gives it a session, and sends it where it wanted to go.
pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: Request<RequestBody>,
) -> Answer {
    let (head, body) = request.into_parts();
    match read(&head, body).await {
        Ok(callback) => finish(endpoints, context, &head, callback).await,
        Err(error) => error.into(),
    }
}

async fn read(head: &Parts, body: RequestBody) -> Result<CallbackParameters, EndpointError> {
    if head.method == Method::POST {
        return callback(&form(head, body).await?);
    }
    callback(head.uri.query().unwrap_or_default().as_bytes())
}

async fn finish(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    head: &Parts,
    callback: CallbackParameters,
) -> Answer {
    let state = callback.state.clone().unwrap_or_default();
    let (flow, provider) = match begun(endpoints, &head.headers, &state, head.method == Method::POST).await {
        Ok(begun) => begun,
        Err(NotBegun::Unknown(error)) => return EndpointError::from(error).into(),
        Err(NotBegun::Lost(reason)) => {
            let lost = LostDestination::of_state(endpoints, &state);
            return lost::refuse(endpoints, context, &head.headers, lost, reason).await;
        }
    };
    let signed_in = provider.finish(&flow, callback).await;
    let answer = match signed_in {
        Ok(signed_in) => settle(endpoints, context, &head.headers, (&flow, &state), signed_in).await,
        Err(error) => failed(endpoints, context, provider, (&flow, &state), error).into(),
    };
    // Counted only now: a sign-in whose session the store did not take has failed.
    count(endpoints, context, &head.headers, (provider, &flow), answer.response.as_ref().err());
    answer
}

/// Why no flow comes back.
enum NotBegun {
    /// This browser did not begin it, or not so, or it has come back before.
    Lost(String),
    /// Nobody knows whether it has come back before: it is not used up, and may come again.
    Unknown(StoreUnavailable),
}

impl From<&str> for NotBegun {
    fn from(reason: &str) -> Self {
        Self::Lost(reason.to_owned())
    }
}

/// The flow that comes back, and its provider. Its `state` is used up before the provider is asked anything: each
/// sign-in comes back once, and nobody makes us call a provider for one that this browser did not begin.
async fn begun<'a>(
    endpoints: &'a Endpoints,
    headers: &HeaderMap,
    state: &str,
    posted: bool,
) -> Result<(Flow, &'a Provider), NotBegun> {
    let flow = endpoints.cookies.flows.open(headers, state);
    let flow = flow.map_err(|error| NotBegun::Lost(error.to_string()))?;
    let provider = endpoints.providers.get(flow.provider.as_str());
    let provider = provider.ok_or("its provider has left the configuration")?;
    if mutant!(posted && flow.response_mode != ResponseMode::FormPost, "form-for-a-redirect" => false) {
        return Err("a form instead of the redirect that was asked for".into());
    }
    if !endpoints.resources.used_states.spend(state).await.map_err(NotBegun::Unknown)? {
        return Err("the sign-in has come back before; it is good once".into());
    }
    Ok((flow, provider))
}

/// What was asked for when the sign-in of `state` began.
fn wanted(endpoints: &Endpoints, state: &str) -> SignInRequest {
    let Destination { return_to, handover, again } =
        endpoints.cookies.flows.destination(state).unwrap_or_default();
    SignInRequest {
        return_to: endpoints.hosts.return_to(&return_to),
        handover: handover.as_deref().and_then(HandoverFingerprint::parse),
        again,
        ..SignInRequest::default()
    }
}

fn failed(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    provider: &Provider,
    (flow, state): (&Flow, &str),
    error: SignInError,
) -> EndpointError {
    let (wanted, forget) = (wanted(endpoints, state), endpoints.cookies.flows.clear(state));
    if error.is_unmet_strength() && !flow.strength.is_none() {
        step_up::tell_unmet(endpoints, context, flow, None, &flow.unmet());
        return step_up::unmet(endpoints, flow, wanted, flow.unmet(), vec![forget]);
    }
    let others = sign_in::others(endpoints, provider.name().as_str(), &wanted);
    let retry = SignInRequest { provider: Some(provider.name().to_string()), ..wanted.clone() }.address();
    let anew = SignInRequest { anew: true, ..wanted }.address();
    EndpointError::SignInFailed(Box::new(FailedSignIn { error, retry, anew, others, forget }))
}

/// The response as a provider's page posts it (OAuth 2.0 Form Post Response Mode, section 2).
async fn form(head: &Parts, body: RequestBody) -> Result<Bytes, EndpointError> {
    let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let body = if form { read_to_end(body, MAX_FORM).await } else { None };
    body.ok_or_else(|| EndpointError::lost("the response is no form of at most 16 KiB"))
}

/// A parameter that comes twice is no answer of a provider (RFC 6749, section 3.1).
fn callback(parameters: &[u8]) -> Result<CallbackParameters, EndpointError> {
    let mut callback = CallbackParameters::default();
    for (name, value) in form_urlencoded::parse(parameters) {
        let field = match name.as_ref() {
            "code" if callback.code.is_none() => {
                callback.code = Some(Secret::new(value));
                continue;
            }
            "code" => return Err(twice()),
            "state" => &mut callback.state,
            "iss" => &mut callback.iss,
            "error" => &mut callback.error,
            "error_description" => &mut callback.error_description,
            _ => continue,
        };
        let before = field.replace(value.into_owned());
        if mutant!(before.is_some(), "parameter-twice" => false) {
            return Err(twice());
        }
    }
    Ok(callback)
}

fn twice() -> EndpointError {
    EndpointError::lost("the provider's answer has a parameter twice")
}

/// Counts the sign-in, and records one that failed. One that was to be a stronger one and is none is told by itself.
fn count(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    (provider, flow): (&Provider, &Flow),
    error: Option<&EndpointError>,
) {
    let blame = error.map(|error| match error {
        EndpointError::SignInFailed(failed) => failed.error.blame(),
        EndpointError::UnmetStepUp(_) => Culprit::Client,
        EndpointError::NotFound
        | EndpointError::CrossSite
        | EndpointError::LostSignIn(_)
        | EndpointError::ProviderUnavailable(_)
        | EndpointError::StoreUnavailable(_)
        | EndpointError::Internal(_) => Culprit::Us,
    });
    let error = error.filter(|error| !matches!(error, EndpointError::UnmetStepUp(_)));
    if let (Some(error), Some(blame)) = (error, blame) {
        let device = device::of(headers);
        endpoints.resources.recorder.emit(&SignInFailed {
            caller: Caller { device: Some(&device), ..context.caller() },
            provider: Some(provider.name().as_str()),
            who: None,
            culprit: blame.into(),
            reason: &error.to_string(),
            took: Some(endpoints.resources.clock.now().since(flow.started)),
        });
    }
    let result = blame.map_or("ok", |blame| match blame {
        Culprit::Client => "client-error",
        Culprit::Provider => "provider-error",
        Culprit::Us => "gateway-error",
    });
    endpoints.resources.metrics.sign_in(provider.name().as_str(), result);
}

/// Gives the browser its session, and sends it on.
async fn settle(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    headers: &HeaderMap,
    (flow, state): (&Flow, &str),
    signed_in: SignedIn,
) -> Answer {
    let before = match endpoints.session(context, headers).await {
        Ok(before) => before,
        Err(error) => return error.into(),
    };
    let SignedIn { principal, tokens, sid, shortfall } = signed_in;
    let (wanted, mut cookies) = (wanted(endpoints, state), vec![endpoints.cookies.flows.clear(state)]);
    if !shortfall.is_empty() && step_up::keeps_session(flow, &before, &principal) {
        let known = before.session_to_end().map_or(0, |opened| opened.session.family().first_bytes());
        step_up::tell_unmet(endpoints, context, flow, Some((&principal, known)), &shortfall);
        let unmet = step_up::unmet(endpoints, flow, wanted, shortfall, cookies);
        return Answer::to(before.principal().cloned(), Err(unmet));
    }
    let new = NewSession::Root {
        host: context.authority.host().to_owned(),
        principal: Arc::new(principal),
        tokens,
        sid,
        origin: device::sign_in_origin(headers, context.forwarding.client.ip()),
        began: flow.started,
    };
    let (key, session) = match replace(endpoints, context, flow, &before, new).await {
        Ok(created) => created,
        Err(error) => return Answer::to(before.principal().cloned(), Err(error)),
    };
    let (who, device) = (&session.principal, device::of(headers));
    let root = session.family().first_bytes();
    endpoints.resources.recorder.emit(&SignInSucceeded {
        caller: Caller { device: Some(&device), ..context.caller() },
        who,
        session: root,
        amr: &step_up::methods(who),
        took: Some(endpoints.resources.clock.now().since(flow.started)),
    });
    cookies.push(endpoints.cookies.session.set(&key));
    let offer = bound_session::offer(endpoints, context, &session).await;
    let response = if shortfall.is_empty() {
        ticket::finish_sign_in(endpoints, &session, wanted, true).await.map(|mut response| {
            cookies.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
            response.headers_mut().extend(offer);
            response
        })
    } else {
        step_up::tell_unmet(endpoints, context, flow, Some((who, root)), &shortfall);
        Err(step_up::unmet(endpoints, flow, wanted, shortfall, cookies).with_offer(offer))
    };
    Answer::to(Some(Arc::clone(&session.principal)), response)
}

/// Makes the new session in the place of the old one: the key from before the sign-in opens nothing after it
/// (session fixation).
async fn replace(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    flow: &Flow,
    before: &Authentication,
    new: NewSession,
) -> Result<(SessionKey, Arc<Session>), EndpointError> {
    let sessions = &endpoints.resources.sessions;
    Ok(match before.session_to_end() {
        Some(OpenedSession { key: old, .. }) => {
            mutant!(sessions.rotate(old, new).await?, "session-fixation" => sessions.create(new).await?)
        }
        None => {
            // A posted response comes without the session's cookie (`SameSite=Lax`): the flow remembers which it
            // is.
            if let Some(replaced) = mutant!(flow.replaces, "posted-sign-in-ends-nothing" => None) {
                let cause = EndCause::from(SessionEnd::SignedOut).asked_in(context.owned_caller());
                sessions.end_because(&SessionId::from_bytes(replaced), cause).await?;
            }
            sessions.create(new).await?
        }
    })
}
