//! An attempt that came to nothing, and what may be done about it.

use super::ForwardError;
use super::request_copy::RequestCopy;

/// Why there is no response.
pub(super) enum Failure {
    /// Not a byte has left; the request is as it was.
    Unsent(ForwardError),
    /// The server says that it has done nothing with the request.
    Unprocessed(ForwardError, Box<RequestCopy>),
    /// The connection ended instead of an answer. Nothing of a body has left; without a copy the request is
    /// as it was.
    Unanswered(ForwardError, Option<Box<RequestCopy>>),
    /// Nothing says that it was not acted upon, or sending it again would be no use.
    Failed(ForwardError),
}

impl From<Failure> for ForwardError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unsent(error)
            | Failure::Unprocessed(error, _)
            | Failure::Unanswered(error, _)
            | Failure::Failed(error) => error,
        }
    }
}
