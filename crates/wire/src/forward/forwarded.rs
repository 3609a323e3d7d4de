//! How the request reached us, told to the app (RFC 7239 and its older relatives).

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::http1;
use crate::request::{Authority, Origin, OriginFields, Scheme, Transport};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// `Forwarded`, `X-Forwarded-*` and `Via` of a request that came over `transport`.
///
/// Nothing that came in is appended to: the list holds the client's address and, where a trusted
/// proxy stood between, that proxy's. What a client invented on the left of it is gone (invariant 10).
pub(super) fn fields(transport: &Transport, origin: Origin) -> Option<Arc<OriginFields>> {
    transport.cache.origin(origin, |origin| make(transport, origin))
}

/// Adds `told` to a head that holds no such field but `Via`.
pub(super) fn add(headers: &mut HeaderMap, told: &OriginFields) {
    for (name, value) in &told.fields {
        headers.append(name, value.clone());
    }
}

/// Whether [`add`] has written to this head already, for an attempt before this one.
pub(super) fn is_told(headers: &HeaderMap) -> bool {
    headers.contains_key(FOR)
}

fn make(transport: &Transport, origin: &Origin) -> Option<OriginFields> {
    let client = origin.client.ip();
    let proxy = Some(transport.peer.ip().to_canonical()).filter(|peer| *peer != client.to_canonical());
    let elements = elements(client, proxy, &origin.authority, origin.scheme, transport.scheme);
    let host = host_value(&origin.authority)?;
    let fields = [
        (FOR, owned(addresses(client, proxy))?),
        (header::FORWARDED, owned(elements)?),
        (PROTO, HeaderValue::from_static(origin.scheme.as_str())),
        (PORT, HeaderValue::from(origin.authority.port_or_default(origin.scheme))),
        (HOST, host.clone()),
        (header::VIA, via(origin.received)),
    ];
    let fields = HeaderMap::from_iter(fields);
    Some(OriginFields { host, lines: lines(&fields), fields })
}

fn lines(fields: &HeaderMap) -> Bytes {
    let mut lines = BytesMut::new();
    http1::write_fields(fields, &mut lines);
    lines.freeze()
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
    use super::*;
    use crate::forward::fixtures;
    use crate::request::ClientAddress;

    fn written(peer: &str, client: &str) -> HeaderMap {
        let transport = fixtures::transport(peer);
        let client = ClientAddress::new(client.parse().unwrap());
        let authority = Authority::parse("wiki.corp.example:8443").unwrap();
        let origin = Origin { client, scheme: Scheme::Https, authority, received: Version::HTTP_2 };
        let fields = fields(&transport, origin).unwrap();
        let mut headers = fixtures::map(&[("via", "1.0 fred")]);
        add(&mut headers, &fields);
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
            fields(
                &transport,
                Origin { client, scheme: Scheme::Https, authority, received: Version::HTTP_11 },
            )
            .unwrap()
        };
        for host in ["A.example", "b.example:8443", "a.example", "b.example:8443"] {
            let (told, host) = (told(host), host.to_ascii_lowercase());
            assert_eq!(told.host, host);
            let (fields, host) = (&told.fields, &host);
            assert_eq!(fields[header::FORWARDED], format!("for=192.0.2.7;host=\"{host}\";proto=https"));
            assert_eq!(fields[PORT], if host.ends_with("8443") { "8443" } else { "443" });
        }
    }
}
