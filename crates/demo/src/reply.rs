//! Answers, and the header fields that keep them from being framed, cached or scripted.

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, PRAGMA,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use url::Url;

/// The style sheet of all pages here. It stands inline, allowed by its hash alone.
pub(super) const STYLE: &str = include_str!("templates/demo.css");

/// A whole answer.
pub(super) type Reply = Response<Full<Bytes>>;

/// A page. Its forms may end at the origins of `targets` beside its own: browsers hold `form-action`
/// against every redirect that follows a submission (CSP Level 3, section 6.4.1).
pub(super) fn page(status: StatusCode, template: &impl Template, targets: &[&Url]) -> Reply {
    // A template fails only where its writer does, and a `String` does not.
    let mut reply = typed(status, "text/html; charset=utf-8", template.render().unwrap_or_default());
    let policy = HeaderValue::try_from(policy(targets));
    let nothing = HeaderValue::from_static("default-src 'none'");
    let headers = reply.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(nothing));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: with it browsers send `Origin: null` from our forms, which reads as CSRF.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    reply
}

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

fn policy(targets: &[&Url]) -> String {
    let targets: String =
        targets.iter().map(|url| format!(" {}", url.origin().ascii_serialization())).collect();
    format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; form-action 'self'{targets}; \
         frame-ancestors 'none'; base-uri 'none'",
        *STYLE_HASH
    )
}

/// A JSON document.
pub(super) fn json(status: StatusCode, document: &Value) -> Reply {
    typed(status, "application/json", format!("{document:#}\n"))
}

/// Plain text.
pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Reply {
    typed(status, "text/plain; charset=utf-8", body.into())
}

/// Sends the browser to `location` with `GET`, whatever it did here (303: a form is not sent on).
pub(super) fn see_other(location: &str) -> Reply {
    let Ok(location) = HeaderValue::from_str(location) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "a redirect to an unprintable address\n");
    };
    let mut reply = typed(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    reply.headers_mut().insert(LOCATION, location);
    reply
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::from(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}
