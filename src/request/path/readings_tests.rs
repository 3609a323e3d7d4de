use std::collections::BTreeSet;

use percent_encoding::{percent_decode, percent_decode_str};
use proptest::prelude::*;

use super::RequestPath;

fn readings(raw: &str) -> Vec<String> {
    let readings = RequestPath::parse(raw).unwrap().readings(0).expect("not too deep");
    readings.iter().map(|path| path.decoded().to_owned()).collect()
}

#[test]
fn a_path_without_exceptions_has_one_reading() {
    for raw in ["/", "/a/b", "/%61%20b", "/100%25", "/a%3Fb", "/é"] {
        assert_eq!(readings(raw), [""; 0], "{raw}");
    }
}

#[test]
fn invariant_20_every_spelling_is_read_as_servers_read_it() {
    for (raw, reading) in [
        ("/admin%2fusers", "/admin/users"),
        ("/%2fadmin/users", "/admin/users"),
        ("/%2fadmin/users", "//admin/users"),
        ("/t/%2fsecret", "/t/secret"),
        ("/t/secret%2f", "/t/secret/"),
        ("/t/%5csecret", "/t/secret"),
        ("/t%5csecret", "/t\\secret"),
        ("/t/%2573ecret", "/t/secret"),
        ("/t%252fsecret", "/t/secret"),
        ("/t%25252fsecret", "/t/secret"),
        ("/a;b/secret", "/a;b/secret"),
        ("/a;b/secret", "/a"),
        ("/a%3bb", "/a;b"),
        ("//admin/users", "//admin/users"),
        ("//host/admin", "/admin"),
        ("/%5chost/admin", "/admin"),
        ("//host", "/"),
    ] {
        assert!(readings(raw).contains(&reading.to_owned()), "{raw}: {:?}", readings(raw));
    }
}

/// `//x/admin` is what the server gets of `/app//x/admin`, and a browser's URL parser takes `x` for a host.
#[test]
fn invariant_20_what_is_left_of_a_stripped_path_is_read_as_well() {
    for raw in
        ["/app//x/admin", "/app/%2fx/admin", "/app/%5cx/admin", "/app;a%2fb//x/admin", "/app//x%2fadmin"]
    {
        let readings = RequestPath::parse(raw).unwrap().readings(1).unwrap();
        assert!(readings.iter().any(|path| path.decoded() == "/app/admin"), "{raw}: {readings:?}");
    }
    let two = RequestPath::parse("/a//b//x/admin").unwrap().readings(2).unwrap();
    assert!(two.iter().any(|path| path.decoded() == "/a/b/admin"), "{two:?}");
    assert_eq!(RequestPath::parse("/app").unwrap().readings(1).unwrap(), []);
}

#[test]
fn a_path_that_is_encoded_over_and_over_has_too_many_readings() {
    assert!(RequestPath::parse("/%252541").unwrap().readings(0).is_some());
    for raw in ["/%25252541", "/a%252525252fb", "/%25252525252525252541"] {
        assert_eq!(RequestPath::parse(raw).unwrap().readings(0), None, "{raw}");
    }
}

#[test]
fn readings_are_few_however_long_the_path() {
    let raw = "/a%2f%5c;b//%2541".repeat(480);
    assert!(readings(&raw).len() <= 81);
}

fn decode(text: &str, times: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    (0..times).for_each(|_| bytes = percent_decode(&bytes).collect());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn collapsed(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("//") {
        text = text.replace("//", "/");
    }
    text
}

fn names(text: &str) -> String {
    text.split('/').map(|segment| segment.split(';').next().unwrap()).collect::<Vec<_>>().join("/")
}

fn behind_authority(text: &str) -> String {
    match text.strip_prefix("//").map(|rest| rest.split_once('/')) {
        None => text.to_owned(),
        Some(None) => "/".to_owned(),
        Some(Some((_, path))) => format!("/{path}"),
    }
}

/// Segments first, each decoded by itself: a slash in one stays in it.
fn segments_first(raw: &str) -> String {
    let segment = |segment: &str| {
        let text = percent_decode_str(segment).decode_utf8_lossy().into_owned();
        text.replace('%', "%25").replace('/', "%2F").replace('\\', "%5C")
    };
    raw.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn written(text: &str) -> String {
    text.replace('%', "%25")
}

/// What servers open, each the obvious way.
fn servers(raw: &str) -> Vec<String> {
    let mut all = vec![
        segments_first(raw),
        names(&segments_first(raw)),
        collapsed(&names(&segments_first(raw))),
        collapsed(&segments_first(raw)),
    ];
    for times in 1..=3 {
        let plain = decode(raw, times);
        for text in [plain.clone(), plain.replace('\\', "/")] {
            let cut = text.split(';').next().unwrap().to_owned();
            for text in [text.clone(), names(&text), cut] {
                all.extend([written(&text), written(&collapsed(&text)), written(&behind_authority(&text))]);
            }
        }
    }
    all
}

fn tolerated_path() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "/", "/", "a", "secret", "%2f", "%2F", "%5c", "%25", "%252f", "%2541", ";", "%3b", "//", "x=1",
        "%41", "%20", "%C3%A9", "%25252F",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..8)
        .prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn invariant_20_what_any_server_opens_is_among_the_readings(raw in tolerated_path()) {
        let Ok(path) = RequestPath::parse(&raw) else { return Ok(()) };
        let Some(others) = path.readings(0) else {
            prop_assert_ne!(decode(&raw, 3), decode(&raw, 4), "refused only where it goes deeper");
            return Ok(());
        };
        let mut readings: BTreeSet<_> = others.iter().map(|other| other.decoded().to_owned()).collect();
        readings.insert(path.decoded().to_owned());
        if path.exceptions().is_empty() {
            prop_assert!(others.is_empty());
            return Ok(());
        }
        for opened in servers(&raw) {
            prop_assert!(readings.contains(&opened), "{raw}: {opened} is not among {readings:?}");
        }
    }
}
