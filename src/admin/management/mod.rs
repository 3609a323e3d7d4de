//! The management API, below `/api/v1`: sessions seen and ended, providers, reload, drain. JSON, with RFC
//! 9457 problems for faults. Who may call it is said by the socket it comes over, or by a token; every call
//! is recorded with who and why.

mod describe;
mod events;
mod model;
mod operation;
mod operator;
mod people;
mod problem;
mod process;
mod query;
mod record_model;
mod reports;
mod selection;
mod sessions;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::events::OwnedCaller;
use crate::identity::RequestId;
use crate::listener::RequestBody;
use crate::operate::{Call, Operations, ProcessRequest};
use crate::reports::{Frame, Question};
use crate::secret::random_bytes;
use crate::segments::{AskError, Patience, Reader, StoreError};
use operation::{Found, Operation};

pub use model::ErasePerson;
pub use model::{
    EndSessions, EndedSessions, LimitState, ProviderKeys, ProviderOverview, ProviderState, Reason,
    RouteLimits, SessionEntry, SessionList, SessionSelection, SignalsOverview,
};
pub use problem::Problem;
pub use record_model::Reading;

pub(super) use operator::{Operator, Refusal, operator};
pub(super) use problem::unauthenticated;

use super::AdminSources;

/// The id under which a call is recorded.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of a request's content at most.
const LARGEST: usize = 16 * 1024;

/// Answers a question to the record.
type AnswerQuestion = dyn Fn(&Question, &Patience) -> Result<Option<Frame>, AskError> + Send + Sync;

/// What the API acts on.
#[derive(Clone)]
pub struct Management {
    /// What operators do, to sessions and to the process.
    pub operations: Operations,
    /// The configured providers and how they are.
    pub providers: Arc<dyn Fn() -> Vec<ProviderOverview> + Send + Sync>,
    /// The streams of signals, in the order of the configuration.
    pub signals: Arc<dyn Fn() -> Vec<SignalsOverview> + Send + Sync>,
    /// The rates of each route, and what is at its bound.
    pub limits: Arc<dyn Fn() -> Vec<RouteLimits> + Send + Sync>,
    /// The configuration in force as it may be shown.
    pub configuration: Arc<dyn Fn() -> Arc<Value> + Send + Sync>,
    /// The store of events; none where there is none.
    pub events: Arc<dyn Fn() -> Result<Option<Reader>, StoreError> + Send + Sync>,
    /// Answers a question to the record, by the configuration in force; none where no store keeps it.
    pub reports: Arc<AnswerQuestion>,
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Management").field("operations", &self.operations).finish_non_exhaustive()
    }
}

/// Whether the API answers at this path, if only to say that nothing is there.
pub(super) fn is_below(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Answers a call of `operator`'s.
pub(super) async fn answer(
    request: Request<RequestBody>,
    sources: &AdminSources,
    (operator, client): (Operator, Option<IpAddr>),
) -> Response<Full<Bytes>> {
    let operation = match Operation::find(request.uri().path(), request.method()) {
        Found::Operation(operation) => operation,
        Found::OtherMethods(methods) => return problem::method_not_allowed(&methods),
        Found::Nothing => return Problem::not_found().response(),
    };
    let id = RequestId::new(format!("{:016x}", u64::from_ne_bytes(random_bytes())));
    let (caller, recorder) = (OwnedCaller { id, client }, sources.management.operations.recorder.clone());
    let begin = if operation.reads_the_record() { Call::reading } else { Call::begin };
    let called = begin(operation.id(), operator.to_string(), caller, recorder);
    let response = call(operation, request, &sources.management, &called).await;
    let mut response = response.unwrap_or_else(|problem| problem.response());
    mutant!(called.is_answered(response.status()), "management-call-unrecorded" => std::mem::forget(called.clone()));
    response.headers_mut().extend(called.id().field().map(|id| (REQUEST_ID, id)));
    sources.metrics.management_call(operation.id(), response.status().as_str());
    response
}

async fn call(
    operation: Operation,
    request: Request<RequestBody>,
    management: &Management,
    called: &Call,
) -> Result<Response<Full<Bytes>>, Problem> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    match operation {
        Operation::ListSessions => {
            let asked = query::read(&query)?;
            Ok(document(StatusCode::OK, &sessions::list(management, asked).await?))
        }
        Operation::EndSessions => {
            query::read_none(&query)?;
            let asked = content(request).await?;
            Ok(document(StatusCode::OK, &sessions::end(management, asked, called).await?))
        }
        Operation::ListProviders => {
            query::read_none(&query)?;
            Ok(document(StatusCode::OK, &(management.providers)()))
        }
        Operation::ListSignals => {
            query::read_none(&query)?;
            Ok(document(StatusCode::OK, &(management.signals)()))
        }
        Operation::ListLimits => {
            query::read_none(&query)?;
            Ok(document(StatusCode::OK, &(management.limits)()))
        }
        Operation::ListEvents => {
            let asked = query::read(&query)?;
            Ok(document(StatusCode::OK, &events::list(management, asked, called).await?))
        }
        Operation::FindPeople => {
            let asked = query::read(&query)?;
            Ok(document(StatusCode::OK, &people::find(management, asked).await?))
        }
        Operation::ErasePerson => {
            query::read_none(&query)?;
            let asked = content(request).await?;
            Ok(document(StatusCode::OK, &people::erase(management, asked, called).await?))
        }
        Operation::ShowReport => {
            let asked = query::read(&query)?;
            reports::show(management, request.uri().path(), asked, called).await
        }
        Operation::NoteReading => {
            query::read_none(&query)?;
            reports::note(&content::<Reading>(request).await?, called)?;
            Ok(document(StatusCode::OK, &serde_json::json!({})))
        }
        Operation::ShowConfiguration => {
            query::read_none(&query)?;
            Ok(document(StatusCode::OK, &*(management.configuration)()))
        }
        Operation::RotateAssertionKey => {
            query::read_none(&query)?;
            let reason: Reason = content(request).await?;
            Ok(document(StatusCode::OK, &process::rotate(management, reason, called).await?))
        }
        Operation::Reload => ask(management, ProcessRequest::Reload, request, called).await,
        Operation::Drain => ask(management, ProcessRequest::Drain, request, called).await,
        Operation::Describe => {
            query::read_none(&query)?;
            Ok(document(StatusCode::OK, describe::description()))
        }
    }
}

async fn ask(
    management: &Management,
    asked: ProcessRequest,
    request: Request<RequestBody>,
    called: &Call,
) -> Result<Response<Full<Bytes>>, Problem> {
    query::read_none(request.uri().query().unwrap_or_default())?;
    let reason: Reason = content(request).await?;
    process::ask(management, asked, reason, called)?;
    Ok(document(StatusCode::ACCEPTED, &serde_json::json!({})))
}

/// The JSON that a request carries.
async fn content<T: DeserializeOwned>(request: Request<RequestBody>) -> Result<T, Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok());
    let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send `Content-Type: application/json`",
        ));
    }
    let body = Limited::new(request.into_body(), mutant!(LARGEST, "management-body-unbounded" => usize::MAX));
    let body = body.collect().await.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {LARGEST} bytes"))
        }
        None => Problem::bad_request(format!("the body cannot be read: {error}")),
    })?;
    serde_json::from_slice(&body.to_bytes())
        .map_err(|error| Problem::bad_request(format!("the body: {error}")))
}

fn document(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_string(value) {
        Ok(text) => json(status, "application/json", text),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).response(),
    }
}

fn json(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text + "\n"));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
