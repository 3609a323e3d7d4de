//! Refusals for programs (RFC 9457).

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::gate::body::Body;
use crate::gate::destination_error::DestinationError;
use crate::gate::statuses;
use crate::identity::RequestId;
use crate::pages;

pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: &'static str,
}

pub(super) const UNAUTHENTICATED: Problem = Problem {
    status: statuses::UNAUTHENTICATED,
    kind: "urn:portcullis:problem:unauthenticated",
    title: "Not signed in",
    detail: "Sign in with a browser, or send an access token as Authorization: Bearer.",
};
pub(super) const FORBIDDEN: Problem = Problem {
    status: statuses::FORBIDDEN,
    kind: "urn:portcullis:problem:forbidden",
    title: "Not allowed",
    detail: "You are known, but this is not open to you. The request_id leads to the rule in the log.",
};
pub(super) const CROSS_SITE: Problem = Problem {
    status: statuses::FORBIDDEN,
    kind: "urn:portcullis:problem:cross-site",
    title: "Not from here",
    detail: "This form works only from a page of this very site.",
};

pub(super) fn problem(id: &RequestId, problem: &Problem) -> Response<Body> {
    let Problem { status, kind, title, detail } = *problem;
    let (content_type, text) = pages::problem(status, kind, title, detail, id, Map::new());
    machine(status, content_type, text)
}

pub(super) fn machine(status: StatusCode, content_type: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(Body::ours(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A request that could be read in two ways: which, and what a route may do about it.
pub(super) fn ambiguous(id: &RequestId, detail: &str, members: Map<String, Value>) -> Response<Body> {
    let (status, kind) = (statuses::AMBIGUOUS, "urn:portcullis:problem:bad-request");
    let title = "This request can’t be read";
    let (content_type, text) = pages::problem(status, kind, title, detail, id, members);
    machine(status, content_type, text)
}

/// A request that may not put anything where it says.
pub(super) fn destination(id: &RequestId, error: &DestinationError) -> Response<Body> {
    let (status, kind) = (statuses::of_destination(error), "urn:portcullis:problem:destination");
    let (title, detail) = ("Not to there", error.detail());
    let (content_type, text) = pages::problem(status, kind, title, &detail, id, Map::new());
    machine(status, content_type, text)
}
