use super::{PathError, PathException, PathExceptions, RequestPath};

fn decoded(raw: &str) -> String {
    RequestPath::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}")).decoded().to_owned()
}

fn exceptions(raw: &str) -> Vec<PathException> {
    RequestPath::parse(raw).unwrap().exceptions().iter().collect()
}

fn refused(raw: &str) -> PathError {
    RequestPath::parse(raw).expect_err(raw)
}

#[test]
fn an_ordinary_path_is_its_own_decoding_and_shares_its_text() {
    for raw in ["/", "/a/b.c/", "/a...b/c..", "/~user/@x:y!$&'()*+,=", "/{x}|\"^`<>"] {
        let path = RequestPath::parse(raw).unwrap();
        assert_eq!((path.raw(), path.decoded()), (raw, raw));
        assert!(path.decoded.is_none() && path.exceptions().is_empty(), "{raw}");
    }
}

#[test]
fn escapes_are_decoded_once_and_separators_stay_opaque() {
    assert_eq!(decoded("/%61%20b/%C3%A9/é"), "/a b/é/é");
    assert_eq!(decoded("/a%2fb%5cc"), "/a%2Fb%5Cc");
    assert_eq!(decoded("/100%25"), "/100%25");
    assert_eq!(decoded("/%252f"), "/%252f");
    assert_eq!(decoded("/%3F%23"), "/?#");
    assert_eq!(decoded("/.well-known/x"), "/.well-known/x");
}

#[test]
fn a_tolerant_route_judges_what_the_upstream_would_open() {
    assert_eq!(decoded("/app/admin;x"), "/app/admin");
    assert_eq!(decoded("/app/admin%3Bx=1/y"), "/app/admin/y");
    assert_eq!(decoded("/app//admin"), "/app/admin");
    assert_eq!(decoded("//"), "/");
    assert_eq!(decoded("/app/;x/admin/"), "/app/admin/");
    assert_eq!(decoded("/app/;x"), "/app/");
}

#[test]
fn exceptions_name_what_a_route_must_tolerate() {
    use PathException::{DoubleEncoding, EmptySegment, EncodedSlash, Semicolon};
    assert_eq!(exceptions("/a%2Fb"), [EncodedSlash]);
    assert_eq!(exceptions("/a%5cb"), [EncodedSlash]);
    assert_eq!(exceptions("/a//b"), [EmptySegment]);
    assert_eq!(exceptions("/a/"), []);
    assert_eq!(exceptions("/a;v=1"), [Semicolon]);
    assert_eq!(exceptions("/a%3bv"), [Semicolon]);
    assert_eq!(exceptions("/;/b"), [EmptySegment, Semicolon]);
    assert_eq!(exceptions("/%2541"), [DoubleEncoding]);
    assert_eq!(exceptions("/%25%34%31"), [DoubleEncoding]);
    assert_eq!(exceptions("/100%25"), []);
    assert_eq!(exceptions("/a;x=%2F%2541"), [EncodedSlash, Semicolon, DoubleEncoding]);
}

#[test]
fn exceptions_beyond_the_tolerated_remain() {
    let both = PathExceptions::default().with(PathException::Semicolon).with(PathException::EmptySegment);
    let rest = both.beyond(PathExceptions::default().with(PathException::Semicolon));
    assert_eq!(rest.iter().collect::<Vec<_>>(), [PathException::EmptySegment]);
    assert!(rest.beyond(both).is_empty());
}

#[test]
fn invariant_2_dot_segments_are_refused_in_every_spelling() {
    for raw in [
        "/..",
        "/.",
        "/a/../b",
        "/a/./b",
        "/%2e%2e/b",
        "/.%2E",
        "/%2e.",
        "/%2E",
        "/a/..;/b",
        "/a/..;x=1",
        "/a/.;/b",
        "/a/..%3Bx/b",
        "/a%2f..%2fb",
        "/a%5C..%5cb",
        "/..%5Cb",
        "/a/..%2f",
        "/%252e%252e/b",
        "/%25252e%25252E",
        "/%25%32%65./b",
        "/a%252f..",
        "/a%252F%252e%252e%253bx",
        "/;/../x",
    ] {
        assert!(matches!(refused(raw), PathError::DotSegment { .. }), "{raw}: {}", refused(raw));
    }
    assert_eq!(refused("/a/%2e./b"), PathError::DotSegment { at: 3 });
}

#[test]
fn hostile_bytes_are_refused_where_they_stand() {
    assert_eq!(refused("a/b"), PathError::NotAbsolute);
    assert_eq!(refused(""), PathError::NotAbsolute);
    assert_eq!(refused("*"), PathError::NotAbsolute);
    assert_eq!(refused("http://a/b"), PathError::NotAbsolute);
    assert_eq!(refused("/a\\b"), PathError::Backslash { at: 2 });
    assert_eq!(refused("/a?b"), PathError::Delimiter { at: 2 });
    assert_eq!(refused("/a#/admin"), PathError::Delimiter { at: 2 });
    assert_eq!(refused("/a b"), PathError::Control { at: 2 });
    for raw in ["/a\0", "/a%00", "/a%0d%0a", "/a\t", "/a%7F", "/a%C2%85", "/a%2500", "/a;%00"] {
        assert_eq!(refused(raw), PathError::Control { at: 2 + usize::from(raw.contains(';')) }, "{raw}");
    }
    for raw in ["/a%", "/a%2", "/a%zz", "/a%2/b", "/a%+1", "/a%u0041"] {
        assert_eq!(refused(raw), PathError::MalformedEscape { at: 2 }, "{raw}");
    }
    for raw in ["/a%c0%ae", "/a%C0%AF", "/a%e0%80%ae", "/a%FF", "/a%ED%A0%80", "/a%C3/%A9", "/a%25c0%25ae"] {
        assert_eq!(refused(raw), PathError::InvalidUtf8 { at: 2 }, "{raw}");
    }
}

#[test]
fn a_path_has_at_most_eight_kibibytes() {
    let longest = format!("/{}", "a".repeat(8191));
    assert_eq!(decoded(&longest), longest);
    assert_eq!(refused(&format!("{longest}a")), PathError::TooLong { length: 8193 });
    assert_eq!(decoded(&format!("/{}", "%25".repeat(2730))).len(), 8191);
}

#[test]
fn what_is_behind_the_first_segments_counts_them_as_they_were_judged() {
    let behind = |raw: &str, segments| RequestPath::parse(raw).unwrap().behind(segments).to_owned();
    for (raw, segments, rest) in [
        ("/app/x", 0, "/app/x"),
        ("/app/x", 1, "/x"),
        ("/app", 1, ""),
        ("/app/", 1, "/"),
        ("/a%2Fb/c", 1, "/c"),
        ("/a;p/c", 1, "/c"),
        ("//app/x", 1, "/x"),
        ("/;p/app/x", 1, "/x"),
        ("/%3Bp/app/x", 1, "/x"),
        ("/a//b//c", 2, "//c"),
    ] {
        assert_eq!(behind(raw, segments), rest, "{raw} without {segments}");
    }
}
