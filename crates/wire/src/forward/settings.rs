//! Upstreams and what happens to a request on its way to one.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::identity::ClaimPath;

/// Where a route's requests go. Routes with equal settings share pools and health.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamSettings {
    /// At least one.
    pub servers: Vec<Server>,
    /// How a server is picked.
    pub balance: Balance,
    /// Active health checks, where wanted.
    pub health: Option<HealthCheck>,
    /// Passive ejection: after how many failures in a row a server is set aside, and for how long.
    pub ejection: Ejection,
    /// TLS towards `https` servers.
    pub tls: UpstreamTls,
    /// How long its servers may take for what.
    pub timeout: Timeouts,
    /// Fields that the head of a response may have.
    pub max_fields: usize,
    /// Idle connections kept for each server and worker.
    pub keep_idle: usize,
}

/// One server of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// How bytes get there.
    pub address: ServerAddress,
    /// Which protocol is spoken.
    pub protocol: Protocol,
}

/// How bytes get to a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerAddress {
    /// `http://host:port` or `https://host:port`.
    Tcp {
        /// A name or an address.
        host: String,
        /// The TCP port.
        port: u16,
        /// Whether TLS is spoken.
        tls: bool,
    },
    /// `unix:/run/app.sock`.
    Unix(PathBuf),
}

/// Which version of HTTP is spoken to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1 in clear; over TLS whichever of `h2` and `http/1.1` ALPN agrees on.
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only: over TLS by ALPN, in clear with prior knowledge (`h2c://`, as gRPC servers speak it).
    Http2,
}

/// How a server is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests under way.
    LeastRequests,
}

/// Active health checks: a `GET` that must answer 2xx or 3xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Path and query of the request.
    pub path: String,
    /// The time between two checks of a server.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Successes in a row that bring a server back.
    pub healthy_after: u32,
    /// Failures in a row that put it aside.
    pub unhealthy_after: u32,
}

/// Passive ejection: a server that fails requests is passed over for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Failures in a row; 0 turns it off.
    pub after: u32,
    /// How long a server is left alone.
    pub pause: Duration,
}

/// TLS towards an upstream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamTls {
    /// PEM: the only authorities trusted; the system's where not given.
    pub ca: Option<Vec<u8>>,
    /// PEM certificate chain and key that we show.
    pub client: Option<ClientCertificate>,
    /// The name to ask for and to verify, where it is not the server's host.
    pub server_name: Option<String>,
}

/// What we show to an upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCertificate {
    /// The certificates, ours first, as PEM.
    pub chain: Vec<u8>,
    /// The private key of the first of them, unencrypted, as PEM.
    pub key: crate::secret::Secret,
}

/// Time limits towards an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// From the last byte of the request's head until the response's head.
    pub response: Duration,
    /// Silence on a body, in either direction.
    pub idle: Duration,
}

/// What a route does to requests and responses on their way.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardSettings {
    /// Rewriting of the path.
    pub rewrite: PathRewrite,
    /// The route's path, decoded; nothing for `/`.
    pub prefix: String,
    /// Whether addresses of the app's are told to clients, and clients' to the app, as each knows them.
    pub rewrite_location: bool,
    /// Which `Host` the upstream sees.
    pub host: UpstreamHost,
    /// How the app is told who asks.
    pub identity: IdentitySettings,
    /// Header rules on the request, after reserved names have been removed and before identity is added.
    pub request_headers: Vec<HeaderRule>,
    /// Header rules on the response.
    pub response_headers: Vec<HeaderRule>,
    /// Largest request body in bytes; `None`: no limit.
    pub max_body: Option<u64>,
    /// Bytes a second that a request's body must bring; `None`: no limit.
    pub min_body_rate: Option<u64>,
}

/// Rewriting of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathRewrite {
    /// As it came.
    Keep,
    /// The route's prefix (in decoded segments) is taken off and this put in its place; `/` strips it.
    Replace {
        /// How many leading segments are taken off.
        segments: usize,
        /// What stands there instead; begins with `/`.
        with: String,
    },
}

impl PathRewrite {
    /// How many leading segments the upstream does not see, where nothing stands in their place.
    #[must_use]
    pub fn stripped(&self) -> usize {
        match self {
            Self::Replace { segments, with } if with == "/" => *segments,
            Self::Replace { .. } | Self::Keep => 0,
        }
    }
}

/// Which `Host` the upstream sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamHost {
    /// The one the client asked for.
    Keep,
    /// The server's own.
    Upstream,
    /// A fixed one.
    Fixed(HeaderValue),
}

/// Which identity headers are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IdentitySettings {
    /// Name → what is put there.
    pub headers: Vec<(HeaderName, IdentityValue)>,
    /// Whether `Portcullis-Assertion`, a signed JWT, is added.
    pub assertion: bool,
    /// A token of the session or request handed on as `Authorization: Bearer`.
    pub token: TokenPass,
}

/// What an identity header holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityValue {
    /// `Principal::user`.
    User,
    /// The e-mail address, verified or not known to be false.
    Email,
    /// `sub`.
    Subject,
    /// Groups, comma-separated.
    Groups,
    /// The provider's configured name.
    Provider,
    /// A claim; several values comma-separated.
    Claim(ClaimPath),
}

/// Which token the app gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenPass {
    /// None: `Authorization` that authenticated the request is removed.
    #[default]
    None,
    /// The access token.
    Access,
    /// The ID token.
    Id,
}

/// A rule on a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderRule {
    /// Replaces whatever is there.
    Set(HeaderName, HeaderValue),
    /// Adds where none is there.
    Default(HeaderName, HeaderValue),
    /// Removes every field of the name.
    Remove(HeaderName),
}
