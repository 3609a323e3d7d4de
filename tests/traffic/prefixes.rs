//! Apps that are reached under another path than they know of.

use super::app::App;
use super::process::Gateway;
use super::wire::{get, request};

/// An app that redirects to whatever the request says in `X-To`.
fn redirecting() -> App {
    App::start(|conn, request| {
        let to = request.header("x-to").unwrap_or("/").to_owned();
        conn.say(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Location: {to}\r\nContent-Length: 0\r\n\r\n"
        ));
        true
    })
}

fn locations(gateway: &Gateway, path: &str, to: &str) -> Vec<String> {
    let answer = get(gateway.port, path, &[&format!("X-To: {to}")]);
    assert_eq!(answer.status(), 302);
    ["location", "content-location"].map(|name| answer.header(name).unwrap().to_owned()).into()
}

#[test]
fn invariant_10_an_app_is_told_what_was_stripped_by_the_gateway_and_nobody_else() {
    let app = App::ok();
    let gateway = Gateway::start(&format!(
        "{}{}",
        app.route("path = \"/the app\"\nstrip_path = true"),
        app.route("path = \"/kept\"")
    ));
    let forged = ["X-Forwarded-Prefix: /evil", "X_Forwarded_Prefix: /evil"];
    for (path, target, prefix) in [
        ("/the%20app/x", "/x", Some("/the%20app")),
        ("/t%68e%20app", "/", Some("/the%20app")),
        ("/kept/x", "/kept/x", None),
    ] {
        assert_eq!(get(gateway.port, path, &forged).status(), 200);
        let seen = app.last();
        assert_eq!((seen.target(), seen.header("x-forwarded-prefix")), (target, prefix));
        assert!(!seen.head.contains("evil"), "{}", seen.head);
    }
}

#[test]
fn redirects_lead_where_the_client_can_follow_by_the_routes_key_alone() {
    let app = redirecting();
    let gateway = Gateway::start(&format!(
        "{}{}",
        app.route("path = \"/app\"\nstrip_path = true\nrewrite_location = true"),
        app.route("path = \"/plain\"\nstrip_path = true")
    ));
    let upstream = format!("http://127.0.0.1:{}/x?y", app.port);
    for (to, expected) in [
        ("/x?y", "/app/x?y"),
        (upstream.as_str(), "http://app.example/app/x?y"),
        ("http://app.example/x", "http://app.example/app/x"),
        ("/app/x", "/app/x"),
        ("x", "x"),
        ("https://other.example/x", "https://other.example/x"),
    ] {
        assert_eq!(locations(&gateway, "/app/", to), [expected, expected], "{to}");
        assert_eq!(locations(&gateway, "/plain/", to), [to, to], "{to}");
    }
}

#[test]
fn invariant_2_a_destination_is_told_as_the_app_knows_it_or_refused() {
    let app = App::ok();
    let told = "http://app.example/b.txt";
    for keys in ["strip_path = true", "strip_path = true\nrewrite_location = true"] {
        let gateway = Gateway::start(&app.route(&format!("path = \"/dav\"\n{keys}")));
        for (destination, status) in [
            ("http://app.example/dav/b.txt", 200),
            ("/dav/b.txt", 200),
            ("http://other.example/dav/b.txt", 502),
            ("http://app.example/elsewhere/b.txt", 403),
            ("http://app.example/dav/../b.txt", 400),
            ("/b.txt", 403),
        ] {
            let before = app.count();
            let asked = request("MOVE", "/dav/a.txt", &[&format!("Destination: {destination}")]);
            assert_eq!(gateway.send(asked).status(), status, "{destination}");
            if status == 200 {
                assert_eq!(app.last().header("destination"), Some(told), "{destination}");
            } else {
                assert_eq!(app.count(), before, "{destination}");
            }
        }
    }
}
