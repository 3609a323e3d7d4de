//! Listeners as the configuration means them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::request::TrustedProxies;

/// Where and how connections are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerSettings {
    /// Address and port.
    pub address: SocketAddr,
    /// Certificates; `None`: clear text.
    pub tls: Option<TlsSettings>,
    /// Whether every connection must begin with a PROXY protocol header, and of whom.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Whether HTTP/2 with prior knowledge is understood in clear.
    pub h2c: bool,
    /// Whether every request is sent on to `https` instead of being served.
    pub to_https: bool,
}

/// Certificates of a listener: the first is the default, the others are chosen by SNI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// At least one, or the listener does not start.
    pub certificates: Vec<CertificateFiles>,
    /// Whether TLS 1.2 is spoken beside 1.3.
    pub tls12: bool,
}

/// PEM files, read at start and again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// The chain, the server's certificate first.
    pub cert: PathBuf,
    /// The private key of its first certificate.
    pub key: PathBuf,
}

/// The PROXY protocol header that every connection must begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// Which form is read.
    pub version: ProxyVersion,
    /// The balancers that may send one, all others are refused; `None`: whoever connects is believed.
    pub from: Option<TrustedProxies>,
}

impl ProxyProtocol {
    pub(super) fn may_come_from(&self, peer: IpAddr) -> bool {
        self.from.as_ref().is_none_or(|from| from.contains(peer))
    }
}

/// Versions of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyVersion {
    /// Only the text form.
    V1,
    /// Only the binary form.
    V2,
    /// Whichever of the two a header begins like.
    Any,
}

/// Bounds on connections and request heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Open connections on one listener, over all its workers. Beyond that silent ones give way to newcomers, and
    /// where none is silent newcomers wait, one for each worker, the others in the kernel's queue.
    pub max_connections: usize,
    /// Bytes of a request's head; 431 beyond.
    pub max_head: usize,
    /// Fields of a request's head (431 beyond).
    pub max_fields: usize,
    /// How long PROXY header and TLS handshake may take together.
    pub handshake: Duration,
    /// How long a request's head may take from its first byte to its last, and a new connection to send its
    /// first byte.
    pub head: Duration,
    /// How long a kept-alive connection may be silent, and a peer may read nothing of what it is sent.
    pub idle: Duration,
    /// How long a peer must have read nothing of an answer for its connection to be closed for a newcomer, as
    /// that of a silent peer is.
    pub evict_stalled: Duration,
    /// HTTP/2 streams at once on a connection.
    pub max_streams: u32,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 20_000,
            max_head: 64 * 1024,
            max_fields: 100,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(15),
            idle: Duration::from_secs(75),
            evict_stalled: Duration::from_secs(15),
            max_streams: 128,
        }
    }
}
