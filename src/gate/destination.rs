//! Where `COPY` and `MOVE` put what they take (RFC 4918, section 10.3): a second path, which the app writes to. It is
//! read as strictly as the first, must be the same route's, and is judged by the same rules; else who may write below
//! one path could write below all of them (invariant 2).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method, Request, StatusCode};

use super::authorize::question;
use super::inbound::Inbound;
use super::readings::{is_elsewhere, refused};
use super::record::RequestRecord;
use super::rejection::Rejection;
use super::route::Route;
use super::snapshot::Snapshot;
use crate::authn::Authentication;
use crate::endpoints;
use crate::policy::{Decision, Question, decide};
use crate::request::{Link, PathError, PathExceptions, RequestPath, Scheme, single};

const DESTINATION: HeaderName = HeaderName::from_static("destination");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");

/// Why a request may not lead where it is to lead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DestinationError {
    /// RFC 4918, section 8.3: an absolute URI or an absolute path. `//host/path` is neither.
    #[error("Destination must be there once, as an absolute path or an address with one, without a query")]
    Unclear,
    /// Two programs could read its path differently.
    #[error("Destination: {0}")]
    Path(#[from] PathError),
    /// The same, in a way that a route may tolerate and this one does not.
    #[error("Destination: the path has {}, which this route does not tolerate", listed(.0))]
    Untolerated(PathExceptions),
    /// A server could read it as a path that is another route's or that the rules refuse.
    #[error("Destination: a server could read its path as one that is not permitted")]
    Ambiguous,
    /// It is on another server (RFC 4918, section 9.8.5).
    #[error("Destination is on another host than the request")]
    OtherHost,
    /// What that route lets in is not for this one to say.
    #[error("Destination is another route's")]
    OtherRoute,
    /// The rules say no.
    #[error("Destination is {path:?}: {rule}")]
    Forbidden {
        /// Its path, decoded.
        path: String,
        /// What decided, for the log and nobody else.
        rule: String,
    },
}

impl DestinationError {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Unclear | Self::Path(_) | Self::Untolerated(_) | Self::Ambiguous => StatusCode::BAD_REQUEST,
            Self::OtherHost => StatusCode::BAD_GATEWAY,
            Self::OtherRoute | Self::Forbidden { .. } => StatusCode::FORBIDDEN,
        }
    }

    /// What its sender is told.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Forbidden { .. } => {
                "You may not put anything at the path in Destination. The request_id leads to the rule in the log.".into()
            }
            Self::Unclear
            | Self::Path(_)
            | Self::Untolerated(_)
            | Self::Ambiguous
            | Self::OtherHost
            | Self::OtherRoute => self.to_string(),
        }
    }
}

fn listed(exceptions: &PathExceptions) -> String {
    exceptions.iter().map(|exception| exception.as_str()).collect::<Vec<_>>().join(" and ")
}

/// Judges the destination of a permitted request; whether it has one.
pub(super) fn check<B>(
    snapshot: &Snapshot,
    route: &Arc<Route>,
    record: &RequestRecord,
    authentication: &Authentication,
    request: &Request<B>,
) -> Result<bool, Rejection> {
    let inbound = record.inbound()?;
    if !leads_somewhere(request, inbound.forwarding.scheme) {
        return Ok(false);
    }
    let path = path(request.headers(), inbound)?;
    let readings = readings(snapshot, route, record, &path)?;
    let question = Question { path: &path, ..question(inbound, authentication.principal()) };
    for method in methods(request) {
        permitted(route, &readings, &Question { method: &method, ..question })?;
    }
    Ok(true)
}

fn permitted(
    route: &Route,
    readings: &[RequestPath],
    question: &Question<'_>,
) -> Result<(), DestinationError> {
    match decide(&route.access, question) {
        Decision::Permit(_) if refused(&route.access, readings, question).is_some() => {
            Err(DestinationError::Ambiguous)
        }
        Decision::Permit(_) => Ok(()),
        Decision::Forbidden(reason) | Decision::SignIn(reason) => {
            let rule = reason.said(&route.access).to_string();
            Err(DestinationError::Forbidden { path: question.path.decoded().to_owned(), rule })
        }
    }
}

/// Whether an app may put something where the field says: by a method that HTTP itself does not define, or by one that
/// writes, where the field is an address (some apps let a field or a parameter name the method that is meant).
fn leads_somewhere<B>(request: &Request<B>, scheme: Scheme) -> bool {
    match *request.method() {
        Method::GET | Method::HEAD | Method::OPTIONS => false,
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
            let mut said = request.headers().get_all(DESTINATION).iter();
            said.any(|said| said.to_str().is_ok_and(|said| Link::read(said, scheme).is_some()))
        }
        _ => request.headers().contains_key(DESTINATION),
    }
}

/// What is done at the destination: what was asked for, and what that comes to there. It is written, and before that
/// whatever is there is deleted, unless the client says otherwise (RFC 4918, sections 9.8.4 and 10.6).
fn methods<B>(request: &Request<B>) -> impl Iterator<Item = Method> {
    let keeps = request.headers().get(OVERWRITE).is_some_and(|said| said == "F");
    [request.method().clone(), Method::PUT].into_iter().chain((!keeps).then_some(Method::DELETE))
}

fn path(headers: &HeaderMap, inbound: &Inbound) -> Result<RequestPath, DestinationError> {
    let scheme = inbound.forwarding.scheme;
    let text = single(headers, &DESTINATION).and_then(|field| field.to_str().ok());
    let text = text.filter(|text| !text.starts_with("//")).ok_or(DestinationError::Unclear)?;
    let link = Link::read(text, scheme).filter(|link| link.rest.is_empty());
    let link = link.ok_or(DestinationError::Unclear)?;
    if link.origin.is_some_and(|origin| !origin.is(&inbound.authority, scheme)) {
        return Err(DestinationError::OtherHost);
    }
    Ok(RequestPath::parse(link.path)?)
}

/// What servers may take it for, all of it the same route's.
fn readings(
    snapshot: &Snapshot,
    route: &Arc<Route>,
    record: &RequestRecord,
    path: &RequestPath,
) -> Result<Vec<RequestPath>, Rejection> {
    let (transport, inbound) = (&record.transport, record.inbound()?);
    let beyond = path.exceptions().beyond(route.tolerated);
    if !beyond.is_empty() {
        return Err(DestinationError::Untolerated(beyond).into());
    }
    let is_of_the_route =
        snapshot.route_of(transport, inbound, path).is_ok_and(|found| Arc::ptr_eq(found, route));
    if endpoints::holds(path.decoded()) || !is_of_the_route {
        return Err(DestinationError::OtherRoute.into());
    }
    let mut readings = path.readings(route.stripped()).ok_or(DestinationError::Ambiguous)?;
    // There are servers that decode the whole address before they take it apart.
    let cut: Vec<_> = readings.iter().chain([path]).filter_map(RequestPath::cut_short).collect();
    readings.extend(cut);
    match readings.iter().find(|path| is_elsewhere(snapshot, transport, inbound, route, path)) {
        Some(_) => Err(DestinationError::Ambiguous.into()),
        None => Ok(readings),
    }
}
