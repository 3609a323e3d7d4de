//! What a balancer says before a connection begins, against the specification read once more; and the bodies of
//! `http1`.
//!
//! The PROXY protocol, HAProxy 3.0, sections 2.1 and 2.2.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub use super::http1::fuzzing::{requests, written_responses};
use super::{ProxyVersion, proxy};

type Addresses = Option<(SocketAddr, SocketAddr)>;

/// A header of either version: what is taken for one the specification allows, and says the same; and so it is
/// however it is cut.
pub fn proxy_protocol(data: &[u8]) {
    let specified = text(data).or_else(|| binary(data));
    let whole = proxy::parse(data, ProxyVersion::Any);
    if let Ok(Some((length, addresses))) = &whole {
        assert_eq!(specified, Some((*length, *addresses)), "the specification says otherwise");
    } else {
        assert!(whole.is_err() || specified.is_none(), "a whole header is waited for");
    }
    for end in 0..data.len() {
        match (proxy::parse(&data[..end], ProxyVersion::Any), &whole) {
            (Ok(Some(early)), Ok(Some(late))) => assert!(early == *late && end >= early.0),
            (Ok(Some(_)), _) => panic!("a header at {end} bytes is none with more behind it"),
            (Ok(None), Ok(Some((length, _)))) => assert!(end < *length, "more is waited for than needed"),
            (Err(_), Ok(_)) => panic!("refused at {end} bytes, taken with more"),
            (Ok(None) | Err(_), Ok(None) | Err(_)) => {}
        }
    }
    for version in [ProxyVersion::V1, ProxyVersion::V2] {
        if let Ok(Some(one)) = proxy::parse(data, version) {
            let both = proxy::parse(data, ProxyVersion::Any);
            assert_eq!(both.ok().flatten(), Some(one), "one version is what both are");
        }
    }
}

/// Version 1: one line of at most 107 bytes, words apart by one space.
fn text(data: &[u8]) -> Option<(usize, Addresses)> {
    let end = data.windows(2).take(106).position(|two| two == b"\r\n")?;
    let line = str::from_utf8(&data[..end]).ok()?;
    let rest = line.strip_prefix("PROXY ")?;
    if rest == "UNKNOWN" || rest.starts_with("UNKNOWN ") {
        return Some((end + 2, None));
    }
    let [family, peer, local, from, to] = rest.split(' ').collect::<Vec<_>>()[..] else { return None };
    let ip = |text: &str| match family {
        "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    };
    let port = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        text.parse::<u16>().ok().filter(|_| plain)
    };
    let addresses = ((ip(peer)?, port(from)?).into(), (ip(local)?, port(to)?).into());
    Some((end + 2, Some(addresses)))
}

/// Version 2: a signature, command, family, length, addresses, and what nobody reads.
fn binary(data: &[u8]) -> Option<(usize, Addresses)> {
    let rest = data.strip_prefix(b"\r\n\r\n\0\r\nQUIT\n")?;
    let [command, family, high, low, rest @ ..] = rest else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let block = rest.get(..length)?;
    let port = |at: usize| Some(u16::from_be_bytes([*block.get(at)?, *block.get(at + 1)?]));
    let v4 = |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(block.get(at..at + 4)?).ok()?));
    let v6 = |at: usize| Some(IpAddr::from(<[u8; 16]>::try_from(block.get(at..at + 16)?).ok()?));
    let addresses = match (command, family) {
        (0x20, _) => None,
        (0x21, 0x11) => Some(((v4(0)?, port(8)?).into(), (v4(4)?, port(10)?).into())),
        (0x21, 0x21) => Some(((v6(0)?, port(32)?).into(), (v6(16)?, port(34)?).into())),
        _ => return None,
    };
    Some((16 + length, addresses))
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("proxy_protocol", 1500, proxy_protocol);
}
