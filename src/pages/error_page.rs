//! What can go wrong with a request whoever sends it, in words for the public, without any internal detail.

mod words;

use std::time::Duration;

use askama::Template;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::csp::{self, Needs};
use super::link::{Link, safe_link};
use super::look::Look;
use super::page::Page;
use super::path_status::{self, PathPart};
use super::problem::problem;
use crate::identity::RequestId;
use crate::words::{Arg, Word};
use words::Text;

/// What went wrong. Who is to blame decides the status and the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind<'a> {
    /// 400: two readers could understand the request differently.
    BadRequest,
    /// 403: the session is not bound to its device, and has to be.
    NotBound,
    /// 404: no route claims the address.
    NotFound,
    /// 405: no route for this method.
    MethodNotAllowed,
    /// 408: the request did not come in time.
    RequestTimeout,
    /// 413: the body is larger than the route takes.
    ContentTooLarge,
    /// 414: the address is too long.
    UriTooLong,
    /// 429: a limit is reached until `retry_after` has passed.
    TooManyRequests {
        /// How long to wait; told in whole seconds, rounded up.
        retry_after: Duration,
    },
    /// 500: the gateway is at fault.
    Internal,
    /// 502: the app refused, broke off or spoke no HTTP.
    AppDown,
    /// 502: the app said that it had done nothing with the request, which could not be sent to it again.
    AppRefused,
    /// 503: the identity provider cannot be reached; the app may be fine.
    ProviderDown {
        /// What people call the provider.
        provider: &'a str,
        /// When we try again.
        retry_after: Duration,
    },
    /// 503: as many requests as the route allows at once are under way.
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: the browser may be about to bind the session to its device.
    BindingAwaited {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: sessions cannot be read, so nobody is let in.
    StoreDown {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: what is done cannot be recorded, so nothing is.
    Unrecorded {
        /// When to try again.
        retry_after: Duration,
    },
    /// 504: the app did not answer in time.
    AppTimeout,
}

/// The page for a request that failed for a reason which has nothing to do with who asks.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// What went wrong, which decides status and words.
    pub kind: ErrorKind<'a>,
    /// The identifier by which the log knows the request: the page shows it.
    pub request_id: &'a RequestId,
    /// Whether the request may be repeated: only a `GET`. "Try again" then leads to this very address; and the page of
    /// an error that passes asks again by itself, no sooner than `retry_after` and after 10 s at the earliest, unless it
    /// is stopped.
    pub refresh: bool,
    /// The way on where the same request is not worth another try.
    pub home: &'a str,
    /// Other ways to sign in, where one fails.
    pub others: &'a [Link<'a>],
}

impl ErrorPage<'_> {
    /// The page, with `Retry-After` where it is known.
    #[must_use]
    pub fn page(&self, look: Look<'_>) -> Page {
        let view = self.view(look);
        let script = view.refresh.map(|_| &*csp::AGAIN);
        let mut page = Page::new(
            self.kind.status(),
            &view,
            Needs { style: Some(&look.brand.narrow), script, ..Needs::default() },
        );
        if let Some(seconds) = self.kind.retry_after() {
            page.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        page
    }

    fn view<'v>(&'v self, look: Look<'v>) -> ErrorView<'v> {
        let refresh = self.kind.refresh_after().filter(|_| self.refresh);
        ErrorView {
            look,
            text: self.kind.text(look),
            path: self.kind.path(),
            status: self.kind.status().as_u16().to_string(),
            request_id: self.request_id,
            retry: self.refresh && self.kind.is_worth_another_try(),
            again: refresh.map(|seconds| words::again(look, seconds)).unwrap_or_default(),
            wait: self.kind.retry_after().map(|seconds| words::wait(look, seconds)),
            unsure: !self.refresh && self.kind.leaves_in_doubt(),
            refresh,
            home: safe_link(self.home),
            others: self.others,
            script: csp::AGAIN.text,
        }
    }
}

/// A page that asks again by itself leaves people the time to read it.
const SHORTEST_REFRESH: u64 = 10;
/// A page does not wait longer than this: by then people have gone.
const LONGEST_REFRESH: u64 = 300;

impl ErrorKind<'_> {
    /// The status, decided nowhere else.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotBound => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::AppDown | Self::AppRefused => StatusCode::BAD_GATEWAY,
            Self::ProviderDown { .. }
            | Self::Overloaded { .. }
            | Self::BindingAwaited { .. }
            | Self::Unrecorded { .. }
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
            | Self::Overloaded { retry_after }
            | Self::BindingAwaited { retry_after }
            | Self::Unrecorded { retry_after }
            | Self::StoreDown { retry_after } => {
                Some(retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0)).max(1))
            }
            Self::BadRequest
            | Self::NotBound
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::ContentTooLarge
            | Self::UriTooLong
            | Self::Internal
            | Self::AppDown
            | Self::AppRefused
            | Self::AppTimeout => None,
        }
    }

    /// The same for a program; `retry_after` (seconds) is an extension member.
    #[must_use]
    pub fn problem(&self, request_id: &RequestId) -> (HeaderValue, String) {
        let text = self.text_for_programs();
        let problem_type = format!("urn:portcullis:problem:{}", text.problem_type);
        let wait = self.retry_after().map(|seconds| ("retry_after".to_owned(), Value::from(seconds)));
        problem(self.status(), &problem_type, &text.title, &text.detail, request_id, Map::from_iter(wait))
    }

    /// Whole seconds after which the page asks again by itself: where the error is likely to pass without
    /// anybody doing anything, and asking does not make it worse.
    fn refresh_after(&self) -> Option<u64> {
        let after = match self {
            Self::ProviderDown { .. }
            | Self::StoreDown { .. }
            | Self::Unrecorded { .. }
            | Self::TooManyRequests { .. } => self.retry_after()?,
            // There is nothing to read that would not be over by then.
            Self::BindingAwaited { .. } => return self.retry_after(),
            Self::AppDown | Self::AppRefused => SHORTEST_REFRESH,
            Self::BadRequest
            | Self::NotBound
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::ContentTooLarge
            | Self::UriTooLong
            | Self::Internal
            | Self::Overloaded { .. }
            | Self::AppTimeout => return None,
        };
        (after <= LONGEST_REFRESH).then_some(after.max(SHORTEST_REFRESH))
    }

    /// Whether the very same request may fare better.
    const fn is_worth_another_try(&self) -> bool {
        !matches!(
            self,
            Self::BadRequest
                | Self::NotBound
                | Self::NotFound
                | Self::MethodNotAllowed
                | Self::ContentTooLarge
                | Self::UriTooLong
        )
    }

    /// Whether the app may have done what was asked all the same.
    const fn leaves_in_doubt(&self) -> bool {
        matches!(self, Self::AppDown | Self::AppTimeout)
    }

    fn path(&self) -> Vec<PathPart> {
        match self {
            Self::Internal => path_status::gate_fails(Word::PartFailed),
            Self::Overloaded { .. } => path_status::gate_fails(Word::PartOverloaded),
            Self::StoreDown { .. } => path_status::gate_fails(Word::PartSessionsAway),
            Self::Unrecorded { .. } => path_status::gate_fails(Word::PartNoRecord),
            Self::AppDown => path_status::app_fails(Word::PartDown),
            Self::AppRefused => path_status::app_fails(Word::PartRefused),
            Self::AppTimeout => path_status::app_fails(Word::PartTooSlow),
            Self::ProviderDown { .. } => path_status::provider_fails(),
            Self::BadRequest
            | Self::NotBound
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::ContentTooLarge
            | Self::UriTooLong
            | Self::BindingAwaited { .. }
            | Self::TooManyRequests { .. } => Vec::new(),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorView<'a> {
    look: Look<'a>,
    text: Text,
    path: Vec<PathPart>,
    status: String,
    request_id: &'a RequestId,
    retry: bool,
    refresh: Option<u64>,
    again: String,
    wait: Option<String>,
    unsure: bool,
    home: &'a str,
    others: &'a [Link<'a>],
    script: &'static str,
}
