//! Where a provider says, server to server, that a person has signed out there (OpenID Connect Back-Channel Logout 1.0).
//!
//! One address for all providers: the token says whose it is, and is good only under the keys of that one. The request
//! has no cookie and needs no form of ours, for the token alone speaks; nothing is remembered, ended or asked for
//! because of a token that nobody signed, but a provider's keys once a cool-down (invariants 14 and 26).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;
use url::form_urlencoded;

use super::answer::Answer;
use super::body::read_to_end;
use super::context::RequestContext;
use super::error::{EndpointError, UnavailableProvider};
use super::provider_logout::{Accepted, end_sessions};
use super::resources::Resources;
use super::seen_logout_tokens::Seen;
use super::state::Endpoints;
use crate::events::{Caller, Channel, LogoutTokenRefused};
use crate::limit::Exceeded;
use crate::listener::RequestBody;
use crate::oidc::jwks::Jws;
use crate::oidc::{LogoutToken, LogoutTokenError, MAX_LOGOUT_TOKEN, Provider};
use crate::session::StoreUnavailable;
use crate::telemetry::LogoutChannel;

/// Room for what else a provider writes into the form.
const ROOM: usize = 1024;

/// A token that is not accepted, and which provider it says it is from.
struct Refused<'e> {
    provider: Option<&'e Provider>,
    why: Why,
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
enum Why {
    /// It is no good, or cannot be judged.
    #[error(transparent)]
    Token(#[from] LogoutTokenError),
    /// It names no key, and too many of that sort have come lately.
    #[error("it names no key (`kid`), and too many such tokens have come lately")]
    TooManyTrials(Exceeded),
}

impl Why {
    const fn word(&self) -> &'static str {
        match self {
            Self::Token(error) => error.word(),
            Self::TooManyTrials(_) => "limited",
        }
    }
}

pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: Request<RequestBody>,
) -> Answer {
    let Some(text) = logout_token(request).await else {
        let why = LogoutTokenError::Missing.into();
        return refused(endpoints, context, &Refused { provider: None, why }).into();
    };
    match verified(endpoints, context, &text).await {
        Ok((provider, token)) => accept(endpoints, context, provider, token).await.into(),
        Err(no) => refused(endpoints, context, &no).into(),
    }
}

/// The one `logout_token` of the form (section 2.5).
async fn logout_token(request: Request<RequestBody>) -> Option<String> {
    let media_type = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let body = read_to_end(request.into_body(), MAX_LOGOUT_TOKEN + ROOM).await.filter(|_| is_form)?;
    let mut tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == "logout_token");
    let (_, token) = tokens.next()?;
    (tokens.next().is_none() && token.len() <= MAX_LOGOUT_TOKEN).then(|| token.into_owned())
}

/// The token, once all about it holds.
async fn verified<'e>(
    endpoints: &'e Endpoints,
    context: RequestContext<'_>,
    text: &str,
) -> Result<(&'e Arc<Provider>, LogoutToken), Refused<'e>> {
    let unknown = |error: LogoutTokenError| Refused { provider: None, why: error.into() };
    let token = Jws::parse(text).map_err(|error| unknown(error.into()))?;
    let provider =
        endpoints.providers.sender(&token).ok_or_else(|| unknown(LogoutTokenError::UnknownIssuer))?;
    let theirs = |why| Refused { provider: Some(provider), why };
    let tried = endpoints.resources.key_trials.admit(context.forwarding.client, provider.keys_to_try(&token));
    tried.map_err(|exceeded| theirs(Why::TooManyTrials(exceeded)))?;
    let token = provider.verified_logout(&token).await.map_err(|error| theirs(error.into()))?;
    Ok((provider, token))
}

/// Ends what the token names, where it has not come before. One that is worked on is neither done nor a replay: its
/// provider is told to send it again, for the first attempt may still fail.
async fn accept(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    provider: &Arc<Provider>,
    token: LogoutToken,
) -> Result<Response<Bytes>, EndpointError> {
    let seen = endpoints.resources.seen_logout_tokens.begin(provider.issuer(), &token).await;
    match seen.inspect_err(|_| count(endpoints, Some(provider), "store-unavailable"))? {
        Seen::New => end(endpoints, context, provider, token).await,
        Seen::Done => refused(
            endpoints,
            context,
            &Refused { provider: Some(provider), why: LogoutTokenError::Replayed.into() },
        ),
        Seen::UnderWay => {
            count(endpoints, Some(provider), "under-way");
            let reason = "the same logout token is being worked on; nobody knows yet whether that ends well";
            Err(EndpointError::StoreUnavailable(reason.to_owned()))
        }
    }
}

/// Ends what the token names, and says so where there was nothing left, too (section 2.8).
async fn end(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    provider: &Arc<Provider>,
    token: LogoutToken,
) -> Result<Response<Bytes>, EndpointError> {
    let (resources, theirs) = (Arc::clone(&endpoints.resources), Arc::clone(provider));
    let (caller, client) = (context.owned_caller(), context.caller().client);
    // A task of its own: what a provider has told is done though it hangs up, and a token whose end the store did not take
    // is good once more.
    let ending = tokio::spawn(async move {
        let (sid, subject) = (token.sid.as_deref(), token.subject.as_deref());
        let ended = end_sessions(&resources.sessions, &theirs, sid, subject, caller.clone()).await;
        note(&resources, &theirs, &token, ended.is_ok()).await;
        if let Ok(ended) = ended {
            let told = Accepted { channel: Channel::Back, subject, ended };
            told.record(
                &resources.recorder,
                Caller { id: caller.id.as_str(), client, device: None },
                &theirs,
            );
        }
        ended
    });
    let ended = ending.await.unwrap_or_else(|error| Err(StoreUnavailable::new(error)));
    let ended = ended.inspect_err(|_| count(endpoints, Some(provider), "store-unavailable"))?;
    count(endpoints, Some(provider), if ended > 0 { "ended" } else { "nothing-left" });
    let mut response = Response::new(Bytes::new());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Has the token not be accepted again where all has ended; where not, its provider may send it again.
async fn note(resources: &Resources, provider: &Provider, token: &LogoutToken, ended: bool) {
    let seen = &resources.seen_logout_tokens;
    if !ended {
        return seen.forget(provider.issuer(), token).await;
    }
    if let Err(error) = seen.done(provider.issuer(), token).await {
        tracing::warn!(%error, "that a logout token was accepted could not be kept; it may be accepted once more");
    }
}

/// 400 as the specification has it (section 2.8); 503 or 429 where the token could not be judged, so that it is sent again.
fn refused(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    no: &Refused<'_>,
) -> Result<Response<Bytes>, EndpointError> {
    let (why, reason) = (&no.why, no.why.word());
    let provider = no.provider.map(|provider| provider.name().as_str());
    let (caller, channel) = (context.caller(), Channel::Back);
    let told = LogoutTokenRefused { caller, provider, channel, reason: &format!("{reason}: {why}") };
    endpoints.resources.recorder.emit(&told);
    count(endpoints, no.provider, reason);
    if let (Why::Token(LogoutTokenError::KeysUnavailable), Some(provider)) = (why, no.provider) {
        let (provider, reason) = (provider.name().clone(), why.to_string());
        return Err(EndpointError::ProviderUnavailable(Box::new(UnavailableProvider {
            provider,
            reason,
            others: Vec::new(),
        })));
    }
    let body = json!({
        "error": "invalid_request",
        "error_description": format!("the logout token is not accepted: {reason}"),
    });
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    if let Why::TooManyTrials(exceeded) = why {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        exceeded.write_headers(response.headers_mut());
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn count(endpoints: &Endpoints, provider: Option<&Provider>, result: &str) {
    let provider = provider.map_or("", |provider| provider.name().as_str());
    endpoints.resources.metrics.logout(provider, LogoutChannel::Back, result);
}
