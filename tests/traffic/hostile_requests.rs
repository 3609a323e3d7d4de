//! Invariants 2, 12, 14: what two programs could read differently is refused and reaches no app.

use std::time::Duration;

use super::app::App;
use super::process::Gateway;
use super::wire::{get, request};
use crate::support::until;

/// Each of `requests` is refused with a 4xx and its connection closed; the app hears of none.
fn refused(requests: &[(&str, &str)]) {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    for (what, bytes) in requests {
        let mut conn = gateway.connect();
        conn.say(bytes);
        let answer = conn.response();
        assert_eq!(answer.status(), 400, "{what}: {answer:?}");
        assert!(conn.is_closed(), "{what}: the connection goes on");
    }
    assert_eq!(app.connections(), 0, "{}", app.log_text());
    assert_eq!(gateway.get("/").status(), 200, "the gateway is unharmed");
}

impl App {
    fn log_text(&self) -> String {
        if self.count() == 0 { String::new() } else { self.last().head }
    }
}

#[test]
fn invariant_2_paths_that_can_be_read_twice_are_refused() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    for path in [
        "/a/../b",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/./a",
        "/a/%2e",
        "/a%2fb",
        "/a%5cb",
        "/a\\b",
        "//a",
        "/a//b",
        "/a;x/b",
        "/%252e%252e/a",
        "/a%00",
        "/%c0%af",
        "/%ff",
        "/a#b",
        "/%zz",
        "/%",
    ] {
        let answer = get(gateway.port, path, &[]);
        assert_eq!(answer.status(), 400, "{path}: {answer:?}");
    }
    for bytes in [
        "GET http://other.example/ HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@app.example\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(gateway.send(bytes).status(), 400, "{bytes}");
    }
    assert_eq!(app.connections(), 0);
    assert_eq!(
        gateway
            .send("GET http://app.example/x HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n")
            .status(),
        200
    );
    assert_eq!(app.last().target(), "/x");
}

#[test]
fn a_refusal_says_what_can_be_read_twice_and_who_may_tolerate_it() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("tolerate = \"semicolon\""));
    let told = |path: &str| -> serde_json::Value {
        let answer = gateway.get(path);
        assert_eq!((answer.status(), answer.header("content-type")), (400, Some("application/problem+json")));
        serde_json::from_slice(&answer.body).unwrap()
    };
    let both = told("/a%2Fb//c;d");
    assert_eq!(both["tolerate"], serde_json::json!(["encoded-slash", "empty-segment"]));
    assert!(
        both["detail"].as_str().unwrap().contains("tolerate = [\"encoded-slash\", \"empty-segment\"]"),
        "{both}"
    );
    for (path, kind) in [
        ("/a/../b", "dot-segment"),
        ("/a\\b", "backslash"),
        ("/%zz", "malformed-escape"),
        ("/%ff", "invalid-utf-8"),
    ] {
        let told = told(path);
        assert_eq!((&told["ambiguity"], told.get("tolerate")), (&kind.into(), None), "{told}");
        assert!(told["detail"].as_str().unwrap().contains("byte"), "{told}");
    }
    assert_eq!(app.count(), 0);
}

#[test]
fn invariant_2_what_a_route_tolerates_is_opaque_and_arrives_as_it_came() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("tolerate = [\"encoded-slash\", \"semicolon\"]"));
    assert_eq!(gateway.get("/a%2Fb;v=1/%20c?q=%2F..").status(), 200);
    assert_eq!(app.last().target(), "/a%2Fb;v=1/%20c?q=%2F..");
    assert_eq!(gateway.get("/a//b").status(), 400);
}

/// An app that decodes before it splits, as every PEP 3333 server does, would serve the other route's page.
#[test]
fn invariant_20_a_tolerated_spelling_opens_no_other_route() {
    let app = App::ok();
    let tolerate = "tolerate = [\"encoded-slash\", \"double-encoding\", \"semicolon\", \"empty-segment\"]";
    let gateway = Gateway::start(&(app.route(tolerate) + &app.route("path = \"/admin\"")));
    for path in [
        "/admin%2fusers",
        "/%2fadmin/users",
        "/%2Fadmin",
        "/%5cadmin/users",
        "/admin%5Cusers",
        "/admin%252fusers",
        "/%2561dmin/users",
        "//x/admin/users",
        "/%5cx/admin",
        "/.portcullis%2fsign-out",
        "/%25252541",
    ] {
        let answer = gateway.get(path);
        assert_eq!(answer.status(), 400, "{path}");
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((&told["ambiguity"], told.get("tolerate")), (&"spelling".into(), None), "{told}");
    }
    assert_eq!(app.count(), 0);
    for path in ["/a%2Fb", "/wiki%2fadmin", "/a;b/c", "/a//b", "/%252Fb"] {
        assert_eq!(gateway.get(path).status(), 200, "{path}");
        assert_eq!(app.last().target(), path, "as it came");
    }
}

#[test]
fn invariant_12_requests_that_can_be_framed_twice_are_refused() {
    let head = "POST / HTTP/1.1\r\nHost: app.example\r\n";
    let with = |fields: &str| {
        format!("{head}{fields}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n")
    };
    let cases: Vec<(&str, String)> = [
        ("CL+TE", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("TE+CL", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("TE+TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("TE list", "Transfer-Encoding: gzip, chunked\r\n"),
        ("TE identity", "Transfer-Encoding: identity\r\n"),
        ("TE xchunked", "Transfer-Encoding: xchunked\r\n"),
        ("TE tab", "Transfer-Encoding:\tchunked, identity\r\n"),
        ("TE space before colon", "Transfer-Encoding : chunked\r\n"),
        ("CL twice", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("CL list", "Content-Length: 5, 5\r\n"),
        ("CL sign", "Content-Length: +5\r\n"),
        ("CL hex", "Content-Length: 0x5\r\n"),
        ("CL overflow", "Content-Length: 99999999999999999999999\r\n"),
        ("CL of 2^63", "Content-Length: 9223372036854775808\r\n"),
        ("obs-fold", "X-A: 1\r\n folded\r\nContent-Length: 0\r\n"),
        ("fold of TE", "Transfer-Encoding:\r\n chunked\r\n"),
        ("bare LF", "X-A: 1\nContent-Length: 0\r\n"),
        ("NUL", "X-A: 1\0\r\n"),
        ("CR in value", "X-A: 1\r2\r\n"),
    ]
    .map(|(what, fields)| (what, with(fields)))
    .into();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(what, bytes)| (*what, bytes.as_str())).collect();
    refused(&cases);
}

#[test]
fn invariant_12_chunk_size_tricks_never_become_a_second_request() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    let head = "POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunk in [
        "5\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5;a=\"\nGET /smuggled HTTP/1.1\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut conn = gateway.connect();
        conn.say(format!("{head}{chunk}GET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n"));
        let said = String::from_utf8_lossy(&conn.rest()).into_owned();
        assert!(!said.contains(" 200 "), "{chunk:?}: {said}");
    }
    assert!(app.seen().iter().all(|request| request.broken && request.target() == "/"), "{:?}", app.seen());
}

#[test]
fn invariant_12_an_upgrade_with_a_body_or_early_bytes_smuggles_nothing() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(
        "GET /ws HTTP/1.1\r\nHost: app.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\
         GET /early HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n",
    );
    let answers = String::from_utf8_lossy(&conn.rest()).into_owned();
    // The app refused to switch: whatever came early is a request like any other, judged like any other, or nothing.
    assert!(answers.starts_with("HTTP/1.1 200") || answers.starts_with("HTTP/1.1 400"), "{answers}");
    assert!(app.count() <= 2);
    let before = app.count();
    let mut conn = gateway.connect();
    conn.say(
        "POST /ws HTTP/1.1\r\nHost: app.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nbody",
    );
    let status = conn.response().status();
    assert!(status == 400 || (status == 200 && app.last().header("upgrade").is_none()), "{status}");
    assert!(app.count() <= before + 1);
}

#[test]
fn invariant_14_heads_bodies_and_targets_have_an_end() {
    let app = App::ok();
    let gateway = Gateway::with(
        "max_header_bytes = \"16KiB\"\nmax_header_fields = 20",
        &app.route("max_body = \"1KiB\""),
    );
    let long = "a".repeat(20_000);
    assert_eq!(get(gateway.port, "/", &[&format!("X-Long: {long}")]).status(), 431);
    let many: Vec<String> = (0..30).map(|n| format!("X-{n}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(get(gateway.port, "/", &many).status(), 431);
    let status = get(gateway.port, &format!("/{long}"), &[]).status();
    assert!(matches!(status, 414 | 431), "{status}");
    let longer = format!("/{}", "a".repeat(9_000));
    assert_eq!(get(gateway.port, &longer, &[]).status(), 414);
    assert_eq!(get(gateway.port, &longer, &["Sec-Fetch-Mode: navigate", "Accept: text/html"]).status(), 414);
    assert_eq!(gateway.send(request("POST", "/", &["Content-Length: 2000"])).status(), 413);
    assert_eq!(app.count(), 0);
    let mut conn = gateway.connect();
    conn.say(request("POST", "/", &["Transfer-Encoding: chunked"]));
    conn.say(format!("{:x}\r\n{}\r\n0\r\n\r\n", 2000, "b".repeat(2000)));
    assert_eq!(conn.response().status(), 413, "a body that does not say its size is counted");
    assert_eq!(gateway.get("/").status(), 200);
}

#[test]
fn invariant_14_slowloris_is_closed() {
    let app = App::ok();
    let gateway = Gateway::with("header_timeout = \"1s\"\nidle_timeout = \"1s\"", &app.route(""));
    let mut half = gateway.connect();
    half.say("GET / HTTP/1.1\r\nHost: app.ex");
    let mut silent = gateway.connect();
    let mut kept = gateway.connect();
    kept.say("GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
    assert_eq!(kept.response().status(), 200);
    let told = half.rest();
    assert!(told.is_empty() || told.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&told));
    assert!(silent.is_closed() && kept.is_closed());
}

#[test]
fn invariant_14_a_slow_body_is_cut_and_its_app_let_go() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route("timeout = { idle = \"1s\" }"));
    let mut conn = gateway.connect();
    conn.say("POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 10\r\n\r\nhalf");
    let socket = conn.socket.as_ref().unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(conn.response().status(), 408);
    until("the app to see the head and then the end of its connection", || app.count() == 1);
    assert_eq!(app.last().text(), "half");
}

#[test]
fn strange_methods_open_no_tunnel() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    for bytes in [
        "CONNECT app.example:80 HTTP/1.1\r\nHost: app.example:80\r\nConnection: close\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n",
    ] {
        let status = gateway.send(bytes).status();
        assert!(matches!(status, 400 | 404 | 405 | 501), "{bytes}: {status}");
    }
    assert_eq!(app.connections(), 0);
}
