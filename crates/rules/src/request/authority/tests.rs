use http::{HeaderMap, HeaderValue, Uri, Version, header};
use proptest::prelude::*;

use super::{Authority, AuthorityError};
use crate::request::Scheme;

fn shown(text: &str) -> String {
    Authority::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

fn of(target: &str, hosts: &[&str], version: Version) -> Result<String, AuthorityError> {
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append(header::HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
    }
    let uri: Uri = target.parse().unwrap();
    Authority::of(&uri, &headers, version).map(|authority| authority.to_string())
}

#[test]
fn hosts_have_one_spelling() {
    assert_eq!(shown("Wiki.Corp.EXAMPLE:8443"), "wiki.corp.example:8443");
    assert_eq!(shown("localhost"), "localhost");
    assert_eq!(shown("xn--bcher-kva.example"), "xn--bcher-kva.example");
    assert_eq!(shown("_sip.a_b.example"), "_sip.a_b.example");
    assert_eq!(shown("127.0.0.1:1"), "127.0.0.1:1");
    assert_eq!(shown("[2001:DB8:0:0::1]:65535"), "[2001:db8::1]:65535");
    assert_eq!(shown("[::1]"), "[::1]");
    assert_eq!(shown("1password.example"), "1password.example");
}

#[test]
fn hostile_hosts_are_refused() {
    use AuthorityError::{Address, Empty, Name, Port, Userinfo};
    let cases: &[(&[&str], AuthorityError)] = &[
        (&["", ":80", "::1"], Empty),
        (&["user@wiki.example", "a:b@c", "@"], Userinfo),
        (&["wiki.example:", "a:0", "a:65536", "a:+80", "a:080", "a: 80", "a:80:80", "[::1]:x"], Port),
        (&["wiki.example.", ".", "a..b", ".a", "-a.b", "a-.b", "bücher.example", "a b", "a/b", "a,b"], Name),
        (&["a%2eb", "*.a", "a\0b", "a\tb", "a\\b", "a?b", "a#b", "wiki.example, evil.example"], Name),
        (&["127.1", "1", "0x7f.0.0.1", "127.0.0.0x1", "256.1.1.1", "1.2.3.4.5", "01.2.3.4"], Address),
        (&["[::1", "[::1]80", "[fe80::1%25eth0]", "[1.2.3.4]", "[]", "[::1]]"], Address),
    ];
    for (texts, error) in cases {
        for text in *texts {
            assert_eq!(Authority::parse(text), Err(*error), "{text:?}");
        }
    }
}

#[test]
fn names_and_labels_are_bounded() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    assert_eq!(shown(&format!("{longest}:443")).len(), 257);
    assert_eq!(Authority::parse(&format!("{longest}a")), Err(AuthorityError::Name));
    assert_eq!(Authority::parse(&format!("{label}a.example")), Err(AuthorityError::Name));
}

#[test]
fn http_1_needs_exactly_one_host_field() {
    for version in [Version::HTTP_10, Version::HTTP_11] {
        assert_eq!(of("/x", &["Wiki.example"], version), Ok("wiki.example".into()));
        assert_eq!(of("/x", &[], version), Err(AuthorityError::Missing));
        assert_eq!(of("/x", &["a.example", "a.example"], version), Err(AuthorityError::Several));
        assert_eq!(of("/x", &[""], version), Err(AuthorityError::Empty));
        assert_eq!(of("/x", &["é"], version), Err(AuthorityError::Name));
        assert_eq!(of("http://a.example/x", &[], version), Err(AuthorityError::Missing));
    }
}

#[test]
fn target_and_host_must_agree() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        assert_eq!(of("https://a.example/", &["A.example:443"], version), Ok("a.example:443".into()));
        assert_eq!(of("http://a.example:80/", &["a.example"], version), Ok("a.example".into()));
        for (target, host) in [
            ("https://a.example/", "b.example"),
            ("https://a.example/", "a.example:80"),
            ("http://a.example:8080/", "a.example"),
        ] {
            assert_eq!(of(target, &[host], version), Err(AuthorityError::Disagreement), "{target}");
        }
    }
    assert_eq!(of("http://me@a.example/", &["a.example"], Version::HTTP_11), Err(AuthorityError::Userinfo));
}

#[test]
fn http_2_may_leave_out_either() {
    assert_eq!(of("https://a.example:8443/x", &[], Version::HTTP_2), Ok("a.example:8443".into()));
    assert_eq!(of("/x", &["a.example"], Version::HTTP_2), Ok("a.example".into()));
    assert_eq!(of("/x", &[], Version::HTTP_2), Err(AuthorityError::Missing));
    assert_eq!(
        of("https://a.example/", &["a.example", "a.example"], Version::HTTP_2),
        Err(AuthorityError::Several)
    );
}

#[test]
fn an_absent_port_means_the_schemes() {
    let port = |text, scheme| Authority::parse(text).unwrap().port_or_default(scheme);
    assert_eq!(port("a", Scheme::Https), 443);
    assert_eq!(port("a", Scheme::Http), 80);
    assert_eq!(port("a:81", Scheme::Http), 81);
    assert!(Authority::parse("10.0.0.1").unwrap().is_address());
    assert!(Authority::parse("[::1]").unwrap().is_address());
    assert!(!Authority::parse("ten.example").unwrap().is_address());
}

proptest! {
    #[test]
    fn what_is_read_is_canonical(text in "[a-zA-Z0-9_.:@\\[\\]é%-]{0,12}") {
        let Ok(authority) = Authority::parse(&text) else { return Ok(()) };
        prop_assert_eq!(Authority::parse(&authority.to_string()), Ok(authority.clone()));
        prop_assert_eq!(authority.to_string(), authority.to_string().to_ascii_lowercase());
        prop_assert!(!text.ends_with('.') && !text.contains(['@', '%', 'é']));
    }
}
