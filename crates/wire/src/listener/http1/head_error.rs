//! Requests that are not read.

use http::StatusCode;
use http::uri::InvalidUri;

use crate::http1::WireError;
use crate::listener::stats::ConnectionRefusal;

/// What two servers could read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguity {
    /// RFC 9112, section 2.2: lines end in CRLF.
    #[error("a line ends in a bare line feed")]
    BareLineFeed,
    /// RFC 9112, section 3.2: a request target has no fragment.
    #[error("the request target has a fragment or the method a '#'")]
    Fragment,
    /// RFC 9112, section 6.3: the classic request smuggling.
    #[error("Content-Length beside Transfer-Encoding, or one of them twice")]
    Framing,
    /// Anything but one decimal number below 2^63: a server that counts in signed numbers reads a negative one.
    #[error("Content-Length is not one decimal number below 2^63")]
    Length,
    /// RFC 9112, section 7: no coding but `chunked` is understood, and none in HTTP/1.0.
    #[error("Transfer-Encoding is not `chunked`")]
    Coding,
    /// RFC 9112, section 7.1.
    #[error("malformed chunk")]
    Chunk,
}

/// Why a request is answered before anybody has seen it.
#[derive(Debug, thiserror::Error)]
pub(in crate::listener) enum HeadError {
    #[error(transparent)]
    Ambiguous(#[from] Ambiguity),
    #[error("this is no HTTP/1 request")]
    NotHttp,
    #[error("this is no HTTP/1 request: {0}")]
    Syntax(httparse::Error),
    #[error("the request target is no URI")]
    Target,
    #[error("the request target is too long")]
    TargetTooLong,
    #[error("the head of the request has too many bytes or fields")]
    TooLarge,
}

impl HeadError {
    pub(in crate::listener) const fn status(&self) -> StatusCode {
        match self {
            Self::Ambiguous(_) | Self::NotHttp | Self::Syntax(_) | Self::Target => StatusCode::BAD_REQUEST,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    pub(in crate::listener) const fn refusal(&self) -> ConnectionRefusal {
        match self {
            Self::Ambiguous(_) => ConnectionRefusal::Ambiguous,
            Self::NotHttp | Self::Syntax(_) | Self::Target => ConnectionRefusal::Malformed,
            Self::TargetTooLong | Self::TooLarge => ConnectionRefusal::TooLarge,
        }
    }

    /// `http::Uri` takes fewer bytes than a head may have: a longer target is too long (414), and not
    /// malformed (400).
    pub(super) const fn of_target(_: &InvalidUri, target: &str) -> Self {
        if target.len() >= u16::MAX as usize { Self::TargetTooLong } else { Self::Target }
    }
}

impl From<WireError> for HeadError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Syntax(error) => Self::Syntax(error),
            WireError::TooLarge => Self::TooLarge,
            WireError::Malformed(_) | WireError::Closed => Self::NotHttp,
        }
    }
}
