//! What comes of a request to an endpoint.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http::Response;

use super::error::EndpointError;
use crate::identity::Principal;

/// A response or a refusal, and whose request it was.
#[derive(Debug)]
pub struct Answer {
    /// Who is signed in in the browser, as far as the endpoint has looked: for the record of the request.
    pub principal: Option<Arc<Principal>>,
    /// What the browser gets.
    pub response: Result<Response<Content>, EndpointError>,
}

/// The content of a response.
#[derive(Debug)]
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// It goes on for as long as its reader may see it: the gate ends it with its credential, as an app's (invariant 22).
    Stream(ContentStream),
}

/// Content that goes on.
pub struct ContentStream(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

impl ContentStream {
    /// What `stream` gives, piece by piece.
    pub fn new(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// The next piece, as [`Stream::poll_next`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ContentStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentStream")
    }
}

impl From<Bytes> for Content {
    fn from(whole: Bytes) -> Self {
        Self::Whole(whole)
    }
}

impl Answer {
    /// The answer where the endpoint has looked who is signed in.
    pub(super) fn to(
        principal: Option<Arc<Principal>>,
        response: Result<Response<Bytes>, EndpointError>,
    ) -> Self {
        Self { principal, ..Self::from(response) }
    }
}

impl From<Response<Bytes>> for Answer {
    /// One that is the same whoever asks.
    fn from(response: Response<Bytes>) -> Self {
        response.map(Content::from).into()
    }
}

impl From<Response<Content>> for Answer {
    fn from(response: Response<Content>) -> Self {
        Self { principal: None, response: Ok(response) }
    }
}

impl From<EndpointError> for Answer {
    fn from(error: EndpointError) -> Self {
        Self { principal: None, response: Err(error) }
    }
}

impl From<Result<Response<Bytes>, EndpointError>> for Answer {
    fn from(response: Result<Response<Bytes>, EndpointError>) -> Self {
        response.map_or_else(Self::from, Self::from)
    }
}

impl From<Result<Response<Content>, EndpointError>> for Answer {
    fn from(response: Result<Response<Content>, EndpointError>) -> Self {
        Self { principal: None, response }
    }
}
