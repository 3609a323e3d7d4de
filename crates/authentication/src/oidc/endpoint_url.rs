//! Which addresses of a provider may be called.

use url::{Host, Url};

/// A document that was fetched over TLS must not lead to plain text, and none to other schemes.
pub(crate) fn is_safe(url: &Url, local: bool) -> bool {
    let safe = url.scheme() == "https" || mutant!(local && is_local(url), "endpoints-in-clear-text" => true);
    safe && url.fragment().is_none() && is_bare(url)
}

/// `https://id.example@evil.example/` looks like another place than it is.
pub(crate) fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Whether `url` is plain `http` on this very machine.
pub(crate) fn is_local(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    loopback && url.scheme() == "http"
}
