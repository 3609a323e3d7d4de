//! The admin listener as the configuration means it.

use std::net::SocketAddr;

/// Where operators ask, and under which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSettings {
    /// Address and port.
    pub address: SocketAddr,
    /// Names beside IP addresses and `localhost`, lower-case, without port.
    pub hosts: Vec<String>,
}
