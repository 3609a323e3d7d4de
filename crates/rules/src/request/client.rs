//! Who is asking, as far as addresses go (invariant 10).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// The client's address: the peer's, or the nearest untrusted one that trusted proxies name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// What a client is called whom a trusted proxy hides (`for=unknown`, RFC 7239, section 6.2): 0.0.0.0, an
    /// address that nobody has. The proxy's own would let strangers pass for the inner network.
    pub const HIDDEN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// Wraps an address that has been established.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address; IPv4-mapped IPv6 is given as IPv4.
    #[must_use]
    pub const fn ip(self) -> IpAddr {
        self.0
    }

    /// Whether any of `networks` holds it.
    #[must_use]
    pub fn is_in(self, networks: &[IpNet]) -> bool {
        networks.iter().any(|network| network.contains(&self.0) || holds_mapped(network, self.0))
    }
}

/// Whether a network written with IPv4-mapped addresses (`::ffff:10.0.0.0/104`) holds an IPv4 address.
fn holds_mapped(network: &IpNet, address: IpAddr) -> bool {
    let (IpNet::V6(network), IpAddr::V4(address)) = (network, address) else { return false };
    network.prefix_len() >= 96 && network.contains(&address.to_ipv6_mapped())
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
        ClientAddress::new(address).is_in(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(networks: &[&str], address: &str) -> bool {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        TrustedProxies::new(networks).contains(address.parse().unwrap())
    }

    #[test]
    fn nobody_is_trusted_by_default() {
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn mapped_addresses_are_the_ipv4_addresses_they_map() {
        let mapped: IpAddr = "::ffff:10.1.2.3".parse().unwrap();
        assert_eq!(ClientAddress::new(mapped).ip(), "10.1.2.3".parse::<IpAddr>().unwrap());
        assert!(trusts(&["10.0.0.0/8"], "::ffff:10.1.2.3"));
        assert!(trusts(&["::ffff:10.0.0.0/104"], "10.1.2.3"));
        assert!(trusts(&["::ffff:10.0.0.0/104"], "::ffff:10.1.2.3"));
        assert!(!trusts(&["::ffff:10.0.0.0/104"], "11.1.2.3"));
        assert!(!trusts(&["::/0"], "10.1.2.3"));
        assert!(trusts(&["2001:db8::/32"], "2001:db8::1"));
    }
}
