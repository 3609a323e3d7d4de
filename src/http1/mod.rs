//! HTTP/1.1 on the wire (RFC 9112), as far as both sides of the gateway have it in common: fields, the
//! framing of bodies, bytes on their way out, streams that become another protocol's.

mod error;
mod fields;
mod framing;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;
mod transfer;
mod upgrade;

pub use error::WireError;
pub use fields::{
    MAX_FIELDS, MAX_HEAD, Persistence, digits, has, parts, read_fields, tokens, write_field, write_fields,
};
pub use framing::{Chunk, Framing, LARGE, SMALL, is_bodiless};
pub use incoming::poll_receive;
pub use outgoing::Outgoing;
pub use transfer::{Transfer, TransferError};
pub use upgrade::{Io, Upgrade};
