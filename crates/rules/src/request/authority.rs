//! The host a request is for.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Uri, Version, header};

use super::Scheme;

/// The longest name (RFC 1035, section 2.3.4, without the root's dot).
const MAX_NAME: usize = 253;
/// The longest label.
const MAX_LABEL: usize = 63;

/// Host and port, lower-cased and checked: an A-label name, an IPv4 address or a bracketed IPv6 address.
///
/// A name of one spelling only: a trailing dot is refused rather than removed, since to a browser it makes
/// another origin with other cookies. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Authority {
    /// Host and port as they are written.
    text: Arc<str>,
    /// Bytes of the host in `text`.
    host: usize,
    port: Option<u16>,
}

/// Why a `Host`, `:authority` or absolute-form target is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Neither target nor `Host` names a host (RFC 9112, section 3.2).
    #[error("the request names no host; send exactly one Host field")]
    Missing,
    /// More than one `Host` field.
    #[error("the request has several Host fields; send exactly one")]
    Several,
    /// The target names another host or port than `Host` (decision 1: refused, not repaired).
    #[error("the request target and the Host field name different hosts")]
    Disagreement,
    /// It is empty.
    #[error("the host is empty")]
    Empty,
    /// It has `user@` (RFC 9110, section 4.2.4).
    #[error("the host has user information before an \"@\"")]
    Userinfo,
    /// It is no name of letters, digits, `-` and `_`: A-labels for other scripts, no trailing dot.
    #[error(
        "the host is no name: expected labels of letters, digits, \"-\" and \"_\" without a trailing dot"
    )]
    Name,
    /// It looks like an address and is none, such as `127.1` or `[::1`.
    #[error("the host is no address: expected IPv4 as in 192.0.2.1 or IPv6 as in [2001:db8::1]")]
    Address,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Authority {
    /// Reads `host` or `host:port`.
    ///
    /// # Errors
    /// Where it is empty, has userinfo, is no host, or has no valid port behind a colon.
    pub fn parse(text: &str) -> Result<Self, AuthorityError> {
        if text.contains('@') {
            return Err(AuthorityError::Userinfo);
        }
        let (host, port) = split(text)?;
        let (mut written, port) = (canonical(host)?, port.map(number).transpose()?);
        let host = written.len();
        if let Some(port) = port {
            written.extend([":", &port.to_string()]);
        }
        Ok(Self { text: written.into(), host, port })
    }

    /// Reads the name or address of a host that stands without a port, and gives it in its one spelling; `None` for
    /// everything else.
    #[must_use]
    pub fn host_alone(text: &str) -> Option<String> {
        let authority = Self::parse(text).ok().filter(|authority| authority.port.is_none())?;
        Some(authority.host().to_owned())
    }

    /// The host that a request is for: from `Host`, and from its target where that has one (absolute-form,
    /// or `:authority` in HTTP/2); where both speak they must agree, default ports aside.
    ///
    /// # Errors
    /// Where nobody names a host, `Host` comes twice, is missing in HTTP/1 or is unreadable, or the two
    /// disagree.
    pub fn of(uri: &Uri, headers: &HeaderMap, version: Version) -> Result<Self, AuthorityError> {
        let target = uri.authority().map(|authority| Self::parse(authority.as_str())).transpose()?;
        let host = host_field(headers)?;
        match (target, host) {
            (Some(target), Some(host)) if mutant!(target.agrees(&host, uri), "target-and-host-differ" => true) => {
                Ok(host)
            }
            (Some(_), Some(_)) => Err(AuthorityError::Disagreement),
            (None, Some(host)) => Ok(host),
            (Some(target), None) if version >= Version::HTTP_2 => Ok(target),
            (_, None) => Err(AuthorityError::Missing),
        }
    }

    /// Whether both name one host and port. A port that is not written is that of the target's scheme.
    fn agrees(&self, other: &Self, uri: &Uri) -> bool {
        let default = match uri.scheme_str() {
            Some("http") => Some(Scheme::Http.default_port()),
            Some("https") => Some(Scheme::Https.default_port()),
            _ => None,
        };
        self.host() == other.host() && self.port.or(default) == other.port.or(default)
    }

    /// The host, lower-case, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.text.get(..self.host).unwrap_or_default()
    }

    /// Host and port, as in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
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

    /// Whether the host is an address rather than a name.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.host().starts_with('[') || self.host().parse::<Ipv4Addr>().is_ok()
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn host_field(headers: &HeaderMap) -> Result<Option<Authority>, AuthorityError> {
    let Some(field) = only_host(headers)? else { return Ok(None) };
    Authority::parse(field.to_str().map_err(|_| AuthorityError::Name)?).map(Some)
}

/// The one `Host` field.
pub(super) fn only_host(headers: &HeaderMap) -> Result<Option<&HeaderValue>, AuthorityError> {
    let mut fields = headers.get_all(header::HOST).iter();
    let field = fields.next();
    let several = mutant!(fields.next().is_some(), "second-host-ignored" => false);
    if several { Err(AuthorityError::Several) } else { Ok(field) }
}

fn split(text: &str) -> Result<(&str, Option<&str>), AuthorityError> {
    let end = match text.strip_prefix('[') {
        Some(_) => text.find(']').ok_or(AuthorityError::Address)? + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(end).ok_or(AuthorityError::Name)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(AuthorityError::Address),
    }
}

fn number(port: &str) -> Result<u16, AuthorityError> {
    // One spelling of each number: no sign and no leading zero.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    digits.then(|| port.parse().ok()).flatten().ok_or(AuthorityError::Port)
}

fn canonical(host: &str) -> Result<String, AuthorityError> {
    if host.is_empty() {
        return Err(AuthorityError::Empty);
    }
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| AuthorityError::Address)?;
        return Ok(format!("[{address}]"));
    }
    check_name(host)?;
    Ok(host.to_ascii_lowercase())
}

fn check_name(host: &str) -> Result<(), AuthorityError> {
    if host.len() > MAX_NAME || !host.split('.').all(is_label) {
        return Err(AuthorityError::Name);
    }
    // What resolvers and browsers read as an address is one, or it is refused: `127.1`, `0x7f.0.0.1`.
    if ends_in_number(host) && host.parse::<Ipv4Addr>().is_err() {
        return Err(AuthorityError::Address);
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let letters = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let hyphens = bytes.first() == Some(&b'-') || bytes.last() == Some(&b'-');
    (1..=MAX_LABEL).contains(&bytes.len()) && letters && !hyphens
}

fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host).as_bytes();
    let hexadecimal =
        matches!(last, [b'0', b'x' | b'X', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit));
    hexadecimal || last.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
