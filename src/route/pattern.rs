//! What a route matches.

use std::fmt;

use http::Method;

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

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        (!text.is_empty()).then(|| Self::Exact(text.to_ascii_lowercase(), None)).ok_or(HostPatternError)
    }
}

/// A decoded absolute path without trailing slash (`/` itself is the empty prefix): `/admin` holds
/// `/admin` and `/admin/x`, not `/administrator`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPrefix(String);

/// Why a text is no path prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a decoded path such as \"/admin\", without dot segments, query or fragment")]
pub struct PathPrefixError;

impl std::str::FromStr for PathPrefix {
    type Err = PathPrefixError;

    fn from_str(text: &str) -> Result<Self, PathPrefixError> {
        text.starts_with('/').then(|| Self(text.trim_end_matches('/').to_owned())).ok_or(PathPrefixError)
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

    /// How many segments it has; 0 for `/`.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.0.matches('/').count()
    }
}

/// What one route claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePattern {
    /// Which hosts.
    pub host: HostPattern,
    /// Which paths.
    pub path: PathPrefix,
    /// Which methods; all where empty.
    pub methods: Vec<Method>,
}
