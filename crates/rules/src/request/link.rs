//! Addresses that fields of a request or an answer hold.

use super::{Authority, Scheme};

/// An address with a path that does not depend on where it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The server that it names, where it names one.
    pub origin: Option<LinkOrigin<'a>>,
    /// Its path as it is written; empty where nothing follows the server.
    pub path: &'a str,
    /// Query and fragment.
    pub rest: &'a str,
}

/// The server that an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkOrigin<'a> {
    scheme: Scheme,
    authority: &'a str,
}

impl<'a> Link<'a> {
    /// Reads an address. `None` for a relative path (RFC 3986, section 4.2): it is resolved against wherever it
    /// stands, and right there. An address without a scheme has that of `base`.
    #[must_use]
    pub fn read(text: &'a str, base: Scheme) -> Option<Self> {
        let (origin, path) = match scheme(text, base) {
            Some((scheme, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (Some(LinkOrigin { scheme, authority }), path)
            }
            None if text.starts_with('/') => (None, text),
            None => return None,
        };
        let (path, rest) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
        Some(Self { origin, path, rest })
    }
}

impl LinkOrigin<'_> {
    /// Whether it is the server `other`, which the client reached by `spoken`. An app that does not know of the TLS
    /// in front of it writes `http` and no port: two addresses without a port are one server, whatever their
    /// schemes.
    #[must_use]
    pub fn is(self, other: &Authority, spoken: Scheme) -> bool {
        Authority::parse(self.authority).is_ok_and(|named| {
            let ports = named.port() == other.port()
                || named.port_or_default(self.scheme) == other.port_or_default(spoken);
            ports && named.host() == other.host()
        })
    }
}

/// The scheme, and what follows `//`.
fn scheme(text: &str, base: Scheme) -> Option<(Scheme, &str)> {
    if let Some(rest) = text.strip_prefix("//") {
        return Some((base, rest));
    }
    let (scheme, rest) = text.split_once("://")?;
    let known = [Scheme::Http, Scheme::Https].into_iter();
    Some((known.into_iter().find(|known| scheme.eq_ignore_ascii_case(known.as_str()))?, rest))
}
