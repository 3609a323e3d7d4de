//! A page and the header fields that keep it from being framed, cached or scripted.

use std::fmt;
use std::sync::LazyLock;

use askama::Template;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

use super::csp::Needs;

/// A page, ready to be sent.
#[derive(Clone, PartialEq)]
pub struct Page {
    /// The status of the response.
    pub status: StatusCode,
    /// `Content-Type`, `Content-Security-Policy`, `Cache-Control` and their like; the gate may add to them.
    pub headers: HeaderMap,
    /// The document, in UTF-8.
    pub html: String,
}

impl Page {
    /// The page of `template`, which is allowed what it `needs` and nothing else.
    #[must_use]
    pub fn new(status: StatusCode, template: &impl Template, needs: Needs<'_>) -> Self {
        // A template fails only where its writer does, and a `String` does not.
        let html = template.render().unwrap_or_default();
        let mut headers = HEADERS.clone();
        headers.insert(CONTENT_SECURITY_POLICY, needs.policy());
        if !needs.ancestors.is_empty() {
            // It knows "nobody" and "this origin" alone; browsers that know the policy heed that.
            headers.remove(X_FRAME_OPTIONS);
        }
        Self { status, headers, html }
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

impl fmt::Debug for Page {
    /// Without the document: it may hold a token, or what a person typed (invariant 15).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("status", &self.status).field("length", &self.html.len()).finish()
    }
}

static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // For a cache that keeps what it was told not to: the same address has other answers (invariant 17).
        (
            VARY,
            HeaderValue::from_static(
                "accept, accept-language, authorization, cookie, sec-fetch-dest, sec-fetch-mode",
            ),
        ),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // Not `no-referrer`: with it browsers send `Origin: null` from our forms, which reads as CSRF.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ])
});
