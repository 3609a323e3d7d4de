//! One request over HTTP/2, and what is known of it where there is no answer (RFC 9113, sections 6.8 and 8.7).

use std::error::Error;
use std::io;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, Uri, Version};
use hyper::client::conn::TrySendError;

use super::again::Failure;
use super::body::{BodyLimits, RequestBody};
use super::error::from_hyper;
use super::exchange::Exchange;
use super::replay::{Budget, Held};
use super::{Fault, ForwardError};

/// A request as it was before it was sent.
pub(super) struct Backup {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Option<Held>,
}

impl Backup {
    pub(super) fn of(request: &mut Request<RequestBody>, budget: &Arc<Budget>) -> Self {
        let body = request.body_mut().hold(budget);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        Self { method, uri, headers: request.headers().clone(), body }
    }

    /// Makes `request` what it was, and gives back what is known of its body; `None` where that is not held.
    pub(super) fn restore(
        self,
        request: &mut Request<RequestBody>,
        limits: BodyLimits,
    ) -> Option<Option<Arc<Exchange>>> {
        let (body, exchange) = match &self.body {
            None => (RequestBody::EMPTY, None),
            Some(held) => {
                let (body, exchange) = RequestBody::again(held.again()?, limits);
                (body, Some(exchange))
            }
        };
        *request = Request::new(body);
        // Whoever writes it anew must know that all is told among its fields.
        *request.version_mut() = Version::HTTP_2;
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        Some(exchange)
    }

    /// There is an answer: the request is not sent again.
    pub(super) fn release(&self) {
        self.body.iter().for_each(Held::release);
    }

    fn has_body(&self) -> bool {
        self.body.is_some()
    }
}

/// What an attempt that came to nothing means for the request.
pub(super) fn failure(
    mut error: TrySendError<Request<RequestBody>>,
    request: &mut Request<RequestBody>,
    backup: Backup,
) -> Failure {
    if let Some(unsent) = error.take_message() {
        *request = unsent;
        return Failure::Unsent(from_hyper(error.into_error()));
    }
    let error = error.into_error();
    match verdict(&error) {
        Verdict::Unprocessed => {
            Failure::Unprocessed(ForwardError::new(Fault::Refused, error), Box::new(backup))
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
