//! Errors for programs: problem details (RFC 9457).

use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::identity::RequestId;

/// A problem document and its content type.
///
/// `kind` is the `type` member, a URI reference; `about:blank` where the status says it all. `extras`
/// are extension members (RFC 9457, section 3.2); they cannot replace the standard ones.
#[must_use]
pub fn problem(
    status: StatusCode,
    kind: &str,
    title: &str,
    detail: &str,
    request_id: &RequestId,
    extras: Map<String, Value>,
) -> (HeaderValue, String) {
    let mut members = extras;
    members.insert("type".into(), kind.into());
    members.insert("title".into(), title.into());
    members.insert("status".into(), status.as_u16().into());
    members.insert("detail".into(), detail.into());
    members.insert("request_id".into(), request_id.as_str().into());
    (HeaderValue::from_static("application/problem+json"), Value::Object(members).to_string())
}
