//! How the request reached us, told to the app (RFC 7239 and its older relatives).

use std::fmt::Write;
use std::net::IpAddr;

use bytes::Bytes;
use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::request::{Authority, Forwarding, Scheme, Transport};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Writes `Forwarded`, `X-Forwarded-*` and `Via`.
///
/// Nothing that came in is appended to: the list holds the client's address and, where a trusted
/// proxy stood between, that proxy's. What a client invented on the left of it is gone (invariant 10).
pub(super) fn write(
    headers: &mut HeaderMap,
    transport: &Transport,
    forwarding: &Forwarding,
    host: (&Authority, &HeaderValue),
    received: Version,
) {
    let client = forwarding.client.ip();
    let proxy = Some(transport.peer.ip().to_canonical()).filter(|peer| *peer != client.to_canonical());
    let (authority, host) = host;
    insert(headers, FOR, addresses(client, proxy));
    insert(headers, header::FORWARDED, elements(client, proxy, host, forwarding.scheme, transport.scheme));
    headers.insert(PROTO, HeaderValue::from_static(forwarding.scheme.as_str()));
    headers.insert(PORT, port(authority.port_or_default(forwarding.scheme)));
    headers.insert(HOST, host.clone());
    headers.append(header::VIA, via(received));
}

/// The host that the client asked for, as a header. The field that came is shared where it says so
/// in the same bytes.
pub(super) fn host_value(authority: &Authority, came: Option<&HeaderValue>) -> Option<HeaderValue> {
    let same =
        came.filter(|value| authority.port().is_none() && value.as_bytes() == authority.host().as_bytes());
    match same {
        Some(value) => Some(value.clone()),
        None if authority.port().is_none() => HeaderValue::from_str(authority.host()).ok(),
        None => HeaderValue::from_maybe_shared(Bytes::from(authority.to_string())).ok(),
    }
}

fn addresses(client: IpAddr, proxy: Option<IpAddr>) -> String {
    let mut text = String::with_capacity(40);
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{client}");
    if let Some(proxy) = proxy {
        let _ = write!(text, ", {proxy}");
    }
    text
}

fn elements(
    client: IpAddr,
    proxy: Option<IpAddr>,
    host: &HeaderValue,
    scheme: Scheme,
    hop: Scheme,
) -> String {
    let mut text = String::with_capacity(96);
    text.push_str("for=");
    node(&mut text, client);
    // A valid host holds neither quotes nor backslashes.
    let _ = write!(text, ";host=\"{}\";proto={scheme}", host.to_str().unwrap_or_default());
    if let Some(proxy) = proxy {
        text.push_str(", for=");
        node(&mut text, proxy);
        let _ = write!(text, ";proto={hop}");
    }
    text
}

fn node(text: &mut String, address: IpAddr) {
    let _ = match address {
        IpAddr::V4(v4) => write!(text, "{v4}"),
        IpAddr::V6(v6) => write!(text, "\"[{v6}]\""),
    };
}

fn port(port: u16) -> HeaderValue {
    match port {
        80 => HeaderValue::from_static("80"),
        443 => HeaderValue::from_static("443"),
        other => HeaderValue::from(other),
    }
}

fn via(received: Version) -> HeaderValue {
    HeaderValue::from_static(match received {
        Version::HTTP_10 => "1.0 portcullis",
        Version::HTTP_2 => "2.0 portcullis",
        _ => "1.1 portcullis",
    })
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use crate::request::ClientAddress;

    fn written(peer: &str, client: &str) -> HeaderMap {
        let transport = fixtures::transport(peer);
        let client = ClientAddress::new(client.parse().unwrap());
        let forwarding = Forwarding { client, scheme: Scheme::Https, host: None };
        let authority = Authority::parse("wiki.corp.example:8443").unwrap();
        let host = host_value(&authority, None).unwrap();
        let mut headers = fixtures::map(&[("via", "1.0 fred")]);
        write(&mut headers, &transport, &forwarding, (&authority, &host), Version::HTTP_2);
        headers
    }

    #[test]
    fn a_direct_client_is_the_only_address() {
        let expected = fixtures::map(&[
            ("via", "1.0 fred"),
            ("via", "2.0 portcullis"),
            ("x-forwarded-for", "192.0.2.7"),
            ("forwarded", "for=192.0.2.7;host=\"wiki.corp.example:8443\";proto=https"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "8443"),
            ("x-forwarded-host", "wiki.corp.example:8443"),
        ]);
        assert_eq!(written("192.0.2.7:999", "192.0.2.7"), expected);
        assert_eq!(written("[::ffff:192.0.2.7]:999", "192.0.2.7"), expected);
    }

    #[test]
    fn a_trusted_proxy_follows_the_client() {
        let headers = written("10.0.0.1:999", "2001:db8::1");
        assert_eq!(headers["x-forwarded-for"], "2001:db8::1, 10.0.0.1");
        let forwarded =
            "for=\"[2001:db8::1]\";host=\"wiki.corp.example:8443\";proto=https, for=10.0.0.1;proto=http";
        assert_eq!(headers["forwarded"], forwarded);
    }

    #[test]
    fn the_host_that_came_is_shared_only_where_it_is_the_one_judged() {
        let authority = Authority::parse("a.example").unwrap();
        for came in ["a.example", "A.EXAMPLE", "evil.example"] {
            let value = HeaderValue::from_static(came);
            assert_eq!(host_value(&authority, Some(&value)).unwrap(), "a.example");
        }
    }
}
