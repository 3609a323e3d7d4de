use super::{HostPattern, PathPrefix};

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
    assert_eq!((root.segments(), admin.segments()), (0, 1));
}
