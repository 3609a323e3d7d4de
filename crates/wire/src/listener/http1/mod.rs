//! HTTP/1.1 towards clients (RFC 9112): one connection, one request at a time, all on one task.
//!
//! Heads are read by one parser, once: what it would let pass and another server could read differently is
//! refused before (invariant 12). What follows a request that was not read to its end is never parsed.

mod body_channel;
mod buffered_stream;
mod connection;
mod date;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod half_close;
mod head_error;
mod request_head;
mod response_head;

pub(super) use body_channel::BodyReceiver;
pub(super) use connection::Http1;
pub use head_error::Ambiguity;
pub(super) use head_error::HeadError;
pub(super) use request_head::LONGEST;
