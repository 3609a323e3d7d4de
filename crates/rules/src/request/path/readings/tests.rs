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
