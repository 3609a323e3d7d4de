//! What is wrong with bytes that came in.

/// Why bytes make no message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The parser does not take them.
    #[error("head or trailers are not HTTP/1.1")]
    Syntax(#[source] httparse::Error),
    /// Two programs could read them differently (invariant 12).
    #[error("{0}")]
    Malformed(&'static str),
    /// More than [`super::MAX_HEAD`] bytes or [`super::MAX_FIELDS`] fields.
    #[error("head or trailers are beyond the bounds")]
    TooLarge,
    /// Nothing comes any more, and the message is not whole.
    #[error("the connection ended in the middle of a message")]
    Closed,
}

impl From<httparse::Error> for WireError {
    fn from(error: httparse::Error) -> Self {
        if error == httparse::Error::TooManyHeaders { Self::TooLarge } else { Self::Syntax(error) }
    }
}
