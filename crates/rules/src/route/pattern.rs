//! What a route matches.

use std::fmt;

use http::Method;
use url::Host;

use crate::request::{Authority, Scheme};

#[cfg(test)]
mod tests;

/// `wiki.corp.example`, `wiki.corp.example:8443`, `*.apps.corp.example` (one label), or any host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// Any host: what no other pattern claims.
    Any,
    /// This host; with a port, only on that port.
    Exact(String, Option<u16>),
    /// Exactly one label before this suffix (`apps.corp.example`), as TLS certificates have it.
    Wildcard(String, Option<u16>),
}

/// Why a text is no host pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host such as \"wiki.corp.example\", \"*.corp.example\" or \"wiki.corp.example:8443\"")]
pub struct HostPatternError;

impl std::str::FromStr for HostPattern {
    type Err = HostPatternError;

    /// Reads a host with or without port; names of other scripts become A-labels (UTS 46), `*` is any host.
    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_prefix("*.") {
            Some(suffix) => name(suffix).map(|(suffix, port)| Self::Wildcard(suffix, port)),
            None => host(text).map(|host| Self::Exact(host.host().to_owned(), host.port())),
        }
    }
}

impl HostPattern {
    /// Whether this pattern holds a host, whatever other patterns there are. A port that is not written is the
    /// scheme's.
    #[must_use]
    pub fn covers(&self, authority: &Authority, scheme: Scheme) -> bool {
        let on = |wanted: &Option<u16>| wanted.is_none_or(|port| port == authority.port_or_default(scheme));
        match self {
            Self::Any => true,
            Self::Exact(host, port) => host.eq_ignore_ascii_case(authority.host()) && on(port),
            Self::Wildcard(suffix, port) => {
                let below = authority.host().split_once('.').map(|(_, suffix)| suffix);
                below.is_some_and(|below| below.eq_ignore_ascii_case(suffix)) && on(port)
            }
        }
    }
}

/// A suffix is a name: there is no label before an address.
fn name(text: &str) -> Result<(String, Option<u16>), HostPatternError> {
    let host = host(text)?;
    (!host.is_address()).then(|| (host.host().to_owned(), host.port())).ok_or(HostPatternError)
}

fn host(text: &str) -> Result<Authority, HostPatternError> {
    if text.is_ascii() {
        return Authority::parse(text).map_err(|_| HostPatternError);
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, format!(":{port}")),
        None => (text, String::new()),
    };
    // The crate decodes percent-escapes in names; a configuration has none to decode.
    match Host::parse(name) {
        Ok(Host::Domain(name)) if !text.contains('%') => {
            Authority::parse(&format!("{name}{port}")).map_err(|_| HostPatternError)
        }
        _ => Err(HostPatternError),
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = match self {
            Self::Any => return f.write_str("*"),
            Self::Exact(host, port) => f.write_str(host).map(|()| port)?,
            Self::Wildcard(suffix, port) => write!(f, "*.{suffix}").map(|()| port)?,
        };
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A decoded absolute path without trailing slash (`/` itself is the empty prefix): `/admin` holds
/// `/admin` and `/admin/x`, not `/administrator`.
///
/// It is written as [`RequestPath::decoded`](crate::request::RequestPath::decoded) gives paths: `/a b`, and
/// `%2F`, `%5C`, `%25` for what stays encoded there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPrefix(String);

/// Why a text is no path prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a decoded path such as \"/admin\", without dot segments, query or fragment")]
pub struct PathPrefixError;

impl std::str::FromStr for PathPrefix {
    type Err = PathPrefixError;

    fn from_str(text: &str) -> Result<Self, PathPrefixError> {
        let absolute = text.starts_with('/') && !text.contains("//");
        let letters = !text.contains([';', '?', '#', '\\']) && !text.contains(char::is_control);
        let dots = text.split('/').any(|segment| matches!(segment, "." | ".."));
        let escapes =
            text.split('%').skip(1).all(|rest| ["2F", "5C", "25"].iter().any(|kept| rest.starts_with(kept)));
        let path = text.strip_suffix('/').unwrap_or(text);
        (absolute && letters && !dots && escapes).then(|| Self(path.to_owned())).ok_or(PathPrefixError)
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl PathPrefix {
    /// Whether `path` (decoded, absolute) is this path or below it.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        path.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether `path` (decoded, absolute) is this path itself, with or without a slash at its end.
    #[must_use]
    pub fn is_exactly(&self, path: &str) -> bool {
        path.strip_suffix('/').unwrap_or(path) == self.0
    }

    /// How many segments it has; 0 for `/`.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.0.matches('/').count()
    }

    /// Its segments, outermost first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

/// Which requests one route claims, by host, path and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePattern {
    /// The hosts that it is for, with their port where one is given.
    pub host: HostPattern,
    /// What their paths begin with.
    pub path: PathPrefix,
    /// Which methods; all where empty.
    pub methods: Vec<Method>,
}
