//! What proxies say of a request, whatever a client has written before them; and the body of `path`.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

pub use super::path::fuzzing::request_path;
use super::{
    Authority, ClientAddress, ConnectionCache, Forwarding, ForwardingError, Scheme, Transport,
    TrustedProxies, WorkerId,
};

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));
const FIELDS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// Fields that a client has written, a field a line, by the first byte of a line: `f`orwarded, or X-Forwarded-`a`ddress
/// (`For`), -`p`roto, -`h`ost.
///
/// Nobody believes them of a stranger; and behind a proxy that adds what it has seen, by a field of its own or to the
/// last one, the client is who the proxy says, or the request is refused.
pub fn forwarded(data: &[u8]) {
    let headers: HeaderMap = data.split(|byte| *byte == b'\n').filter_map(field).collect();
    let stranger = read(CLIENT, &headers);
    let plain = Forwarding { client: ClientAddress::new(CLIENT), scheme: Scheme::Http, host: None };
    assert_eq!(stranger, Ok(plain), "a stranger is believed");
    for own_field in [true, false] {
        let told = behind_proxy(
            &headers,
            own_field,
            &[("forwarded", "for=203.0.113.9;proto=https;host=real.example")],
        );
        assert!(told.is_none_or(|told| told == real()), "not what the proxy says: {headers:?}");
        let told = behind_proxy(
            &headers,
            own_field,
            &[
                ("x-forwarded-for", "203.0.113.9"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "real.example"),
            ],
        );
        assert!(told.is_none_or(|told| told == real()), "not what the proxy says: {headers:?}");
        let told = behind_proxy(&headers, own_field, &[("x-forwarded-for", "203.0.113.9")]);
        assert!(
            told.is_none_or(|told| told.client.ip() == CLIENT),
            "a client is who it says it is: {headers:?}"
        );
    }
}

fn real() -> Forwarding {
    let host = Authority::parse("real.example").ok();
    Forwarding { client: ClientAddress::new(CLIENT), scheme: Scheme::Https, host }
}

/// What is read where a trusted proxy added these fields.
fn behind_proxy(headers: &HeaderMap, own_field: bool, added: &[(&'static str, &str)]) -> Option<Forwarding> {
    let mut headers = headers.clone();
    added.iter().for_each(|(name, value)| add(&mut headers, name, value, own_field));
    read(PROXY, &headers).ok()
}

fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (first, value) = line.split_first()?;
    let name = FIELDS[b"faph".iter().position(|letter| letter == first)?];
    Some((HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?))
}

/// As proxies do: a field of its own, or the last one longer.
fn add(headers: &mut HeaderMap, name: &'static str, value: &str, own_field: bool) {
    let mut values: Vec<Vec<u8>> =
        headers.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect();
    match values.last_mut().filter(|_| !own_field) {
        Some(last) => last.extend_from_slice(format!(", {value}").as_bytes()),
        None => values.push(value.as_bytes().to_vec()),
    }
    headers.remove(name);
    for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
        headers.append(name, value);
    }
}

fn trusted() -> TrustedProxies {
    TrustedProxies::new("10.0.0.0/8".parse().into_iter().chain("fd00::/8".parse()).collect())
}

fn read(peer: IpAddr, headers: &HeaderMap) -> Result<Forwarding, ForwardingError> {
    let peer = SocketAddr::new(peer, 5000);
    let (cache, worker) = (ConnectionCache::default(), WorkerId(0));
    let transport =
        Transport { peer, local: peer, scheme: Scheme::Http, to_https: false, worker, cache, interim: None };
    Forwarding::read(&transport, headers, &trusted())
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("forwarded", 1500, forwarded);
}
