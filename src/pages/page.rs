//! A page and the header fields that keep it from being framed, cached or scripted.

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use url::Url;

/// The one style sheet of all pages. It stands inline, allowed by its hash alone.
pub const STYLE: &str = include_str!("templates/style.css");

/// A whole answer for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// `Content-Type`, `Content-Security-Policy`, `Cache-Control` and their like; the gate may add to them.
    pub headers: HeaderMap,
    /// The document.
    pub html: String,
}

impl Page {
    pub(super) fn new(status: StatusCode, template: &impl Template) -> Self {
        // A template fails only where its writer does, and a `String` does not.
        let html = template.render().unwrap_or_default();
        Self { status, headers: HEADERS.clone(), html }
    }

    /// Lets the page's forms end at the origin of `target`: browsers hold `form-action` against every
    /// redirect that follows a submission (CSP Level 3, section 6.4.1), so a form whose answer redirects
    /// to a provider needs that provider's origin. Where the way is longer, answer with
    /// [`onward`](super::onward) instead.
    #[must_use]
    pub fn with_form_target(mut self, target: &Url) -> Self {
        let origin = target.origin().ascii_serialization();
        let policy = policy(&format!("'self' {origin}"));
        if let (true, Ok(value)) = (target.host().is_some(), HeaderValue::from_str(&policy)) {
            self.headers.insert(CONTENT_SECURITY_POLICY, value);
        }
        self
    }

    /// The page as a response.
    #[must_use]
    pub fn into_response(self) -> Response<String> {
        let mut response = Response::new(self.html);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let nothing = HeaderValue::from_static("default-src 'none'");
    let policy = HeaderValue::from_str(&policy("'self'")).unwrap_or(nothing);
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // Not `no-referrer`: with it browsers send `Origin: null` from our forms, which reads as CSRF.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ])
});

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

fn policy(form_action: &str) -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_HASH
    )
}
