use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;

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

/// The rules once more, one whole pass each, with another crate's decoder.
fn reference(raw: &str) -> Option<(String, PathExceptions)> {
    let refused = raw.contains(['\\', '?', '#', ' ']) || !raw.starts_with('/') || malformed(raw);
    let once = percent_decode_str(raw).decode_utf8().ok()?.into_owned();
    let end = String::from_utf8(everything_decoded(raw)).ok()?;
    let controls = once.contains(char::is_control) || end.contains(char::is_control);
    let name = |segment: &str| segment.split(';').next().unwrap_or_default().to_owned();
    let climbs = end.split(['/', '\\']).any(|segment| [".", ".."].contains(&name(segment).as_str()));
    (!refused && !controls && !climbs).then(|| (judged(raw).replace("//", "/"), tolerated(raw, &once)))
}

fn malformed(raw: &str) -> bool {
    raw.split('%').skip(1).any(|rest| {
        let digits = rest.as_bytes().get(..2);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn everything_decoded(raw: &str) -> Vec<u8> {
    let mut bytes = raw.as_bytes().to_vec();
    loop {
        let next: Vec<u8> = percent_decode(&bytes).collect();
        if next == bytes {
            return bytes;
        }
        bytes = next;
    }
}

fn judged(raw: &str) -> String {
    let plain = raw.replace("%3b", ";").replace("%3B", ";");
    let names = plain.split('/').map(|segment| segment.split(';').next().unwrap_or_default().to_owned());
    let kept = names.collect::<Vec<_>>().join("/").replace("%25", "%2525");
    let kept = ["%2f", "%2F"].iter().fold(kept, |text, slash| text.replace(slash, "%252F"));
    let kept = ["%5c", "%5C"].iter().fold(kept, |text, slash| text.replace(slash, "%255C"));
    let mut text = percent_decode_str(&kept).decode_utf8_lossy().into_owned();
    while text.contains("///") {
        text = text.replace("///", "//");
    }
    text
}

fn tolerated(raw: &str, once: &str) -> PathExceptions {
    let lower = raw.to_ascii_lowercase();
    let double = once.match_indices('%').any(|(at, _)| {
        once.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    [
        (PathException::EncodedSlash, lower.contains("%2f") || lower.contains("%5c")),
        (PathException::EmptySegment, judged(raw).contains("//")),
        (PathException::Semicolon, once.contains(';')),
        (PathException::DoubleEncoding, double),
    ]
    .into_iter()
    .filter(|(_, there)| *there)
    .fold(PathExceptions::default(), |all, (exception, _)| all.with(exception))
}

fn hostile_path() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "/", "/", "a", "bc", ".", "..", "%2e", "%2E", "%2f", "%2F", "%5c", "%25", "%32", "%65", "2", "e",
        "f", ";", "%3b", "%3B", "é", "%C3%A9", "%c0%ae", "%00", "\\", "x=1", "%41", "%20", "%3F", "%", "%7e",
    ];
    let piece = prop_oneof![12 => proptest::sample::select(PIECES), 1 => Just("\t")];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// Everything that is not plain in a path, but for `/` and the three escapes that `decoded` keeps.
const NOT_PLAIN: &AsciiSet = &CONTROLS.add(b' ').add(b'?').add(b'#').add(b';').add(b'\\');

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_slow_reference(raw in hostile_path()) {
        let path = RequestPath::parse(&raw).ok();
        prop_assert_eq!(path.map(|path| (path.decoded().to_owned(), path.exceptions())), reference(&raw));
    }

    #[test]
    fn any_text_is_read_or_refused_like_the_reference(raw in "/\\PC{0,12}") {
        let path = RequestPath::parse(&raw).ok();
        prop_assert_eq!(path.map(|path| (path.decoded().to_owned(), path.exceptions())), reference(&raw));
    }

    #[test]
    fn decoding_is_idempotent(raw in hostile_path()) {
        let Ok(path) = RequestPath::parse(&raw) else { return Ok(()) };
        let again = utf8_percent_encode(path.decoded(), NOT_PLAIN).to_string();
        let again = RequestPath::parse(&again).unwrap();
        prop_assert_eq!(again.decoded(), path.decoded());
    }

    #[test]
    fn invariant_2_the_path_judged_is_the_path_forwarded(raw in hostile_path()) {
        let Ok(path) = RequestPath::parse(&raw) else { return Ok(()) };
        prop_assert_eq!(path.raw(), raw.as_str());
        prop_assert_eq!(opened(path.raw()), opened(path.decoded()));
    }
}

/// The segments that an upstream opens: decoded once, parameters and empty segments dropped.
fn opened(path: &str) -> Vec<String> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let name = |segment: String| segment.split(';').next().unwrap_or_default().to_owned();
    path.split('/').map(decode).map(name).filter(|name| !name.is_empty()).collect()
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
