//! Where transmitters send security event tokens (RFC 8935), each to an address of its own.
//!
//! Whoever sends one shows the secret that the transmitter was given with its stream; without it nothing of the body is
//! read, so that junk costs a comparison (invariant 14). A token is accepted once what it asks is kept.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;

use super::answer::Answer;
use super::body::read_to_end;
use super::context::RequestContext;
use super::error::{EndpointError, UnavailableProvider};
use super::paths::SIGNALS;
use super::state::Endpoints;
use crate::listener::RequestBody;
use crate::signals::{MAX_SECURITY_EVENT, ReceiveError, SecurityEventError, Transmitter};

pub(super) async fn answer(
    endpoints: &Endpoints,
    context: RequestContext<'_>,
    request: Request<RequestBody>,
) -> Answer {
    let name = context.path.decoded().strip_prefix(SIGNALS).and_then(|rest| rest.strip_prefix('/'));
    let Some(transmitter) = name.and_then(|name| endpoints.transmitter(name)) else {
        return EndpointError::NotFound.into();
    };
    if !transmitter.is_sender(text(request.headers(), &header::AUTHORIZATION)) {
        transmitter.record_stranger(&context.owned_caller());
        return refused("authentication_failed", "the Authorization is not that of the stream").into();
    }
    let Some(text) = token(request).await else {
        transmitter.count_refused(&SecurityEventError::NotSent, &context.owned_caller());
        return refused("invalid_request", SecurityEventError::NotSent.description()).into();
    };
    match transmitter.receive(text, Some(context.owned_caller())).await {
        Ok(_) => empty(StatusCode::ACCEPTED).into(),
        Err(error) if error.is_passing() => again(transmitter, &error).into(),
        Err(ReceiveError::Refused(error)) => refused(error.code(), error.description()).into(),
        Err(ReceiveError::Store(error)) => EndpointError::from(error).into(),
    }
}

/// The body, where it is one token (section 2.1).
async fn token(request: Request<RequestBody>) -> Option<String> {
    let media_type = text(request.headers(), &header::CONTENT_TYPE)?.split(';').next()?.trim();
    let is_token = media_type.eq_ignore_ascii_case("application/secevent+jwt");
    let body =
        if is_token { read_to_end(request.into_body(), MAX_SECURITY_EVENT).await? } else { return None };
    String::from_utf8(body.into()).ok()
}

/// The field, where there is one alone.
fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    let mut fields = headers.get_all(name).iter();
    let only = fields.next().filter(|_| fields.next().is_none());
    only?.to_str().ok()
}

/// 503: nothing was done, and the token is to be sent again.
fn again(transmitter: &Arc<Transmitter>, error: &ReceiveError) -> EndpointError {
    match error {
        ReceiveError::Store(error) => EndpointError::StoreUnavailable(error.to_string()),
        ReceiveError::Refused(error) => EndpointError::ProviderUnavailable(Box::new(UnavailableProvider {
            provider: transmitter.settings().provider.clone(),
            reason: format!("a signal of transmitter {}: {error}", transmitter.settings().name),
            others: Vec::new(),
        })),
    }
}

/// Section 2.3.
fn refused(code: &str, description: &str) -> Response<Bytes> {
    let body = json!({ "err": code, "description": description });
    let mut response = empty(StatusCode::BAD_REQUEST);
    *response.body_mut() = body.to_string().into();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
