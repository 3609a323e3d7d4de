//! Why an exchange over HTTP/1.1 failed.

use std::io;

use crate::forward::ForwardFault;
use crate::forward::error::{BoxError, ForwardError};
use crate::http1::{EncodeError, WireError};

/// More fields than the operator allows.
#[derive(Debug, thiserror::Error)]
#[error("the response has more fields than `max_response_fields` allows")]
pub(in crate::forward) struct TooManyFields;

/// Why there is no response, or no whole one.
#[derive(Debug, thiserror::Error)]
pub(in crate::forward) enum Error {
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    #[error("the server closed the connection before its response was whole")]
    Closed,
    #[error("the response's head is not HTTP/1.1")]
    Head(#[source] httparse::Error),
    #[error("the response's {0}")]
    Malformed(&'static str),
    #[error("the response has a head or trailers beyond the bounds")]
    TooLarge,
    #[error(transparent)]
    TooManyFields(#[from] TooManyFields),
    #[error("the request's body broke off")]
    Upload(#[source] BoxError),
    #[error("the request's body is not of the length it stated")]
    Length,
}

impl From<httparse::Error> for Error {
    fn from(error: httparse::Error) -> Self {
        match error == httparse::Error::TooManyHeaders {
            true => TooManyFields.into(),
            false => Self::Head(error),
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Syntax(error) => Self::Head(error),
            WireError::Malformed(what) => Self::Malformed(what),
            WireError::TooLarge => Self::TooLarge,
            WireError::Closed => Self::Closed,
        }
    }
}

impl From<EncodeError<BoxError>> for Error {
    fn from(error: EncodeError<BoxError>) -> Self {
        match error {
            EncodeError::Body(cause) => Self::Upload(cause),
            EncodeError::Length => Self::Length,
        }
    }
}

impl From<Error> for ForwardError {
    fn from(error: Error) -> Self {
        let fault = match &error {
            Error::TooLarge | Error::TooManyFields(_) => ForwardFault::HeadersTooLarge,
            Error::Head(_) | Error::Malformed(_) => ForwardFault::InvalidResponse,
            Error::Broken(_) | Error::Closed | Error::Upload(_) | Error::Length => ForwardFault::Reset,
        };
        Self::new(fault, error)
    }
}
