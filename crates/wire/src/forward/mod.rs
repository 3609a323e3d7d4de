//! Permitted requests on their way to an upstream: what is stripped, what is added, which server gets
//! them, and both bodies streamed.

mod again;
mod assertion;
mod balance;
mod body;
mod connect;
mod cookies;
mod early;
mod error;
mod exchange;
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
mod replay;
mod reserved;
mod response;
mod rewrite;
mod send;
mod settings;
mod shared;
mod timer;
mod tls;
mod upgrade;
mod upstream;
mod web_socket;
mod wire;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use assertion::{ASSERTION, Asserter, AssertionKey, AssertionKeyError};
pub use cookies::OwnCookies;
use error::Cause;
pub use error::{Blame, Fault, ForwardError, UpstreamError};
pub use identity::identity_headers;
pub use plan::{ForwardContext, Plan, SessionTokens};
pub use reserved::ReservedHeaders;
pub use response::{BodyError, UpstreamBody};
pub use send::forward;
pub use settings::*;
pub use upgrade::{TunnelEnd, UpgradeTunnel};
pub use upstream::{ServerState, Upstream};
pub use web_socket::CloseFrame;
