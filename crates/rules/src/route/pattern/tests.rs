use super::{HostPattern, PathPrefix};
use crate::request::{Authority, Scheme};

fn host(text: &str) -> String {
    text.parse::<HostPattern>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

fn path(text: &str) -> String {
    text.parse::<PathPrefix>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

#[test]
fn hosts_are_read_into_the_spelling_of_requests() {
    assert_eq!("*".parse(), Ok(HostPattern::Any));
    assert_eq!("Wiki.example:8443".parse(), Ok(HostPattern::Exact("wiki.example".into(), Some(8443))));
    assert_eq!("*.Apps.example".parse(), Ok(HostPattern::Wildcard("apps.example".into(), None)));
    assert_eq!(host("*.apps.example:81"), "*.apps.example:81");
    assert_eq!(host("Bücher.example:81"), "xn--bcher-kva.example:81");
    assert_eq!(host("*.bücher.example"), "*.xn--bcher-kva.example");
    assert_eq!(host("[2001:DB8::1]:443"), "[2001:db8::1]:443");
    assert_eq!(host("10.0.0.1"), "10.0.0.1");
}

#[test]
fn what_no_request_could_match_is_no_host_pattern() {
    for text in [
        "",
        "*.",
        "*:80",
        "**.example",
        "a.*.example",
        "*a.example",
        "*.*.example",
        "*.10.0.0.1",
        "*.[::1]",
        "*.0.0.1",
        "wiki.example.",
        "wiki.example/x",
        "https://wiki.example",
        "wiki..example",
        "a b",
        "a:0",
        "me@wiki.example",
        "bü%41.example",
        "bü cher.example",
        "bücher.example.",
        "bücher:x",
        "127.1",
    ] {
        assert!(text.parse::<HostPattern>().is_err(), "{text}");
    }
}

#[test]
fn a_pattern_covers_its_hosts_and_no_others() {
    let covers = |pattern: &str, host: &str| {
        pattern.parse::<HostPattern>().unwrap().covers(&Authority::parse(host).unwrap(), Scheme::Https)
    };
    assert!(covers("*", "a.test:81") && covers("a.test", "A.TEST:81") && covers("a.test:443", "a.test"));
    assert!(
        covers("*.a.test", "x.a.test") && covers("*.a.test:443", "x.a.test") && covers("[::1]", "[0::1]")
    );
    assert!(!covers("a.test:80", "a.test") && !covers("a.test", "xa.test") && !covers("a.test", "x.a.test"));
    assert!(
        !covers("*.a.test", "a.test") && !covers("*.a.test", "x.y.a.test") && !covers("*.a.test", "xa.test")
    );
    assert!(!covers("*.a.test:81", "x.a.test") && !covers("a.test", "a.test.evil"));
}

#[test]
fn path_prefixes_have_one_spelling() {
    assert_eq!(path("/"), "/");
    assert_eq!(path("/admin/"), "/admin");
    assert_eq!(path("/a b/é"), "/a b/é");
    assert_eq!(path("/a%2Fb/100%25/.well-known/..."), "/a%2Fb/100%25/.well-known/...");
    for text in [
        "", "admin", "//", "/a//b", "/a/..", "/./a", "/a;x", "/a?x", "/a#x", "/a\\b", "/a\0", "/%61", "/%2f",
        "/100%",
    ] {
        assert!(text.parse::<PathPrefix>().is_err(), "{text}");
    }
}

#[test]
fn prefixes_hold_on_segment_borders() {
    let admin: PathPrefix = "/admin".parse().unwrap();
    assert!(admin.holds("/admin") && admin.holds("/admin/") && admin.holds("/admin/x"));
    assert!(!admin.holds("/administrator") && !admin.holds("/") && !admin.holds("/Admin"));
    let root: PathPrefix = "/".parse().unwrap();
    assert!(root.holds("/") && root.holds("/x"));
    assert!(admin.is_exactly("/admin") && admin.is_exactly("/admin/") && root.is_exactly("/"));
    assert!(!admin.is_exactly("/admin/x") && !admin.is_exactly("/admins") && !admin.is_exactly("/admin//"));
    assert!(!admin.is_exactly("/") && !root.is_exactly("/x") && !root.is_exactly("//"));
    assert_eq!((root.segments(), admin.segments()), (0, 1));
}
