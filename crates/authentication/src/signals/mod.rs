//! What providers tell of people, sessions and devices between sign-ins (OpenID Shared Signals Framework 1.0, CAEP 1.0,
//! RISC 1.0): a receiver with one stream at each configured transmitter.
//!
//! A [`Transmitter`] finds its metadata, keeps its stream as the configuration says, and has it verified. Security event
//! tokens (RFC 8417) come to it by push (RFC 8935) or are fetched (RFC 8936); either way they go through
//! [`Transmitter::receive`], which checks everything about one and then has the sessions do what it asks.

mod access_token;
mod act;
mod configuration;
mod error;
mod event;
mod event_type;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod management;
mod metadata;
mod poll;
mod receive;
mod security_event;
mod security_event_error;
mod settings;
mod status;
mod stream;
mod subject;
mod subject_match;
mod transmitter;
mod transmitter_task;
mod verification;

#[cfg(test)]
mod tests;

pub use error::StreamError;
pub use event_type::EventType;
pub use receive::{Receipt, ReceiveError};
pub use security_event::MAX_SECURITY_EVENT;
pub use security_event_error::SecurityEventError;
pub use settings::{Authorization, Delivery, SignalsSettings};
pub use status::StreamStatus;
pub use transmitter::{Push, Transmitter, TransmitterParts};
pub use transmitter_task::TransmitterTask;
