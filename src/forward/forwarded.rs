//! How the request reached us, told to the app (RFC 7239 and its older relatives).

use std::fmt::Write;
use std::net::IpAddr;

use bytes::Bytes;
use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::request::{Authority, Origin, OriginFields, Scheme, Transport};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Writes `Forwarded`, `X-Forwarded-*` and `Via`.
///
/// Nothing that came in is appended to: the list holds the client's address and, where a trusted
/// proxy stood between, that proxy's. What a client invented on the left of it is gone (invariant 10).
pub(super) fn write(headers: &mut HeaderMap, fields: OriginFields, scheme: Scheme, received: Version) {
    headers.insert(FOR, fields.addresses);
    headers.insert(header::FORWARDED, fields.forwarded);
    headers.insert(PROTO, HeaderValue::from_static(scheme.as_str()));
    headers.insert(PORT, fields.port);
    headers.insert(HOST, fields.host);
    headers.append(header::VIA, via(received));
}

/// What [`write`] says of a request that came over `transport`.
pub(super) fn fields(transport: &Transport, origin: Origin) -> Option<OriginFields> {
    transport.memo.origin(origin, |origin| make(transport, origin))
}

fn make(transport: &Transport, origin: &Origin) -> Option<OriginFields> {
    let client = origin.client.ip();
    let proxy = Some(transport.peer.ip().to_canonical()).filter(|peer| *peer != client.to_canonical());
    let elements = elements(client, proxy, &origin.authority, origin.scheme, transport.scheme);
    Some(OriginFields {
        host: host_value(&origin.authority)?,
        port: port(origin.authority.port_or_default(origin.scheme)),
        addresses: owned(addresses(client, proxy))?,
        forwarded: owned(elements)?,
    })
}

/// The host that the client asked for, as a header.
pub(super) fn host_value(authority: &Authority) -> Option<HeaderValue> {
    HeaderValue::from_str(authority.as_str()).ok()
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

fn elements(client: IpAddr, proxy: Option<IpAddr>, host: &Authority, scheme: Scheme, hop: Scheme) -> String {
    let mut text = String::with_capacity(96);
    text.push_str("for=");
    node(&mut text, client);
    // A valid host holds neither quotes nor backslashes.
    let _ = write!(text, ";host=\"{host}\";proto={scheme}");
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

fn owned(text: String) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use crate::request::ClientAddress;

    fn written(peer: &str, client: &str) -> HeaderMap {
        let transport = fixtures::transport(peer);
        let client = ClientAddress::new(client.parse().unwrap());
        let authority = Authority::parse("wiki.corp.example:8443").unwrap();
        let fields = fields(&transport, Origin { client, scheme: Scheme::Https, authority }).unwrap();
        let mut headers = fixtures::map(&[("via", "1.0 fred")]);
        write(&mut headers, fields, Scheme::Https, Version::HTTP_2);
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
    fn a_connections_second_host_is_told_as_it_is() {
        let transport = fixtures::transport("192.0.2.7:999");
        let told = |host: &str| {
            let client = ClientAddress::new(transport.peer.ip());
            let authority = Authority::parse(host).unwrap();
            fields(&transport, Origin { client, scheme: Scheme::Https, authority }).unwrap()
        };
        for host in ["A.example", "b.example:8443", "a.example", "b.example:8443"] {
            let (fields, host) = (told(host), host.to_ascii_lowercase());
            assert_eq!(fields.host, host);
            assert_eq!(fields.forwarded, format!("for=192.0.2.7;host=\"{host}\";proto=https"));
            assert_eq!(fields.port, if host.ends_with("8443") { "8443" } else { "443" });
        }
    }
}
