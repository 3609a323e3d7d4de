//! Interim answers (RFC 9110, section 15.2).

use std::sync::{Arc, Barrier};

use super::app::{App, OK};
use super::process::Gateway;
use super::wire::request;

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\
                     Set-Cookie: portcullis=forged\r\nServer: secret\r\n\r\n";

#[test]
fn interim_answers_reach_the_client_before_the_answer_without_what_is_not_for_it() {
    let (read, seen) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (told, waits) = (Arc::clone(&read), Arc::clone(&seen));
    let app = App::start(move |conn, _| {
        conn.say(HINTS);
        told.wait();
        conn.say("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n");
        waits.wait();
        conn.say(OK);
        true
    });
    let gateway = Gateway::start(&app.route("response_headers = { remove = \"Server\" }"));
    let mut conn = gateway.connect();
    for _ in 0..2 {
        conn.say("GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
        let hints = conn.until("\r\n\r\n").unwrap();
        assert!(
            hints.starts_with("HTTP/1.1 103 ") && hints.contains("link: </a.css>; rel=preload\r\n"),
            "{hints}"
        );
        for gone in ["x-hop", "cookie", "server", "connection", "date"] {
            assert!(!hints.to_lowercase().contains(gone), "{gone}: {hints}");
        }
        read.wait();
        for status in ["102", "100", "199"] {
            let interim = conn.until("\r\n\r\n").unwrap();
            assert!(interim.starts_with(&format!("HTTP/1.1 {status} ")), "{interim}");
        }
        seen.wait();
        let answer = conn.response();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
    }
}

#[test]
fn a_client_is_told_once_to_go_on_and_only_where_it_asked() {
    let app = App::raw(|mut conn| {
        while let Some(head) = conn.until("\r\n\r\n") {
            assert!(head.contains("expect: 100-continue\r\n"), "{head}");
            conn.say("HTTP/1.1 100 Continue\r\n\r\n");
            conn.until("body");
            conn.say(OK);
        }
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    for _ in 0..2 {
        conn.say("POST / HTTP/1.1\r\nHost: app.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        assert_eq!(conn.until("\r\n\r\n").unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
        conn.say("body");
        let next = conn.until("\r\n\r\n").unwrap();
        assert!(next.starts_with("HTTP/1.1 200 "), "{next}");
        assert_eq!(conn.until("ok").as_deref(), Some("ok"));
    }
}

#[test]
fn a_client_of_http_1_0_gets_the_answer_alone() {
    let app = App::answering(format!("{HINTS}{OK}"));
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say("GET / HTTP/1.0\r\nHost: app.example\r\n\r\n");
    let all = String::from_utf8(conn.rest()).unwrap();
    assert!(all.starts_with("HTTP/1.1 200 ") && !all.contains("103"), "{all}");
}

#[test]
fn many_interim_answers_are_borne_and_endless_ones_are_not() {
    let processing = "HTTP/1.1 102 Processing\r\n\r\n";
    let app = App::start(move |conn, request| {
        let times = request.target().trim_start_matches('/').parse().unwrap();
        conn.say(format!("{}{OK}", processing.repeat(times)));
        true
    });
    let gateway = Gateway::start(&app.route(""));
    for (times, status) in [(500, "200"), (2000, "502")] {
        let mut conn = gateway.connect();
        conn.say(request("GET", &format!("/{times}"), &[]));
        let all = String::from_utf8(conn.rest()).unwrap();
        let last = all.rsplit("HTTP/1.1 ").next().unwrap();
        assert!(last.starts_with(status), "{times}: {last}");
        let passed = all.matches("HTTP/1.1 102 ").count();
        assert!(status == "502" || passed == times, "{passed} of {times}");
    }
}

/// A proxy in front sends several people's requests over one connection.
#[test]
fn what_one_request_was_told_too_late_is_not_told_to_the_next() {
    let taken = Arc::new(Barrier::new(2));
    let all_taken = Arc::clone(&taken);
    let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: <{}>\r\n\r\n", "x".repeat(15_000));
    let app = App::start(move |conn, request| {
        if request.target() != "/first" {
            conn.say(OK);
            return true;
        }
        conn.say(format!("{}HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", hint.repeat(900)));
        assert!(conn.rest().is_empty(), "closed once the answer has been read");
        all_taken.wait();
        false
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say("GET /first HTTP/1.1\r\nHost: app.example\r\n\r\n");
    taken.wait();
    while !conn.until("\r\n\r\n").unwrap().starts_with("HTTP/1.1 204 ") {}
    conn.say("GET /second HTTP/1.1\r\nHost: app.example\r\n\r\n");
    let next = conn.until("\r\n\r\n").unwrap();
    assert!(next.starts_with("HTTP/1.1 200 "), "{}", &next[..40]);
}
