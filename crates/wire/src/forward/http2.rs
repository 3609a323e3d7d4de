//! What is known of a request over HTTP/2 that was not answered (RFC 9113, sections 6.8 and 8.7).

use std::error::Error;
use std::io;

use http::Request;
use hyper::client::conn::TrySendError;

use super::body::OutboundBody;
use super::error::from_hyper;
use super::failure::Failure;
use super::request_copy::RequestCopy;
use super::{ForwardError, ForwardFault};

/// What an attempt that came to nothing means for the request.
pub(super) fn failure(
    mut error: TrySendError<Request<OutboundBody>>,
    request: &mut Request<OutboundBody>,
    copy: RequestCopy,
) -> Failure {
    if let Some(unsent) = error.take_message() {
        *request = unsent;
        return Failure::Unsent(from_hyper(error.into_error()));
    }
    let error = error.into_error();
    match stream_end(&error) {
        StreamEnd::Unprocessed => {
            Failure::Unprocessed(ForwardError::new(ForwardFault::Refused, error), Box::new(copy))
        }
        StreamEnd::Lost if !copy.has_body() => Failure::Unanswered(from_hyper(error), Some(Box::new(copy))),
        StreamEnd::Lost | StreamEnd::Failed => Failure::Failed(from_hyper(error)),
    }
}

/// How a stream ended on which no answer came.
enum StreamEnd {
    /// The server says that it has done nothing.
    Unprocessed,
    /// The connection has ended, and nothing was said of this request.
    Lost,
    Failed,
}

fn stream_end(error: &hyper::Error) -> StreamEnd {
    let source = error.source();
    let said = source.and_then(|source| source.downcast_ref::<h2::Error>()).filter(|said| said.is_remote());
    match said {
        // Streams up to the one that GOAWAY names are not told of it, but of how they end themselves.
        Some(said) if said.is_go_away() => StreamEnd::Unprocessed,
        Some(said) if said.reason() == Some(h2::Reason::REFUSED_STREAM) => StreamEnd::Unprocessed,
        Some(_) => StreamEnd::Failed,
        None if error.is_closed()
            || error.is_canceled()
            || source.is_some_and(|source| source.is::<io::Error>()) =>
        {
            StreamEnd::Lost
        }
        None => StreamEnd::Failed,
    }
}
