//! What a recorded request tells of itself, by the semantic conventions of OpenTelemetry where those have a name for it. Its
//! query and its fields are never told.

use http::Method;

use super::record::RequestRecord;
use crate::telemetry::Outcome;
use crate::trace::{Attributes, RequestTrace, ServerSpan};

/// Methods that are told by their names (RFC 9110, section 9.3, and RFC 5789): whatever else a client invents is one word.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// The span of a request that is over.
pub(super) fn of_request(record: &RequestRecord, trace: &RequestTrace) -> ServerSpan {
    let method = record.inbound.as_ref().map(|inbound| &inbound.method);
    let name = method.filter(|method| METHODS.contains(method)).map_or("HTTP", Method::as_str);
    let route = record.notes.route.as_ref().map(|route| route.name.as_str());
    ServerSpan {
        name: route.map_or_else(|| name.to_owned(), |route| format!("{name} {route}")),
        parent: trace.parent,
        attributes: attributes(record, route),
        failed: (record.notes.status >= 500).then(|| record.notes.outcome.as_str().into()),
        link: trace.claimed,
    }
}

fn attributes(record: &RequestRecord, route: Option<&str>) -> Attributes {
    let notes = &record.notes;
    let mut told: Attributes = vec![
        ("portcullis.id", record.id.as_str().to_owned().into()),
        ("portcullis.outcome", notes.outcome.as_str().into()),
    ];
    if let Some(inbound) = &record.inbound {
        told.push(("http.request.method", method_word(&inbound.method).into()));
        told.push(("url.scheme", inbound.forwarding.scheme.to_string().into()));
        told.push(("url.path", record.path().into_owned().into()));
        told.push(("server.address", inbound.authority.host().to_owned().into()));
        told.push(("client.address", inbound.forwarding.client.ip().to_string().into()));
    }
    told.extend(route.map(|route| ("http.route", route.to_owned().into())));
    if notes.status > 0 {
        told.push(("http.response.status_code", notes.status.into()));
    }
    if notes.status >= 500 || notes.outcome == Outcome::Aborted {
        told.push(("error.type", notes.outcome.as_str().into()));
    }
    told
}

/// The method, or what stands for those that nobody has heard of.
pub(super) fn method_word(method: &Method) -> String {
    if METHODS.contains(method) { method.to_string() } else { "_OTHER".to_owned() }
}
