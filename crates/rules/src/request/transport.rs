//! The connection a request came in on.

use std::fmt;
use std::net::SocketAddr;

use super::{ConnectionCache, InterimAnswers};

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP in clear text.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which worker thread serves a connection; workers share no pool and no lock on the way of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WorkerId(pub usize);

/// What the listener knows of a connection before the first request.
#[derive(Clone, Debug)]
pub struct Transport {
    /// The peer: the socket's, or the one a PROXY protocol header named.
    pub peer: SocketAddr,
    /// Our end of the connection.
    pub local: SocketAddr,
    /// Whether TLS protects this hop.
    pub scheme: Scheme,
    /// Whether the listener sends every request on to `https`.
    pub to_https: bool,
    /// The worker that serves it.
    pub worker: WorkerId,
    /// What its requests have in common.
    pub cache: ConnectionCache,
    /// What its client is told before an answer; `None` where nothing can be told, as over HTTP/2.
    pub interim: Option<InterimAnswers>,
}
