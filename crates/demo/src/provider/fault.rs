//! What can be wrong with a request, in the words of OAuth 2.0.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::reply::{self, Reply};

/// An error code of the standards and what it means here. Fixed texts: nothing that came in is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// `error`.
    pub(super) code: &'static str,
    /// `error_description`.
    pub(super) description: &'static str,
}

impl Fault {
    /// A fault of that code.
    pub(super) const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description }
    }

    pub(super) const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) const fn invalid_client() -> Self {
        Self::new("invalid_client", "no such client, or not its secret")
    }

    pub(super) const fn login_required(description: &'static str) -> Self {
        Self::new("login_required", description)
    }

    /// The signing key or the library behind it failed.
    pub(super) const fn server_error() -> Self {
        Self::new("server_error", "the token could not be signed")
    }

    /// The answer of the token endpoint (RFC 6749, section 5.2).
    pub(super) fn reply(self) -> Reply {
        let document = json!({ "error": self.code, "error_description": self.description });
        let mut reply = reply::json(self.status(), &document);
        if reply.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"demo\"");
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        reply
    }

    fn status(self) -> StatusCode {
        match self.code {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer of a resource (RFC 6750, section 3.1).
    pub(super) fn challenge(self, status: StatusCode) -> Reply {
        let challenge = format!(r#"Bearer error="{}", error_description="{}""#, self.code, self.description);
        let mut reply = reply::text(status, format!("{}\n", self.description));
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        reply
    }
}
