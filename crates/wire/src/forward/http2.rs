//! What is known of a request over HTTP/2 that was not answered (RFC 9113, sections 6.8 and 8.7).

use std::error::Error;
use std::io;

use http::Request;
use hyper::client::conn::TrySendError;

use super::backup::Backup;
use super::body::OutboundBody;
use super::error::from_hyper;
use super::failure::Failure;
use super::{ForwardError, ForwardFault};

/// What an attempt that came to nothing means for the request.
pub(super) fn failure(
    mut error: TrySendError<Request<OutboundBody>>,
    request: &mut Request<OutboundBody>,
    backup: Backup,
) -> Failure {
    if let Some(unsent) = error.take_message() {
        *request = unsent;
        return Failure::Unsent(from_hyper(error.into_error()));
    }
    let error = error.into_error();
    match verdict(&error) {
        Verdict::Unprocessed => {
            Failure::Unprocessed(ForwardError::new(ForwardFault::Refused, error), Box::new(backup))
        }
        Verdict::Lost if !backup.has_body() => Failure::Unanswered(from_hyper(error), Some(Box::new(backup))),
        Verdict::Lost | Verdict::Failed => Failure::Failed(from_hyper(error)),
    }
}

enum Verdict {
    /// The server says that it has done nothing.
    Unprocessed,
    /// The connection has ended without a word of this request.
    Lost,
    Failed,
}

fn verdict(error: &hyper::Error) -> Verdict {
    let source = error.source();
    let said = source.and_then(|source| source.downcast_ref::<h2::Error>()).filter(|said| said.is_remote());
    match said {
        // Streams up to the one that GOAWAY names are not told of it, but of how they end themselves.
        Some(said) if said.is_go_away() => Verdict::Unprocessed,
        Some(said) if said.reason() == Some(h2::Reason::REFUSED_STREAM) => Verdict::Unprocessed,
        Some(_) => Verdict::Failed,
        None if error.is_closed()
            || error.is_canceled()
            || source.is_some_and(|source| source.is::<io::Error>()) =>
        {
            Verdict::Lost
        }
        None => Verdict::Failed,
    }
}
