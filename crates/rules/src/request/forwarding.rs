//! What trusted proxies say of a request (invariant 10).

mod hop;
mod rfc7239;
#[cfg(test)]
mod tests;
mod x_forwarded;

use http::HeaderMap;

use super::{Authority, ClientAddress, Scheme, Transport, TrustedProxies};
use hop::ClientHop;

/// The most hops that are read; a request that names more is refused.
const MAX_HOPS: usize = 32;

/// What the hop before the client's last trusted proxy looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// Whose request it is.
    pub client: ClientAddress,
    /// How the client reached the first trusted proxy, or us.
    pub scheme: Scheme,
    /// The host a trusted proxy says was asked for, where it says so.
    pub host: Option<Authority>,
}

/// Why what a trusted proxy said is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardingError {
    /// A field cannot be read.
    #[error("a trusted proxy sent a {field} field that cannot be read: expected {expected}")]
    Unreadable {
        /// The name of the field, as in its RFC.
        field: &'static str,
        /// What it should look like.
        expected: &'static str,
    },
    /// More hops than are read.
    #[error("a trusted proxy sent a {field} field with more than {MAX_HOPS} hops")]
    TooManyHops {
        /// The name of the field, as in its RFC.
        field: &'static str,
    },
    /// `Forwarded` and `X-Forwarded-*` disagree: one of them came from the client.
    #[error(
        "a trusted proxy sent Forwarded and X-Forwarded-* fields that name different {what}; \
             let it remove the one that it does not set"
    )]
    Contradiction {
        /// What they disagree about.
        what: &'static str,
    },
}

impl Forwarding {
    /// Reads what `transport` and, from trusted peers only, the headers say.
    ///
    /// Hops are walked from the nearest to the farthest for as long as they are trusted proxies; the first
    /// that is not is the client, and only what the proxy in front of it said of scheme and host counts. What
    /// stands farther away anybody may have written, and is not read. `X-Forwarded-Proto` and `-Host` with one
    /// value hold for the whole way, with several for the hops from the nearest.
    ///
    /// # Errors
    /// Where a trusted proxy sent something unreadable, too many hops, or both `Forwarded` and
    /// `X-Forwarded-*` with different clients, schemes or hosts.
    pub fn read(
        transport: &Transport,
        headers: &HeaderMap,
        trusted: &TrustedProxies,
    ) -> Result<Self, ForwardingError> {
        let peer = ClientAddress::new(transport.peer.ip());
        let mut told = ClientHop::default();
        if mutant!(trusted.contains(peer.ip()), "anybody-is-a-trusted-proxy" => true) {
            let standard = rfc7239::read(headers, trusted)?;
            told = standard.reconciled(x_forwarded::read(headers, trusted)?)?;
        }
        Ok(Self {
            client: told.client.unwrap_or(peer),
            scheme: told.scheme.unwrap_or(transport.scheme),
            host: told.host,
        })
    }
}
