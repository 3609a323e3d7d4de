//! The origin where people sign in.

use url::{Position, Url};

use crate::request::{Authority, Scheme};

/// `[server] public_url`, with what is asked of it at every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// As it is configured.
    pub url: Url,
    /// Its host, and its port where one is written.
    pub authority: Authority,
    /// `https`, but for trying things out.
    pub scheme: Scheme,
}

impl PublicUrl {
    /// Nothing where `url` has no host.
    #[must_use]
    pub fn new(url: Url) -> Option<Self> {
        let (authority, scheme) = origin(&url)?;
        Some(Self { url, authority, scheme })
    }

    /// Whether a request for `authority` is for this very host and port.
    #[must_use]
    pub fn is_at(&self, authority: &Authority, scheme: Scheme) -> bool {
        self.authority.host() == authority.host() && self.port() == authority.port_or_default(scheme)
    }

    /// The port of the origin, written or not.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port_or_default(self.scheme)
    }

    /// The address of one of our own endpoints there.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

/// Authority and scheme of an address of `http` or `https`.
pub(super) fn origin(url: &Url) -> Option<(Authority, Scheme)> {
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let authority = Authority::parse(&url[Position::BeforeHost..Position::AfterPort]);
    authority.ok().map(|authority| (authority, scheme))
}
