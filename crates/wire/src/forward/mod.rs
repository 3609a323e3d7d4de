//! Permitted requests on their way to an upstream: what is stripped, what is added, which server gets
//! them, and both bodies streamed.

mod assertion;
mod balance;
mod body;
mod checkout;
mod connect;
mod cookies;
mod early;
mod error;
mod exchange;
mod failure;
mod forwarded;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod headers;
mod health;
mod http1;
mod http2;
mod identity;
mod limit;
mod location;
mod pace;
mod plan;
mod pool;
mod pooled;
mod replay;
mod request_copy;
mod request_writer;
mod reserved;
mod response;
mod retry;
mod rewrite;
mod send;
mod sending;
mod settings;
mod shared;
mod timer;
mod tls;
mod upgrade;
mod upstream;
mod web_socket;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use assertion::{
    ASSERTION, ASSERTION_LIFETIME, Asserter, AssertionKey, AssertionKeyError, JWKS_MAX_AGE, ScheduledKey,
};
pub use cookies::OwnCookies;
use error::BoxError;
pub use error::{BodyError, ForwardBlame, ForwardError, ForwardFault, UpstreamError};
pub use identity::identity_headers;
pub use plan::{ForwardContext, Plan, SessionTokens};
pub use reserved::ReservedHeaders;
pub use response::UpstreamBody;
pub use send::forward;
pub use settings::*;
pub use upgrade::{TunnelEnd, UpgradeTunnel};
pub use upstream::{ServerState, Upstream};
pub use web_socket::CloseFrame;
