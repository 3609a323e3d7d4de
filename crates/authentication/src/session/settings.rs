//! How long sessions live, how many a person may hold, and what their cookie looks like.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// `[session]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// A session unused for so long ends; from one minute up.
    pub idle_timeout: Duration,
    /// A session ends so long after sign-in, whatever happens; at least `idle_timeout`.
    pub max_age: Duration,
    /// Sign-ins that one person may hold at once, from 1 to 1000: the oldest ends where there would be more. `None`: any
    /// number.
    pub max_per_person: Option<NonZeroU32>,
    /// The cookie's name without its `__Host-` prefix, which comes by itself on `https`.
    pub cookie_name: String,
    /// Sessions kept in memory in front of the store.
    pub cache_capacity: u64,
    /// Whether sessions are bound to keys of their browsers' devices.
    pub bind: Bind,
    /// A domain, lower-case, of which one binding covers all hosts.
    pub bind_site: Option<String>,
    /// How alike two addresses of one network are, where a session that turns up in another one has to be signed in anew.
    pub network: Option<NetworkPrefix>,
}

/// Whether sessions are bound to keys of their browsers' devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bind {
    /// Where the browser can; otherwise a session goes on without.
    #[default]
    Auto,
    /// Without, a session opens nothing.
    Required,
    /// No browser is told of it. Sessions that are bound stay so.
    Off,
}

/// The bits that all addresses of a network have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkPrefix {
    /// Of 32.
    pub ipv4: u8,
    /// Of 128.
    pub ipv6: u8,
}

impl NetworkPrefix {
    /// Whether both addresses are of one network. Of two versions of IP they never are.
    #[must_use]
    pub fn is_same(self, one: IpAddr, other: IpAddr) -> bool {
        match (one.to_canonical(), other.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= self.ipv4.into()
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= self.ipv6.into()
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(3600),
            max_age: Duration::from_secs(12 * 3600),
            max_per_person: None,
            cookie_name: "portcullis".into(),
            cache_capacity: 100_000,
            bind: Bind::default(),
            bind_site: None,
            network: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_what_its_prefix_says() {
        let (wide, narrow) = (NetworkPrefix { ipv4: 24, ipv6: 48 }, NetworkPrefix { ipv4: 32, ipv6: 128 });
        let same = |prefix: NetworkPrefix, one: &str, other: &str| {
            prefix.is_same(one.parse().unwrap(), other.parse().unwrap())
        };
        assert!(same(wide, "192.0.2.1", "192.0.2.255") && !same(wide, "192.0.2.1", "192.0.3.1"));
        assert!(
            same(wide, "2001:db8:0:1::1", "2001:db8:0:2::1") && !same(wide, "2001:db8::1", "2001:db8:1::1")
        );
        assert!(same(wide, "192.0.2.1", "::ffff:192.0.2.9"), "it is the same address in other clothes");
        assert!(!same(wide, "192.0.2.1", "2001:db8::1"));
        assert!(same(narrow, "192.0.2.1", "192.0.2.1") && !same(narrow, "192.0.2.1", "192.0.2.2"));
    }
}
