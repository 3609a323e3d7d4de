//! Connections: accepting them, the PROXY protocol, TLS, and HTTP/1.1 and HTTP/2 up to the request.

mod activity;
mod bind;
mod connection;
mod connection_slots;
mod eviction;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handler;
mod http1;
mod http2;
mod phase;
mod proxy;
mod request_body;
mod serve;
mod serving;
mod settings;
mod socket;
mod stats;
mod stream;
mod tls;
mod watch;

#[cfg(test)]
mod tests;

pub use bind::{BindError, bind, ensure_free};
pub use handler::Handler;
pub use http1::Ambiguity;
pub use phase::Phase;
pub use request_body::RequestBody;
pub use serve::{serve, serve_unix};
pub use serving::Serving;
pub use settings::*;
pub use stats::{ConnectionRefusal, ConnectionStats};
pub use tls::{CertificateStore, TlsError};
