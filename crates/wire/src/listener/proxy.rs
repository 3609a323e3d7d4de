//! The PROXY protocol, versions 1 and 2: what the balancer before us says of a connection.
//!
//! Where a listener wants it, every connection must begin with it: a header that is optional is a
//! header that anybody may forge (invariant 10).

use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use ppp::{PartialResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::ProxyVersion;

/// Bytes read for a header at most: the fixed part, two unix addresses and room for TLVs.
const MAX_HEADER: usize = 536;

/// Bytes of the longest header of version 1.
const MAX_TEXT: usize = 107;

/// What a header said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proxied {
    /// Peer and local address; `None` where the balancer speaks for itself (`LOCAL`, `UNKNOWN`).
    pub addresses: Option<(SocketAddr, SocketAddr)>,
    /// What was read beyond the header.
    pub rest: Bytes,
}

/// Why a connection is closed at its first bytes.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    #[error("the connection ended within the PROXY protocol header")]
    Truncated,
    #[error("the PROXY protocol header is longer than {MAX_HEADER} bytes")]
    TooLong,
    #[error("expected a PROXY protocol header of version 1: {0}; is the peer a balancer that sends one?")]
    Text(#[source] v1::BinaryParseError),
    #[error("expected a PROXY protocol header of version 2: {0}; is the peer a balancer that sends one?")]
    Binary(#[source] v2::ParseError),
    #[error("`proxy_protocol` does not name the peer in `from`")]
    Stranger,
    #[error("the PROXY protocol header speaks of something that is no TCP connection")]
    NotTcp,
    #[error("reading the PROXY protocol header: {0}")]
    Io(#[from] io::Error),
}

/// Reads the header that must stand first.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    version: ProxyVersion,
) -> Result<Proxied, ProxyError> {
    let mut seen = BytesMut::with_capacity(MAX_HEADER);
    loop {
        let room = MAX_HEADER.saturating_sub(seen.len()) as u64;
        if room == 0 {
            return Err(ProxyError::TooLong);
        }
        if stream.take(room).read_buf(&mut seen).await? == 0 {
            return Err(ProxyError::Truncated);
        }
        if let Some((length, addresses)) = parse(&seen, version)? {
            let rest = seen.split_off(length).freeze();
            return Ok(Proxied { addresses, rest });
        }
    }
}

/// The length of a header in bytes, and its peer and local address.
type Header = (usize, Option<(SocketAddr, SocketAddr)>);

/// How long the header at the front of `seen` is, and its addresses; `None`: more bytes are needed.
pub(super) fn parse(seen: &[u8], version: ProxyVersion) -> Result<Option<Header>, ProxyError> {
    match version {
        ProxyVersion::V1 => text(seen),
        ProxyVersion::V2 => binary(seen),
        ProxyVersion::Any if seen.first() == Some(&b'P') => text(seen),
        ProxyVersion::Any => binary(seen),
    }
}

fn text(seen: &[u8]) -> Result<Option<Header>, ProxyError> {
    let prefix = v1::PROTOCOL_PREFIX.as_bytes();
    let plausible = prefix.iter().zip(seen).all(|(expected, byte)| expected == byte);
    // Parsed once it is whole: the parser takes some beginnings of a good header for a bad one.
    let line = match memchr::memchr(b'\n', seen) {
        Some(end) => &seen[..=end],
        None if plausible && seen.len() < MAX_TEXT => return Ok(None),
        None => seen,
    };
    // Behind `UNKNOWN` the parser takes a bare line feed for the end.
    if line.ends_with(b"\n") && !line.ends_with(b"\r\n") {
        return Err(ProxyError::Text(v1::ParseError::InvalidSuffix.into()));
    }
    let header = v1::Header::try_from(line).map_err(ProxyError::Text)?;
    let addresses = match header.addresses {
        v1::Addresses::Tcp4(ip) => Some((
            (ip.source_address, ip.source_port).into(),
            (ip.destination_address, ip.destination_port).into(),
        )),
        v1::Addresses::Tcp6(ip) => Some((
            (ip.source_address, ip.source_port).into(),
            (ip.destination_address, ip.destination_port).into(),
        )),
        v1::Addresses::Unknown => None,
    };
    // The parser takes a sign for a part of a port's number; nothing else of such a line has one.
    if addresses.is_some() && memchr::memchr(b'+', line).is_some() {
        return Err(ProxyError::Text(v1::ParseError::InvalidSourcePort(None).into()));
    }
    Ok(Some((header.header.len(), addresses)))
}

fn binary(seen: &[u8]) -> Result<Option<Header>, ProxyError> {
    let header = v2::Header::try_from(seen);
    if header.is_incomplete() {
        return Ok(None);
    }
    let header = header.map_err(ProxyError::Binary)?;
    let addresses = match (header.command, header.protocol, header.addresses) {
        (v2::Command::Local, _, _) => None,
        (v2::Command::Proxy, v2::Protocol::Stream, v2::Addresses::IPv4(ip)) => Some((
            (ip.source_address, ip.source_port).into(),
            (ip.destination_address, ip.destination_port).into(),
        )),
        (v2::Command::Proxy, v2::Protocol::Stream, v2::Addresses::IPv6(ip)) => Some((
            (ip.source_address, ip.source_port).into(),
            (ip.destination_address, ip.destination_port).into(),
        )),
        (v2::Command::Proxy, _, _) => {
            mutant!(return Err(ProxyError::NotTcp), "proxy-header-of-no-connection" => None)
        }
    };
    Ok(Some((header.header.len(), addresses)))
}

#[cfg(test)]
mod tests;
