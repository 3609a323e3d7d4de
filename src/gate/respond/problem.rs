//! Refusals for programs (RFC 9457).

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::gate::body::Body;
use crate::identity::RequestId;
use crate::pages;

/// What a kind of refusal is called.
pub(super) struct Problem {
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
}

pub(super) const UNAUTHENTICATED: Problem =
    Problem { kind: "urn:portcullis:problem:unauthenticated", title: "Not signed in" };
pub(super) const STEP_UP: Problem = Problem {
    kind: "urn:portcullis:problem:insufficient-user-authentication",
    title: "A stronger sign-in is needed",
};
pub(super) const FORBIDDEN: Problem =
    Problem { kind: "urn:portcullis:problem:forbidden", title: "Not allowed" };
pub(super) const CROSS_SITE: Problem =
    Problem { kind: "urn:portcullis:problem:cross-site", title: "Not from here" };
pub(super) const TOKEN: Problem =
    Problem { kind: "urn:portcullis:problem:invalid-token", title: "Access token refused" };
pub(super) const AMBIGUOUS: Problem =
    Problem { kind: "urn:portcullis:problem:bad-request", title: "This request can’t be read" };
pub(super) const DESTINATION: Problem =
    Problem { kind: "urn:portcullis:problem:destination", title: "Not to there" };

impl Problem {
    /// The problem as a response, with `detail` and further members.
    pub(super) fn respond(
        &self,
        status: StatusCode,
        detail: &str,
        id: &RequestId,
        members: Map<String, Value>,
    ) -> Response<Body> {
        let (content_type, text) = pages::problem(status, self.kind, self.title, detail, id, members);
        document_response(status, content_type, text)
    }
}

/// A response for programs, which no cache keeps and no browser takes for another type.
pub(super) fn document_response(
    status: StatusCode,
    content_type: HeaderValue,
    text: String,
) -> Response<Body> {
    let mut response = Response::new(Body::ours(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
