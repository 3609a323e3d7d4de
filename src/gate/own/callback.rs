//! Where a provider sends people back to (OpenID Connect Core 1.0, section 3.1.2.5).

use std::sync::Arc;

use crate::listener::RequestBody;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use url::form_urlencoded;

use super::super::body::Body;
use super::super::deferred_form::whole;
use super::super::handover::HandoverSecret;
use super::super::record::RequestRecord;
use super::super::rejection::{FailedSignIn, Rejection};
use super::super::respond::set_cookie;
use super::super::return_to::ReturnTo;
use super::super::snapshot::Snapshot;
use super::lost::{self, Lost};
use super::{SignInRequest, session, ticket};
use crate::authn::OpenedSession;
use crate::oidc::{
    Blame, CallbackParameters, Destination, Flow, Provider, ResponseMode, SignInError, SignedIn,
};
use crate::secret::Secret;
use crate::session::{NewSession, SessionId};

/// The largest response that comes as a form, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// Finishes the sign-in that this browser began, gives it a session, and sends it where it wanted to go.
pub(super) async fn answer(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Rejection> {
    let (head, body) = request.into_parts();
    let posted = head.method == Method::POST;
    let callback = if posted { callback(&form(&head, body).await?)? } else { callback(query(&head))? };
    let state = callback.state.clone().unwrap_or_default();
    let (flow, provider) = match begun(snapshot, &head.headers, &state, posted) {
        Ok(begun) => begun,
        Err(reason) => {
            let lost = Lost::of_state(snapshot, &state);
            return Err(lost::sign_in(snapshot, record, &head.headers, lost, reason).await);
        }
    };
    let signed_in = provider.finish(&flow, callback).await;
    let forget = snapshot.flows.clear(&state);
    let settled = match signed_in {
        Ok(signed_in) => settle(snapshot, record, &head.headers, (&flow, &state), signed_in).await,
        Err(error) => Err(failed(snapshot, provider, &state, error, forget.clone())),
    };
    // Only now: a sign-in that the store did not keep is none.
    count(snapshot, record, provider, settled.as_ref().err());
    let mut response = settled?;
    set_cookie(&mut response, forget);
    Ok(response)
}

/// The flow that comes back, and its provider; it comes back once. Nothing is asked of a provider for any other.
fn begun<'a>(
    snapshot: &'a Snapshot,
    headers: &HeaderMap,
    state: &str,
    posted: bool,
) -> Result<(Flow, &'a Provider), String> {
    let flow = snapshot.flows.open(headers, state).map_err(|error| error.to_string())?;
    let provider = snapshot.providers.get(flow.provider.as_str());
    let provider = provider.ok_or("its provider has left the configuration")?;
    if mutant!(posted && flow.response_mode != ResponseMode::FormPost, "form-for-a-redirect" => false) {
        return Err("a form instead of the redirect that was asked for".into());
    }
    if !mutant!(snapshot.foundations.used_states.spend(state), "callback-good-twice" => true) {
        return Err("the sign-in has come back before; it is good once".into());
    }
    Ok((flow, provider))
}

/// What was wished for when the sign-in of `state` began.
fn wanted(snapshot: &Snapshot, state: &str) -> SignInRequest {
    let Destination { return_to, handover, again } = snapshot.flows.destination(state).unwrap_or_default();
    let return_to = ReturnTo::parse(&return_to, |url| snapshot.claims(url));
    SignInRequest {
        return_to,
        handover: handover.as_deref().and_then(HandoverSecret::parse),
        again,
        ..SignInRequest::default()
    }
}

fn failed(
    snapshot: &Snapshot,
    provider: &Provider,
    state: &str,
    error: SignInError,
    forget: HeaderValue,
) -> Rejection {
    let wanted = wanted(snapshot, state);
    let others = super::others(snapshot, provider.name().as_str(), &wanted);
    let retry = SignInRequest { provider: Some(provider.name().to_string()), ..wanted.clone() }.address();
    let anew = SignInRequest { anew: true, ..wanted }.address();
    Rejection::SignInFailed(Box::new(FailedSignIn { error, retry, anew, others, forget }))
}

fn query(head: &Parts) -> &[u8] {
    head.uri.query().unwrap_or_default().as_bytes()
}

/// The response as a provider's page posts it (OAuth 2.0 Form Post Response Mode, section 2).
async fn form(head: &Parts, body: RequestBody) -> Result<Bytes, Rejection> {
    let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let body = if form { whole(body, MAX_FORM).await } else { None };
    body.ok_or_else(|| Rejection::no_such_flow("the response is no form of at most 16 KiB"))
}

/// A parameter that comes twice is no answer of a provider (RFC 6749, section 3.1).
fn callback(parameters: &[u8]) -> Result<CallbackParameters, Rejection> {
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

fn twice() -> Rejection {
    Rejection::no_such_flow("the provider's answer has a parameter twice")
}

/// Counts the sign-in, and tells the operator of one that failed for somebody else's fault than the person's,
/// whether or not each request leaves a line.
fn count(snapshot: &Snapshot, record: &RequestRecord, provider: &Provider, no: Option<&Rejection>) {
    let blame =
        no.map(|no| if let Rejection::SignInFailed(failed) = no { failed.error.blame() } else { Blame::Us });
    if let (Some(no), Some(Blame::Provider | Blame::Us)) = (no, blame) {
        let (id, provider, error) = (&record.id, provider.name(), no.reason());
        tracing::warn!(%id, %provider, %error, "a sign-in failed");
    }
    let result = blame.map_or("ok", |blame| match blame {
        Blame::Client => "client-error",
        Blame::Provider => "provider-error",
        Blame::Us => "gateway-error",
    });
    snapshot.foundations.metrics.sign_in(provider.name().as_str(), result);
}

/// The key from before the sign-in opens nothing after it (session fixation).
async fn settle(
    snapshot: &Snapshot,
    record: &mut RequestRecord,
    headers: &HeaderMap,
    (flow, state): (&Flow, &str),
    signed_in: SignedIn,
) -> Result<Response<Body>, Rejection> {
    let before = session(snapshot, record, headers).await?;
    let new = NewSession::Root {
        host: record.inbound()?.authority.host().to_owned(),
        principal: Arc::new(signed_in.principal),
        tokens: signed_in.tokens,
        sid: signed_in.sid,
    };
    let sessions = &snapshot.foundations.sessions;
    let (key, session) = match before.session() {
        Some(OpenedSession { key: old, .. }) => {
            mutant!(sessions.rotate(old, new).await?, "session-fixation" => sessions.create(new).await?)
        }
        None => {
            if let Some(replaced) = mutant!(flow.replaces, "posted-sign-in-ends-nothing" => None) {
                sessions.end(&SessionId::from_bytes(replaced)).await?;
            }
            sessions.create(new).await?
        }
    };
    record.principal = Some(Arc::clone(&session.principal));
    let (who, id) = (&session.principal, &record.id);
    tracing::info!(%id, provider = %who.provider, user = who.user, session = %session.id, "signed in");
    let mut response = ticket::arrive(snapshot, &session, wanted(snapshot, state))?;
    set_cookie(&mut response, snapshot.cookie.set(&key));
    Ok(response)
}
