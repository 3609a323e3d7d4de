//! Everything that can go wrong with a request, in words for the public: never an internal detail.

use std::borrow::Cow;
use std::time::Duration;

use askama::Template;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::form::safe_link;
use super::page::Page;
use super::problem::problem;
use super::way::{self, Node};
use crate::identity::RequestId;

/// What went wrong. Who is to blame decides the status and the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<'a> {
    /// 400: two readers could understand the request differently.
    BadRequest,
    /// 404: no route.
    NotFound,
    /// 405: no route for this method.
    MethodNotAllowed,
    /// 408: the request did not come in time.
    RequestTimeout,
    /// 413: the body is too large.
    ContentTooLarge,
    /// 414: the address is too long.
    UriTooLong,
    /// 429: a limit is reached until `retry_after` has passed.
    TooManyRequests {
        /// How long to wait; told in whole seconds, rounded up.
        retry_after: Duration,
    },
    /// 431: the header fields are too large.
    HeadersTooLarge,
    /// 500: our fault.
    Internal,
    /// 502: the app refused, broke off or spoke no HTTP.
    AppDown,
    /// 503: the identity provider cannot be reached; the app may be fine.
    ProviderDown {
        /// What people call the provider.
        provider: &'a str,
        /// When we try again.
        retry_after: Duration,
    },
    /// 503: not ready yet.
    Starting {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: too much to do.
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: sessions cannot be read, so nobody is let in.
    StoreDown {
        /// When to try again.
        retry_after: Duration,
    },
    /// 504: the app did not answer in time.
    AppTimeout,
}

/// An error page.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// What went wrong.
    pub fault: Fault<'a>,
    /// The request.
    pub request_id: &'a RequestId,
    /// Where "try again" leads, where trying again may help.
    pub retry: Option<&'a str>,
    /// Whether the page may ask again by itself: only for a `GET` that may be repeated. Faults that
    /// pass by themselves then do so after `retry_after`, at least 5 s.
    pub refresh: bool,
}

impl ErrorPage<'_> {
    /// The page, with `Retry-After` where it is known.
    #[must_use]
    pub fn page(&self) -> Page {
        let seconds = self.fault.retry_after();
        let mut page = Page::new(self.fault.status(), &self.view(seconds));
        if let Some(seconds) = seconds {
            page.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        page
    }

    fn view(&self, seconds: Option<u64>) -> View<'_> {
        let refresh = seconds.filter(|_| self.refresh && self.fault.passes()).map(|seconds| seconds.max(5));
        let wait = seconds.map(|seconds| wait(seconds, refresh));
        View {
            text: self.fault.text(),
            way: self.fault.way(),
            status: self.fault.status().as_u16(),
            request_id: self.request_id,
            retry: self.retry.map(safe_link),
            refresh,
            wait,
        }
    }
}

fn wait(seconds: u64, refresh: Option<u64>) -> String {
    match refresh {
        Some(seconds) => format!("This page tries again by itself in {}.", span(seconds)),
        None => format!("Please try again in {}.", span(seconds)),
    }
}

/// `seconds` as people say it, rounded up from two minutes and two hours on.
fn span(seconds: u64) -> String {
    match seconds {
        1 => "one second".into(),
        0..=119 => format!("{seconds} seconds"),
        120..=7199 => format!("{} minutes", seconds.div_ceil(60)),
        7200.. => format!("{} hours", seconds.div_ceil(3600)),
    }
}

impl Fault<'_> {
    /// The status, decided nowhere else.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::AppDown => StatusCode::BAD_GATEWAY,
            Self::ProviderDown { .. }
            | Self::Starting { .. }
            | Self::Overloaded { .. }
            | Self::StoreDown { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::AppTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Whole seconds for `Retry-After` (RFC 9110, section 10.2.3), rounded up, at least 1.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after }
            | Self::ProviderDown { retry_after, .. }
            | Self::Starting { retry_after }
            | Self::Overloaded { retry_after }
            | Self::StoreDown { retry_after } => {
                Some(retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0)).max(1))
            }
            Self::BadRequest
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::ContentTooLarge
            | Self::UriTooLong
            | Self::HeadersTooLarge
            | Self::Internal
            | Self::AppDown
            | Self::AppTimeout => None,
        }
    }

    /// The same fault for a program; `retry_after` (seconds) is an extension member.
    #[must_use]
    pub fn problem(&self, request_id: &RequestId) -> (HeaderValue, String) {
        let text = self.text();
        let kind = format!("urn:portcullis:problem:{}", text.kind);
        let wait = self.retry_after().map(|seconds| ("retry_after".to_owned(), Value::from(seconds)));
        problem(self.status(), &kind, text.title, &text.detail, request_id, Map::from_iter(wait))
    }

    /// Whether it is likely gone after a while without anybody doing anything.
    const fn passes(&self) -> bool {
        matches!(self, Self::ProviderDown { .. } | Self::Starting { .. } | Self::StoreDown { .. })
    }

    fn way(&self) -> Vec<Node> {
        match self {
            Self::Internal => way::to_gate("failed"),
            Self::Starting { .. } => way::to_gate("starting"),
            Self::Overloaded { .. } => way::to_gate("overloaded"),
            Self::StoreDown { .. } => way::to_gate("sessions away"),
            Self::AppDown => way::to_app("down"),
            Self::AppTimeout => way::to_app("too slow"),
            Self::ProviderDown { .. } => way::to_provider(),
            Self::BadRequest
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::ContentTooLarge
            | Self::UriTooLong
            | Self::TooManyRequests { .. }
            | Self::HeadersTooLarge => Vec::new(),
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::BadRequest => Text::new(
                "bad-request",
                "alert",
                "This request can’t be read",
                "Something in it could be understood in two ways, so it was stopped here and not passed on to the app.",
            ),
            Self::NotFound => Text::new(
                "not-found",
                "search",
                "There is nothing here",
                "No app answers at this address. Check it for typing errors, or ask whoever gave it to you.",
            ),
            Self::MethodNotAllowed => Text::new(
                "method-not-allowed",
                "alert",
                "This can’t be done here",
                "The address exists, but it does not take this kind of request.",
            ),
            Self::RequestTimeout => Text::new(
                "request-timeout",
                "clock",
                "The request took too long",
                "It did not arrive completely in time. Your connection may be slow; please try again.",
            ),
            Self::ContentTooLarge => Text::new(
                "content-too-large",
                "alert",
                "That is too large",
                "What you sent is larger than the app takes. Try a smaller file.",
            ),
            Self::UriTooLong => Text::new(
                "uri-too-long",
                "alert",
                "The address is too long",
                "The address of this request is longer than it may be.",
            ),
            Self::TooManyRequests { .. } => Text::new(
                "too-many-requests",
                "clock",
                "One moment, please",
                "More requests came from you than are allowed in this time. Nothing is wrong with your account.",
            ),
            Self::HeadersTooLarge => Text::new(
                "headers-too-large",
                "alert",
                "Your browser sends too much",
                "The request’s header fields are too large. Clearing the cookies of this site usually helps.",
            ),
            Self::Internal => Text::new(
                "internal",
                "gate",
                "Something broke on our side",
                "The gateway could not handle this request. It is not your fault, and it has been logged.",
            ),
            Self::AppDown => Text::new(
                "app-down",
                "app",
                "The app is down",
                "The gateway works, but the app behind it does not answer. Nothing is wrong with your sign-in.",
            ),
            Self::ProviderDown { provider, .. } => Text::new(
                "identity-provider-down",
                "key",
                "Sign-in is unavailable",
                format!(
                    "The identity provider ({provider}) cannot be reached. The app itself may be fine; we try again by ourselves."
                ),
            ),
            Self::Starting { .. } => Text::new(
                "starting",
                "gate",
                "Just starting up",
                "The gateway is not ready yet. This usually takes a few seconds.",
            ),
            Self::Overloaded { .. } => Text::new(
                "overloaded",
                "gate",
                "Very busy right now",
                "There is more to do than can be done at once. Please try again shortly.",
            ),
            Self::StoreDown { .. } => Text::new(
                "sessions-unavailable",
                "gate",
                "Sessions can’t be read",
                "The gateway cannot look up who is signed in, so it lets nobody through for now. You need not sign in again when it is back.",
            ),
            Self::AppTimeout => Text::new(
                "app-timeout",
                "app",
                "The app did not answer in time",
                "The gateway works, but the app behind it took too long. What you asked for may still be under way; look before you repeat it.",
            ),
        }
    }
}

struct Text {
    kind: &'static str,
    icon: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
}

impl Text {
    fn new(
        kind: &'static str,
        icon: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, icon, title, detail: detail.into() }
    }
}

#[derive(Template)]
#[template(path = "fault.html")]
struct View<'a> {
    text: Text,
    way: Vec<Node>,
    status: u16,
    request_id: &'a RequestId,
    retry: Option<&'a str>,
    refresh: Option<u64>,
    wait: Option<String>,
}
