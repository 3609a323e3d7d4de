//! HTTP/1.1 towards upstreams (RFC 9112): one connection, one request at a time, no task of its own.
//!
//! Whoever waits for the response drives the connection, so that neither request nor response changes
//! hands between tasks. What is not an exchange from its first byte to its last leaves a connection that
//! is never used again (invariant 12).

mod connection;
mod error;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod head;
mod stream;
#[cfg(test)]
mod tests;
mod upload;

pub(super) use connection::Http1Connection;
pub(super) use error::{Http1Error, TooManyFields};
pub(super) use stream::UpstreamStream;
