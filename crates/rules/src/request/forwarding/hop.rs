//! Hops, the walk over them, and what is found at its end.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};

use super::{ForwardingError, MAX_HOPS};
use crate::request::{Authority, ClientAddress, Scheme, TrustedProxies};

/// What one family of fields says of the client's own hop.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHop {
    pub(super) client: Option<ClientAddress>,
    pub(super) scheme: Option<Scheme>,
    pub(super) host: Option<Authority>,
}

impl ClientHop {
    /// What both families say, as one. A proxy that sets one family and passes the other on as it came would let
    /// the client choose between them: where both speak they must say the same.
    pub(super) fn reconciled(self, other: Self) -> Result<Self, ForwardingError> {
        Ok(Self {
            client: agreed("clients", self.client, other.client)?,
            scheme: agreed("schemes", self.scheme, other.scheme)?,
            host: agreed("hosts", self.host, other.host)?,
        })
    }
}

fn agreed<T: PartialEq>(
    what: &'static str,
    one: Option<T>,
    other: Option<T>,
) -> Result<Option<T>, ForwardingError> {
    match (one, other) {
        (Some(one), Some(other)) if mutant!(one != other, "families-may-disagree" => false) => {
            Err(ForwardingError::Contradiction { what })
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// Where a walk ended: how many hops behind the nearest one, and at whom.
pub(super) struct WalkEnd {
    pub(super) behind: usize,
    pub(super) client: ClientAddress,
}

/// Walks over `nodes`, the nearest first, to the first that is no trusted proxy or to the farthest; `None`
/// where there are none.
pub(super) fn walk<'a>(
    nodes: impl Iterator<Item = Option<&'a str>>,
    field: &'static str,
    trusted: &TrustedProxies,
) -> Result<Option<WalkEnd>, ForwardingError> {
    let mut end = None;
    for (behind, node) in nodes.enumerate() {
        let client = node.map_or(Some(ClientAddress::HIDDEN), address);
        let client = client.ok_or(ForwardingError::Unreadable { field, expected: "addresses" })?;
        end = Some(WalkEnd { behind, client });
        let found = !trusted.contains(client.ip());
        if mutant!(
            found,
            "farthest-hop-is-the-client" => false,
            "hidden-client-passed-over" => found && client != ClientAddress::HIDDEN,
        ) {
            break;
        }
    }
    Ok(end)
}

/// A node (RFC 7239, section 6): an address with or without port; `unknown` and obfuscated names are hidden.
fn address(node: &str) -> Option<ClientAddress> {
    let plain = match node.rsplit_once(':') {
        Some((name, port)) if is_obfuscated(port) => name,
        _ => node,
    };
    let name = plain.split(':').next().unwrap_or(plain);
    if name.eq_ignore_ascii_case("unknown") || is_obfuscated(name) {
        return Some(ClientAddress::HIDDEN);
    }
    let bare = || plain.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || plain.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    plain.parse().ok().or_else(with_port).or_else(bare).map(ClientAddress::new)
}

/// `obfnode` and `obfport` (RFC 7239, section 6.3).
fn is_obfuscated(name: &str) -> bool {
    let rest = name.strip_prefix('_').unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// `http` or `https`; some proxies name WebSocket's schemes for the same two.
pub(super) fn scheme(text: &str, field: &'static str) -> Result<Scheme, ForwardingError> {
    let is = |names: [&str; 2]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
    match () {
        () if is(["https", "wss"]) => Ok(Scheme::Https),
        () if is(["http", "ws"]) => Ok(Scheme::Http),
        () => Err(ForwardingError::Unreadable { field, expected: "http or https" }),
    }
}

pub(super) fn host(text: &str, field: &'static str) -> Result<Authority, ForwardingError> {
    Authority::parse(text).map_err(|_| ForwardingError::Unreadable { field, expected: "a host" })
}

/// The lines of a field, the first line first.
pub(super) fn lines<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    field: &'static str,
) -> Result<Vec<&'a str>, ForwardingError> {
    let unreadable = |_| ForwardingError::Unreadable { field, expected: "plain ASCII" };
    headers.get_all(name).iter().map(|line| line.to_str().map_err(unreadable)).collect()
}

pub(super) const fn bounded(hops: usize, field: &'static str) -> Result<(), ForwardingError> {
    if hops > MAX_HOPS { Err(ForwardingError::TooManyHops { field }) } else { Ok(()) }
}
