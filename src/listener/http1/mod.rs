//! HTTP/1.1 towards clients (RFC 9112): one connection, one request at a time, all on one task.
//!
//! Heads are read by one parser, once: what it would let pass and another server could read differently is
//! refused before (invariant 12). What follows a request that was not read to its end is never parsed.

mod answer;
mod connection;
mod date;
mod farewell;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod head;
mod refused;
mod slot;
mod wire;

pub(super) use connection::Http1;
pub(super) use head::LONGEST;
pub use refused::Ambiguity;
pub(super) use refused::Refused;
pub(super) use slot::Reader;
