//! The admin listener as the configuration means it.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::secret::Secret;

/// Bytes of the socket's path at most. The kernel takes 107; the socket is made in a folder of its own beside
/// its path, whose name is longer.
pub const LONGEST_SOCKET_PATH: usize = 95;

/// Where operators ask, and under which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSettings {
    /// Address and port; `None`: the socket alone.
    pub address: Option<SocketAddr>,
    /// Names beside IP addresses and `localhost`, lower-case, without port.
    pub hosts: Vec<String>,
    /// The unix socket; `None`: the address alone.
    pub socket: Option<PathBuf>,
    /// What a caller of the management API shows at the address; `None`: the API is not there.
    pub token: Option<Secret>,
}
