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
pub(in crate::forward) enum Http1Error {
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

impl From<httparse::Error> for Http1Error {
    fn from(error: httparse::Error) -> Self {
        match error == httparse::Error::TooManyHeaders {
            true => TooManyFields.into(),
            false => Self::Head(error),
        }
    }
}

impl From<WireError> for Http1Error {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Syntax(error) => Self::Head(error),
            WireError::Malformed(what) => Self::Malformed(what),
            WireError::TooLarge => Self::TooLarge,
            WireError::Closed => Self::Closed,
        }
    }
}

impl From<EncodeError<BoxError>> for Http1Error {
    fn from(error: EncodeError<BoxError>) -> Self {
        match error {
            EncodeError::Body(cause) => Self::Upload(cause),
            EncodeError::Length => Self::Length,
        }
    }
}

impl From<Http1Error> for ForwardError {
    fn from(error: Http1Error) -> Self {
        let fault = match &error {
            Http1Error::TooLarge | Http1Error::TooManyFields(_) => ForwardFault::HeadersTooLarge,
            Http1Error::Head(_) | Http1Error::Malformed(_) => ForwardFault::InvalidResponse,
            Http1Error::Broken(_) | Http1Error::Closed | Http1Error::Upload(_) | Http1Error::Length => {
                ForwardFault::Reset
            }
        };
        Self::new(fault, error)
    }
}
