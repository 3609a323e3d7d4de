//! The host a request is for.

use std::fmt;

use super::Scheme;

/// Host and port, lower-cased and checked: an A-label name, an IPv4 address or a bracketed IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Authority {
    host: Box<str>,
    port: Option<u16>,
}

/// Why a `Host` is refused with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed host")]
pub struct AuthorityError;

impl Authority {
    /// Reads `host` or `host:port`.
    ///
    /// # Errors
    /// Where it is empty, has userinfo, or is no host.
    pub fn parse(text: &str) -> Result<Self, AuthorityError> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| AuthorityError)?))
            }
            _ => (text, None),
        };
        Ok(Self { host: host.to_ascii_lowercase().into(), port })
    }

    /// The host, lower-case, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port as written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port meant: as written, else the scheme's.
    #[must_use]
    pub fn port_or_default(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or(scheme.default_port())
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
