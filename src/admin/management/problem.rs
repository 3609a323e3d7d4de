//! Faults, as problem details (RFC 9457).

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::json;
use crate::session::StoreUnavailable;

/// Why a call was refused or failed (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    /// The name of the status.
    title: Cow<'static, str>,
    /// The status of the response.
    status: u16,
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        Self {
            kind: "about:blank".into(),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "nothing is here; /api/v1/openapi.json says what there is")
    }

    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response =
            json(status, "application/problem+json", serde_json::to_string(self).unwrap_or_default());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<StoreUnavailable> for Problem {
    fn from(error: StoreUnavailable) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("the session store is away; try again: {error}"))
    }
}

/// 401 with the scheme that is wanted (RFC 9110, section 11.6.1).
pub(in crate::admin) fn unauthenticated() -> Response<Full<Bytes>> {
    let detail = "show the token of `[admin] token`: `Authorization: Bearer …`";
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).response();
    let challenge = HeaderValue::from_static("Bearer realm=\"portcullis management\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// 405 with the methods of a path (RFC 9110, section 15.5.6).
pub(super) fn method_not_allowed(methods: &[Method]) -> Response<Full<Bytes>> {
    let named =
        methods.iter().map(|method| if method == Method::GET { "GET, HEAD" } else { method.as_str() });
    let allowed = named.collect::<Vec<_>>().join(", ");
    let mut response =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("answered here: {allowed}")).response();
    response.headers_mut().extend(HeaderValue::from_str(&allowed).map(|value| (header::ALLOW, value)));
    response
}
