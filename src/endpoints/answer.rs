//! What comes of a request to an endpoint.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::error::EndpointError;
use crate::identity::Principal;

/// A response or a refusal, and whose request it was.
#[derive(Debug)]
pub struct Answer {
    /// Who is signed in in the browser, as far as the endpoint has looked: for the record of the request.
    pub principal: Option<Arc<Principal>>,
    /// What the browser gets.
    pub response: Result<Response<Bytes>, EndpointError>,
}

impl Answer {
    /// The answer where the endpoint has looked who is signed in.
    pub(super) const fn to(
        principal: Option<Arc<Principal>>,
        response: Result<Response<Bytes>, EndpointError>,
    ) -> Self {
        Self { principal, response }
    }
}

impl From<Response<Bytes>> for Answer {
    /// One that is the same whoever asks.
    fn from(response: Response<Bytes>) -> Self {
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
        Self { principal: None, response }
    }
}
