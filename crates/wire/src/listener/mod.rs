//! Connections: accepting them, the PROXY protocol, TLS, and HTTP/1.1 and HTTP/2 up to the request.

mod activity;
mod bind;
mod connection;
mod connection_slots;
mod eviction;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http1;
mod http2;
mod phase;
mod proxy;
mod request_body;
mod serve;
mod serving;
mod settings;
mod stats;
mod stream;
mod tls;
mod watch;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::request::Transport;

pub use bind::{BindError, bind, ensure_free};
pub use http1::Ambiguity;
pub use phase::Phase;
pub use request_body::RequestBody;
pub use serve::serve;
pub use serving::Serving;
pub use settings::*;
pub use stats::{ConnectionRefusal, ConnectionStats};
pub use tls::{CertificateStore, TlsError};

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
}
