use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{Forwarding, ForwardingError};
use crate::request::{Scheme, Transport, TrustedProxies, WorkerId};

const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "203.0.113.9";

type Fields<'a> = &'a [(&'static str, &'a str)];

fn read(peer: &str, fields: Fields<'_>) -> Result<Forwarding, ForwardingError> {
    let peer = SocketAddr::new(peer.parse().unwrap(), 5000);
    let transport = Transport {
        peer,
        local: peer,
        scheme: Scheme::Http,
        to_https: false,
        worker: WorkerId(0),
        cache: crate::request::ConnectionCache::default(),
        interim: None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    Forwarding::read(&transport, &headers, &trusted)
}

fn client(fields: Fields<'_>) -> String {
    read(PROXY, fields).unwrap_or_else(|error| panic!("{fields:?}: {error}")).client.ip().to_string()
}

#[track_caller]
fn unreadable(fields: Fields<'_>) {
    assert!(matches!(read(PROXY, fields), Err(ForwardingError::Unreadable { .. })), "{fields:?}");
}

#[test]
fn invariant_10_forwarding_fields_of_an_untrusted_peer_are_not_believed() {
    let lies: &[Fields<'_>] = &[
        &[
            ("x-forwarded-for", "10.0.0.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ],
        &[("forwarded", "for=10.0.0.7;proto=https;host=evil.example")],
        &[("forwarded", "for=\"broken"), ("x-forwarded-for", "\u{e9}")],
    ];
    for fields in lies {
        let told = read(STRANGER, fields).unwrap();
        assert_eq!(
            (told.client.ip().to_string().as_str(), told.scheme, told.host),
            (STRANGER, Scheme::Http, None)
        );
    }
}

#[test]
fn a_silent_proxy_is_the_client() {
    assert_eq!(client(&[]), PROXY);
    assert_eq!(client(&[("x-forwarded-for", "")]), PROXY);
    assert_eq!(client(&[("forwarded", " , ")]), PROXY);
}

#[test]
fn the_nearest_untrusted_hop_is_the_client() {
    let name = "x-forwarded-for";
    assert_eq!(client(&[(name, "1.1.1.1, 203.0.113.9, 10.0.0.2")]), STRANGER);
    assert_eq!(client(&[(name, "1.1.1.1"), (name, "203.0.113.9,10.0.0.2,,")]), STRANGER);
    assert_eq!(client(&[(name, "10.0.0.3, 10.0.0.2")]), "10.0.0.3");
    assert_eq!(client(&[(name, "garbage, 203.0.113.9")]), STRANGER);
    assert_eq!(client(&[("forwarded", "for=1.1.1.1, for=203.0.113.9;by=x, for=10.0.0.2")]), STRANGER);
    assert_eq!(client(&[("forwarded", "for=203.0.113.9"), ("forwarded", "For=\"[fd00::1]:80\"")]), STRANGER);
}

#[test]
fn nodes_are_read_in_every_form() {
    for (node, address) in [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("203.0.113.9:_port", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
        ("unknown", "0.0.0.0"),
        ("UNKNOWN:80", "0.0.0.0"),
        ("_hidden", "0.0.0.0"),
        ("_SEVKISEK:_p", "0.0.0.0"),
    ] {
        assert_eq!(client(&[("x-forwarded-for", node)]), address, "{node}");
        assert_eq!(client(&[("forwarded", &format!("proto=http; for=\"{node}\""))]), address, "{node}");
    }
    assert_eq!(client(&[("x-forwarded-for", "2001:db8::1")]), "2001:db8::1");
    assert_eq!(client(&[("forwarded", "proto=http")]), "0.0.0.0");
    assert_eq!(client(&[("forwarded", "for=\"203.0.113\\.9\"")]), STRANGER);
}

#[test]
fn invariant_10_a_hidden_client_is_not_the_proxy() {
    let hidden = client(&[("x-forwarded-for", "10.0.0.7, unknown, 10.0.0.2")]);
    assert_eq!(hidden, "0.0.0.0");
    assert_eq!(client(&[("forwarded", "proto=https")]), "0.0.0.0", "it is not named at all");
}

#[test]
fn scheme_and_host_are_those_of_the_clients_hop() {
    let told = |fields: Fields<'_>| {
        read(PROXY, fields).map(|told| (told.scheme, told.host.map(|host| host.to_string())))
    };
    let wiki = || Some("wiki.example".to_owned());
    let chain = ("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2");
    assert_eq!(told(&[("x-forwarded-proto", "https")]), Ok((Scheme::Https, None)));
    assert_eq!(told(&[("x-forwarded-proto", "WSS")]), Ok((Scheme::Https, None)));
    let lists = [
        chain,
        ("x-forwarded-proto", "http,https , http"),
        ("x-forwarded-host", "evil.example, Wiki.example, inner"),
    ];
    assert_eq!(told(&lists), Ok((Scheme::Https, wiki())));
    let elements = "for=6.6.6.6;host=evil.example, for=203.0.113.9;proto=HTTPS;host=wiki.example, for=10.0.0.2;host=inner";
    assert_eq!(told(&[("forwarded", elements)]), Ok((Scheme::Https, wiki())));
    assert_eq!(told(&[chain, ("forwarded", elements)]), Ok((Scheme::Https, wiki())));
}

#[test]
fn contradictions_of_a_trusted_proxy_are_refused() {
    let contradiction = |what| Err(ForwardingError::Contradiction { what });
    let forwarded = ("forwarded", "for=203.0.113.9;proto=https;host=a.example");
    assert_eq!(read(PROXY, &[forwarded, ("x-forwarded-for", "203.0.113.8")]), contradiction("clients"));
    assert_eq!(read(PROXY, &[forwarded, ("x-forwarded-proto", "http")]), contradiction("schemes"));
    assert_eq!(read(PROXY, &[forwarded, ("x-forwarded-host", "b.example")]), contradiction("hosts"));
    assert_eq!(client(&[forwarded, ("x-forwarded-for", "[::ffff:203.0.113.9]:1")]), STRANGER);
}

#[test]
fn hostile_fields_are_refused() {
    for field in [
        "",
        "=",
        "for",
        "for=",
        "for=\"",
        "for=\"a",
        "for=a b",
        "f or=a",
        "for=1.1.1.1;for=2.2.2.2",
        "for=x\"y\"",
    ] {
        if !field.is_empty() {
            unreadable(&[("forwarded", field)]);
        }
    }
    // What a client left open, closed by what the proxy wrote behind it.
    unreadable(&[("forwarded", "for=\", for=203.0.113.9;host=\"real.example\"")]);
    for node in ["evil", "1.2.3", "1.2.3.4:99999", "[1.2.3.4]", "[::1", "::1]:80", "_", "1.2.3.4:x", "\u{e9}"]
    {
        unreadable(&[("x-forwarded-for", node)]);
    }
    unreadable(&[("x-forwarded-proto", "ftp")]);
    unreadable(&[("x-forwarded-host", "a/b")]);
    unreadable(&[
        ("x-forwarded-for", "203.0.113.9, 10.0.0.2, 10.0.0.3"),
        ("x-forwarded-proto", "https, http"),
    ]);
}

#[test]
fn invariant_14_hops_are_bounded() {
    let list = |count: usize| vec!["10.0.0.2"; count].join(",");
    assert_eq!(client(&[("x-forwarded-for", &list(32))]), "10.0.0.2");
    let too_many = |field| Err(ForwardingError::TooManyHops { field });
    assert_eq!(read(PROXY, &[("x-forwarded-for", &list(33))]), too_many("X-Forwarded-For"));
    let elements = vec!["for=10.0.0.2"; 33].join(",");
    assert_eq!(read(PROXY, &[("forwarded", &elements)]), too_many("Forwarded"));
    unreadable(&[("forwarded", &"a=b;".repeat(33))]);
}

proptest! {
    #[test]
    fn both_families_find_the_last_address_that_is_not_trusted(hops in proptest::collection::vec(any::<(bool, u8)>(), 1..9)) {
        let hops: Vec<IpAddr> = hops.into_iter().map(|(near, last)| [if near { 10 } else { 203 }, 0, 113, last].into()).collect();
        let slow = hops.iter().rev().find(|hop| hop.to_string().starts_with("203.")).unwrap_or(&hops[0]);
        let texts = |form: fn(&IpAddr) -> String| hops.iter().map(form).collect::<Vec<_>>().join(", ");
        prop_assert_eq!(client(&[("x-forwarded-for", &texts(IpAddr::to_string))]), slow.to_string());
        prop_assert_eq!(client(&[("forwarded", &texts(|hop| format!("for={hop}")))]), slow.to_string());
    }
}
