//! What can go wrong between a permit and a response, who is to blame, and what the log may know.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// A request that was not answered by its upstream.
///
/// `Display` is the fixed text for the public; [`ForwardError::server`] and `source()` are for the log.
#[derive(Debug)]
pub struct ForwardError {
    fault: ForwardFault,
    server: Option<Arc<str>>,
    cause: Option<BoxError>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardFault {
    /// No connection: refused, unreachable, no such name or socket.
    Connect,
    /// No connection within `Timeouts::connect`.
    ConnectTimeout,
    /// The server's certificate or protocol was not acceptable, or ours was not to it.
    Tls,
    /// No response head within `Timeouts::response`.
    ResponseTimeout,
    /// The connection broke before the response's head was whole.
    Reset,
    /// The server did nothing with the request, each time that it was sent.
    Refused,
    /// The server did nothing with the request, and so much of its body had been sent that it is not held to
    /// be sent again.
    NotHeld,
    /// What came back is not HTTP, or an answer that was not asked for.
    InvalidResponse,
    /// The response's head is beyond 64 KiB or 100 fields.
    HeadersTooLarge,
    /// The request's body is beyond the route's `max_body`.
    BodyTooLarge,
    /// The client's body broke off or was malformed.
    ClientBody,
    /// A trailer of the client's is spelled so that a server could take it for framing (invariant 21).
    ClientTrailers,
    /// The client's body was silent for longer than `Timeouts::idle`.
    ClientTimeout,
    /// `CONNECT` and `TRACE` are not forwarded.
    MethodRefused,
    /// The target cannot be written as a request to this upstream.
    BadTarget,
    /// Something that must be there is not: a signing key that does not sign.
    Internal,
}

/// Whose fault a failed request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardBlame {
    /// Who asked: a request that no app could answer otherwise.
    Client,
    /// The app, or the way to it.
    Upstream,
    /// The gateway, or its operator.
    Us,
}

impl ForwardFault {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(self) -> ForwardBlame {
        match self {
            Self::Connect
            | Self::ConnectTimeout
            | Self::Tls
            | Self::ResponseTimeout
            | Self::Reset
            | Self::Refused
            | Self::NotHeld
            | Self::InvalidResponse
            | Self::HeadersTooLarge => ForwardBlame::Upstream,
            Self::BodyTooLarge
            | Self::ClientBody
            | Self::ClientTrailers
            | Self::ClientTimeout
            | Self::MethodRefused
            | Self::BadTarget => ForwardBlame::Client,
            Self::Internal => ForwardBlame::Us,
        }
    }

    /// A word for metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::ResponseTimeout => "response_timeout",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::NotHeld => "not_held",
            Self::InvalidResponse => "invalid_response",
            Self::HeadersTooLarge => "headers_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::ClientBody => "client_body",
            Self::ClientTrailers => "client_trailers",
            Self::ClientTimeout => "client_timeout",
            Self::MethodRefused => "method_refused",
            Self::BadTarget => "bad_target",
            Self::Internal => "internal",
        }
    }

    const fn public(self) -> &'static str {
        match self {
            Self::Connect => "the app cannot be reached",
            Self::ConnectTimeout => "the app did not take the connection in time",
            Self::Tls => "no trusted connection to the app",
            Self::ResponseTimeout => "the app did not answer in time",
            Self::Reset => "the app broke off before it answered",
            Self::Refused => "the app refused the request and did nothing with it",
            Self::NotHeld => {
                "the app retired its connection before it did anything with the request, and the request's body \
                 was longer than what is held to send it again (64 KiB)"
            }
            Self::InvalidResponse => "the app's answer is not valid HTTP",
            Self::HeadersTooLarge => "the head of the app's answer is too large",
            Self::BodyTooLarge => "the request's body is larger than this route takes",
            Self::ClientBody => "the request's body broke off",
            Self::ClientTrailers => {
                "a trailer is spelled so that a server could take it for framing or a hop-by-hop field"
            }
            Self::ClientTimeout => "the request's body did not arrive in time",
            Self::MethodRefused => "this method is not forwarded",
            Self::BadTarget => "the request's target cannot be forwarded",
            Self::Internal => "the gateway failed",
        }
    }
}

impl ForwardError {
    pub(super) fn new(fault: ForwardFault, cause: impl Into<BoxError>) -> Self {
        Self { fault, server: None, cause: Some(cause.into()) }
    }

    pub(super) fn at(mut self, server: &Arc<str>) -> Self {
        self.server = Some(Arc::clone(server));
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn fault(&self) -> ForwardFault {
        self.fault
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> ForwardBlame {
        self.fault.blame()
    }

    /// Which server, for the log: `10.0.0.5:8080`.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }
}

impl From<ForwardFault> for ForwardError {
    fn from(fault: ForwardFault) -> Self {
        Self { fault, server: None, cause: None }
    }
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.public())
    }
}

impl StdError for ForwardError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// What hyper says of an exchange that failed, as a fault of the upstream.
pub(super) fn from_hyper(error: hyper::Error) -> ForwardError {
    let fault = match () {
        () if error.is_parse_too_large() => ForwardFault::HeadersTooLarge,
        () if error.is_parse() => ForwardFault::InvalidResponse,
        () => ForwardFault::Reset,
    };
    ForwardError::new(fault, error)
}

/// Why a response broke off. The client must see that it did: the connection is closed or its stream
/// reset, never ended as if the response were whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The upstream broke off.
    #[error("the app broke off in the middle of its answer")]
    Reset(#[source] BoxError),
    /// The upstream was silent for longer than `Timeouts::idle`.
    #[error("the app was silent for too long in the middle of its answer")]
    Silent,
}

/// Why an upstream cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// There is no server.
    #[error("an upstream needs at least one server")]
    NoServer,
    /// The PEM of `ca` holds no certificate.
    #[error("`ca` holds no PEM certificate that can be trusted")]
    Ca(#[source] Option<BoxError>),
    /// The system offers no authorities.
    #[error("the system offers no certificate authorities: install ca-certificates or set `ca`")]
    NoRoots,
    /// The client certificate or its key cannot be used.
    #[error("the client certificate cannot be used: expected a PEM chain and its unencrypted PEM key")]
    ClientCertificate(#[source] BoxError),
    /// Neither the host nor `server_name` is a name that TLS can verify.
    #[error("\"{0}\" is no name that a certificate can be verified for: set `server_name`")]
    ServerName(String),
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The server's address cannot be written as a `Host`.
    #[error("\"{0}\" is no host")]
    Host(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_text_holds_neither_server_nor_cause() {
        let error =
            ForwardError::new(ForwardFault::Connect, "10.0.0.5 said no").at(&Arc::from("10.0.0.5:80"));
        assert_eq!(error.to_string(), "the app cannot be reached");
        assert_eq!(error.server(), Some("10.0.0.5:80"));
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("10.0.0.5 said no"));
        assert_eq!(error.blame(), ForwardBlame::Upstream);
    }
}
