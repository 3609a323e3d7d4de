//! Where `COPY` and `MOVE` put what they take (RFC 4918, section 10.3): a second path, which the app writes to. It is
//! read as strictly as the first, must be the same route's, and is judged by the same rules; else who may write below
//! one path could write below all of them (invariant 2).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method};

use super::authenticate::AuthenticatedRequest;
use super::authorize::RequestFields;
use super::destination_error::DestinationError;
use super::inbound::Inbound;
use super::route::Route;
use super::routed::{Routed, is_elsewhere, refused};
use super::routing::Routing;
use crate::endpoints;
use crate::policy::{Access, Decision, Question, decide};
use crate::request::{Link, RequestPath, Scheme, single};

const DESTINATION: HeaderName = HeaderName::from_static("destination");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");

/// Where a request puts something.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// The path there.
    pub(super) path: RequestPath,
    /// Whether whatever is there stays (RFC 4918, section 10.6).
    keeps: bool,
}

/// Judges the destination of a permitted request, where it has one.
pub(super) fn judge<S>(
    routing: &Routing<S>,
    asked: &AuthenticatedRequest<'_, S>,
    fields: RequestFields<'_>,
) -> Result<Option<Destination>, DestinationError> {
    let Routed { inbound, route, .. } = asked.routed;
    let named = match fields {
        RequestFields::Sent(headers) => Destination::read(headers, inbound)?,
        RequestFields::Remembered { grounds, .. } => grounds.destination.as_deref().cloned(),
    };
    let Some(destination) = named else { return Ok(None) };
    let path = &destination.path;
    let readings = readings(routing, route, inbound, path)?;
    for method in destination.methods(&inbound.method) {
        let question = asked.question();
        permitted(&route.access, &readings, &Question { path, method: &method, ..question })?;
    }
    Ok(Some(destination))
}

impl Destination {
    fn read(headers: &HeaderMap, inbound: &Inbound) -> Result<Option<Self>, DestinationError> {
        if !leads_somewhere(&inbound.method, headers, inbound.forwarding.scheme) {
            return Ok(None);
        }
        let keeps = headers.get(OVERWRITE).is_some_and(|overwrite| overwrite == "F");
        Ok(Some(Self { path: path(headers, inbound)?, keeps }))
    }

    /// What is done there: what was asked for, and what that comes to there. It is written, and before that whatever is
    /// there is deleted, unless the client says otherwise (RFC 4918, sections 9.8.4 and 10.6).
    fn methods(&self, asked: &Method) -> impl Iterator<Item = Method> {
        [asked.clone(), Method::PUT].into_iter().chain((!self.keeps).then_some(Method::DELETE))
    }
}

/// Whether the rules let the sender put something at the path of `question`, however a server reads it.
fn permitted(
    access: &Access,
    readings: &[RequestPath],
    question: &Question<'_>,
) -> Result<(), DestinationError> {
    match decide(access, question) {
        Decision::Permit(_) if refused(access, readings, question).is_some() => {
            Err(DestinationError::Ambiguous)
        }
        Decision::Permit(_) => Ok(()),
        Decision::Forbidden(reason) | Decision::StepUp(_, reason) | Decision::SignIn(reason) => {
            let rule = reason.in_words(access).to_string();
            Err(DestinationError::Forbidden { path: question.path.decoded().to_owned(), rule })
        }
    }
}

/// Whether an app may put something where the field says: by a method that HTTP itself does not define, or by one that
/// writes, where the field is an address (some apps let a field or a parameter name the method that is meant).
fn leads_somewhere(method: &Method, headers: &HeaderMap, scheme: Scheme) -> bool {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => false,
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
            let mut fields = headers.get_all(DESTINATION).iter();
            fields.any(|field| field.to_str().is_ok_and(|text| Link::read(text, scheme).is_some()))
        }
        _ => headers.contains_key(DESTINATION),
    }
}

fn path(headers: &HeaderMap, inbound: &Inbound) -> Result<RequestPath, DestinationError> {
    let scheme = inbound.forwarding.scheme;
    let text = single(headers, &DESTINATION).and_then(|field| field.to_str().ok());
    // Read as a reference, `//host/path` names another host; read as a path, it has an empty segment.
    let text = text.filter(|text| !text.starts_with("//")).ok_or(DestinationError::Unclear)?;
    let link = Link::read(text, scheme).filter(|link| link.rest.is_empty());
    let link = link.ok_or(DestinationError::Unclear)?;
    if link.origin.is_some_and(|origin| !origin.is(&inbound.authority, scheme)) {
        return Err(DestinationError::OtherHost);
    }
    Ok(RequestPath::parse(link.path)?)
}

/// All paths that a server may take it for; each must be the same route's.
fn readings<S>(
    routing: &Routing<S>,
    route: &Arc<Route<S>>,
    inbound: &Inbound,
    path: &RequestPath,
) -> Result<Vec<RequestPath>, DestinationError> {
    let beyond = path.exceptions().beyond(route.tolerated);
    if !beyond.is_empty() {
        return Err(DestinationError::Untolerated(beyond));
    }
    let is_of_the_route = routing.route_of(inbound, path).is_ok_and(|found| Arc::ptr_eq(found, route));
    if endpoints::holds(path.decoded()) || !is_of_the_route {
        return Err(DestinationError::OtherRoute);
    }
    let mut readings = path.readings(route.stripped).ok_or(DestinationError::Ambiguous)?;
    // Some servers decode the whole address before they take it apart, so that an encoded `?` or `#` ends its path.
    let cut: Vec<_> = readings.iter().chain([path]).filter_map(RequestPath::cut_short).collect();
    readings.extend(cut);
    match readings.iter().any(|path| is_elsewhere(routing, inbound, route, path)) {
        true => Err(DestinationError::Ambiguous),
        false => Ok(readings),
    }
}
