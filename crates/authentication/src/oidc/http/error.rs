//! Why a call to a provider gave nothing.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use ::http::{Response, StatusCode};

use super::tls::advice;
use super::{MAX_BODY, media_type};
use crate::oidc::json::JsonError;

/// A call to a provider that failed: what was called, and what went wrong. For the log, never for a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {trouble}")]
pub struct HttpError {
    /// What was called, without query, cut to 200 characters.
    pub url: String,
    /// What went wrong.
    pub trouble: Trouble,
}

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nothing whole came in time.
    #[error("no whole answer within {} ms; is the provider overloaded or behind a firewall?", .0.as_millis())]
    Timeout(Duration),
    /// No connection was made: the name is unknown, or nothing answers at the address.
    #[error("no connection: {0}; check name, port and network")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The connection broke, or what came was not HTTP.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Another status than the one expected; redirects are not followed.
    #[error("expected status 200, got {0} (redirects are not followed)")]
    Status(StatusCode),
    /// Something else than JSON, or JSON of another shape.
    #[error("{got} instead of JSON as expected ({cause})")]
    NotJson {
        /// Where the expectation ended.
        cause: JsonError,
        /// What came in place of that.
        got: AnswerShape,
    },
    /// A body of more than [`MAX_BODY`] bytes.
    #[error("the answer has more than {MAX_BODY} bytes")]
    TooLarge,
    /// A URL that the issuer's metadata does not name (invariant 16), or none at all.
    #[error("not called: {0}")]
    NotPermitted(String),
}

/// What is told of an answer that could not be used. Nothing of its body, which may hold a token or say
/// something about a person, can get in here (invariants 15 and 24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerShape {
    /// Its status.
    pub status: StatusCode,
    /// Its media type, made printable; `nothing` where it says none.
    pub media_type: String,
    /// Bytes of its body.
    pub length: usize,
    /// Whether it is a page for people: a proxy's, a captive portal's, or a sign-in page's.
    pub html: bool,
}

impl AnswerShape {
    pub(in crate::oidc) fn of(response: &Response<Vec<u8>>) -> Self {
        let media_type = media_type(response.headers());
        Self {
            status: response.status(),
            html: media_type.contains("html") || is_html(response.body()),
            media_type: printable(&media_type),
            length: response.body().len(),
        }
    }
}

impl fmt::Display for AnswerShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, media_type, length, html } = self;
        let kind = if *html { "HTML (a page of a proxy in the way?)" } else { "something else" };
        write!(f, "{kind}, {length} bytes called {media_type} with status {},", status.as_u16())
    }
}

/// Whether `body` begins as an HTML document does, whatever it calls itself.
pub(in crate::oidc) fn is_html(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    let begins =
        |with: &str| body.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()));
    ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins)
}

impl HttpError {
    pub(super) fn timeout(url: &str, after: Duration) -> Self {
        Self::new(url, Trouble::Timeout(after))
    }

    pub(crate) fn status(url: &str, status: StatusCode) -> Self {
        Self::new(url, Trouble::Status(status))
    }

    pub(super) fn too_large(url: &str) -> Self {
        Self::new(url, Trouble::TooLarge)
    }

    pub(super) fn not_permitted(url: &str) -> Self {
        Self::new(url, Trouble::NotPermitted("it is none of the URLs of the issuer's metadata".into()))
    }

    pub(crate) fn unsent(url: &str, cause: &dyn Error) -> Self {
        Self::new(url, Trouble::NotPermitted(printable(&cause.to_string())))
    }

    pub(crate) fn not_json(url: &str, cause: JsonError, response: &Response<Vec<u8>>) -> Self {
        Self::new(url, Trouble::NotJson { cause, got: AnswerShape::of(response) })
    }

    pub(super) fn lost(url: &str, cause: &(dyn Error + 'static)) -> Self {
        let told = printable(&chain(cause).last().map(ToString::to_string).unwrap_or_default());
        let connecting = cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect);
        let trouble = match (tls_error(cause), connecting) {
            (Some(error), _) => Trouble::Tls(told + advice(error)),
            (None, true) => Trouble::Connect(told),
            (None, false) => Trouble::Broken(told),
        };
        Self::new(url, trouble)
    }

    fn new(url: &str, trouble: Trouble) -> Self {
        Self { url: printable(url.split('?').next().unwrap_or_default()), trouble }
    }
}

/// The error of TLS in `cause`. An `io::Error` hides what it wraps from `source`, and connectors wrap twice.
fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    chain(cause).find_map(|error| {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        error.downcast_ref::<rustls::Error>().or_else(|| inner.and_then(|inner| tls_error(inner)))
    })
}

fn chain<'a>(cause: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(cause), |error| (*error).source())
}

/// What a stranger said, safe for a line of a log: control and non-ASCII characters become `?`, cut to
/// 200 characters.
pub(crate) fn printable(text: &str) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let safe = |c: char| if mutant!(plain(c), "stranger-writes-to-the-terminal" => true) { c } else { '?' };
    text.chars().take(200).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_said_runs_in_no_terminal() {
        assert_eq!(printable("https://id.example/a b~"), "https://id.example/a b~");
        assert_eq!(printable("\u{1b}[2J\u{7}a\r\nb\u{9b}31m\u{202e}é\0"), "?[2J?a??b?31m???");
        assert_eq!(printable(&"x".repeat(1000)).len(), 200);
    }
}
