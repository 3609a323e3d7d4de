//! What a listener serves.

use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;

use super::RequestBody;
use crate::request::Transport;

/// What answers requests. A clone goes to every connection.
pub trait Handler: Clone + Send + Sync + 'static {
    /// The body of an answer, streamed as it comes.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static;

    /// Answers one request that came over `transport`. A panic ends the connection alone.
    fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Is told of what came over `transport` and is no request that can be read; with the status of the answer, where there
    /// is one.
    fn unreadable(&self, transport: &Transport, reason: &dyn Display, status: Option<StatusCode>) {
        let _ = (transport, reason, status);
    }
}
