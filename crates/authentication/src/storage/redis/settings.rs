//! Which Redis, and how it is reached.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::secret::Secret;

/// `[state] redis`, lowered.
#[derive(Clone, Debug, PartialEq)]
pub struct RedisSettings {
    /// Where it is.
    pub servers: RedisServers,
    /// Clear text or TLS; for Sentinels as well.
    pub transport: Transport,
    /// The user of its access list; `None`: the default one.
    pub username: Option<String>,
    /// That user's password.
    pub password: Option<Secret>,
    /// The database number; zero in a Cluster.
    pub database: i64,
    /// What every key begins with, in braces.
    pub namespace: String,
    /// How long established sessions go on from memory while the store cannot be heard.
    pub stale: Duration,
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisServers {
    /// One server.
    Single(RedisAddress),
    /// Sentinels, of which each knows the master of this name.
    Sentinels {
        /// The Sentinels; at least one.
        addresses: Vec<RedisAddress>,
        /// What they call the master.
        master: String,
        /// The user of the Sentinels' own access list.
        username: Option<String>,
        /// That user's password.
        password: Option<Secret>,
    },
    /// Some nodes of a Cluster; the others are learnt.
    Cluster(Vec<RedisAddress>),
}

/// A server's name or address, and its port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedisAddress {
    /// A name, or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// How bytes travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// For loopback and networks that nobody else reads.
    Clear,
    /// TLS, with these authorities (PEM), or those of the system.
    Tls(Option<Vec<u8>>),
}

impl RedisSettings {
    /// What it is called in the log and in errors.
    #[must_use]
    pub fn name(&self) -> String {
        let listed = |addresses: &[RedisAddress]| {
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        match &self.servers {
            RedisServers::Single(address) => format!("Redis at {address}"),
            RedisServers::Sentinels { addresses, master, .. } => {
                format!("Redis master {master} of the Sentinels at {}", listed(addresses))
            }
            RedisServers::Cluster(addresses) => format!("Redis Cluster at {}", listed(addresses)),
        }
    }

    /// The key called `name` in the namespace.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.namespace)
    }

    /// The key of a count that a Cluster keeps on the node of `tag`, wherever that is: not on the one that has all else.
    #[must_use]
    pub fn rate_key(&self, tag: &str) -> String {
        format!("{{{}:rate:{tag}}}", self.namespace)
    }
}

impl RedisServers {
    /// Every address that is configured.
    #[must_use]
    pub fn addresses(&self) -> &[RedisAddress] {
        match self {
            Self::Single(address) => std::slice::from_ref(address),
            Self::Sentinels { addresses, .. } | Self::Cluster(addresses) => addresses,
        }
    }
}

impl RedisAddress {
    /// Whether it is this very machine, as far as its spelling says.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or_else(
            |_| self.host == "localhost" || self.host.ends_with(".localhost"),
            |it| it.is_loopback(),
        )
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
