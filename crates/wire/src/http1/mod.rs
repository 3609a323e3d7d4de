//! HTTP/1.1 on the wire (RFC 9112), as far as both sides of the gateway have it in common: fields, the
//! framing of bodies, bytes on their way out, streams that become another protocol's.

mod body_decoder;
mod body_encoder;
mod delegate;
mod error;
mod fields;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;
mod upgrade;

pub use body_decoder::{BodyDecoder, Chunk, LARGE, SMALL, is_bodiless};
pub use body_encoder::{BodyEncoder, EncodeError};
pub(crate) use delegate::{delegate_read, delegate_write};
pub use error::WireError;
pub use fields::{
    MAX_FIELDS, MAX_HEAD, Persistence, digits, has, parts, read_fields, tokens, write_field, write_fields,
};
pub use incoming::{PollReadable, poll_receive};
pub use outgoing::Outgoing;
pub use upgrade::{Io, Upgrade};
