//! Bodies of any size and age go through as they come, both ways.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use super::app::App;
use super::process::Gateway;
use super::wire::{Conn, request};
use crate::support::until;

const GIB: u64 = 1 << 30;
const MOST_KIB: u64 = 64 * 1024;

/// More than sockets and the gateway hold between them.
const LARGE: usize = 8 << 20;

#[test]
fn server_sent_events_arrive_one_by_one() {
    let (next, wanted) = channel::<&str>();
    let wanted = Mutex::new(wanted);
    let app = App::start(move |conn, _| {
        conn.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        while let Ok(event) = wanted.lock().unwrap().recv() {
            conn.say(format!("data: {event}\n\n"));
        }
        false
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say("GET /events HTTP/1.1\r\nHost: app.example\r\nAccept: text/event-stream\r\n\r\n");
    assert!(conn.until("\r\n\r\n").unwrap().contains("text/event-stream"));
    // The next event is made only after the last has arrived: nothing waits in a buffer.
    for event in ["one", "two", "three"] {
        next.send(event).unwrap();
        assert!(conn.until(&format!("data: {event}\n\n")).is_some());
    }
    drop(next);
    assert!(conn.until("0\r\n\r\n").is_some());
}

#[test]
fn a_gibibyte_down_in_little_memory() {
    let app = App::start(|conn, _| {
        conn.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n"));
        let chunk = vec![b'x'; 1 << 20];
        (0..1024).for_each(|_| conn.say(&chunk));
        true
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("GET", "/big", &[]));
    assert!(conn.until("\r\n\r\n").is_some());
    assert_eq!(conn.drain(), GIB);
    assert!(gateway.peak_memory() < MOST_KIB, "{} KiB", gateway.peak_memory());
}

#[test]
fn a_gibibyte_up_in_little_memory() {
    let app = App::raw(|mut conn| {
        conn.until("\r\n\r\n");
        let got = conn.drain_exactly(GIB);
        conn.say(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{got}"));
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("POST", "/big", &[&format!("Content-Length: {GIB}")]));
    let chunk = vec![b'x'; 1 << 20];
    (0..1024).for_each(|_| conn.say(&chunk));
    assert_eq!(conn.response().text(), GIB.to_string());
    assert!(gateway.peak_memory() < MOST_KIB, "{} KiB", gateway.peak_memory());
}

#[test]
fn a_slow_reader_stops_the_app_and_fills_no_memory() {
    let written = Arc::new(Mutex::new(0_u64));
    let count = Arc::clone(&written);
    let app = App::start(move |conn, _| {
        conn.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n"));
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..1024 {
            if !conn.offer(&chunk) {
                break;
            }
            *count.lock().unwrap() += 1;
        }
        false
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("GET", "/big", &[]));
    assert!(conn.until("\r\n\r\n").is_some());
    // The app's writes stand still: the same count twice in a row, a while apart.
    let mut last = u64::MAX;
    let mut since = std::time::Instant::now();
    until("the app to be stopped", || {
        let now = *written.lock().unwrap();
        if now != last {
            (last, since) = (now, std::time::Instant::now());
        }
        since.elapsed().as_millis() > 500
    });
    assert!(last < 64, "{last} MiB went to a reader who reads nothing");
    assert!(gateway.peak_memory() < MOST_KIB, "{} KiB", gateway.peak_memory());
}

#[test]
fn an_expectation_goes_to_the_app_and_its_refusal_comes_back() {
    let app = App::raw(|mut conn| {
        let head = conn.until("\r\n\r\n").unwrap();
        assert!(head.to_lowercase().contains("expect: 100-continue"), "{head}");
        if head.starts_with("POST /no") {
            conn.say("HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        } else {
            conn.say("HTTP/1.1 100 Continue\r\n\r\n");
            assert_eq!(conn.until("hello").as_deref(), Some("hello"));
            conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let gateway = Gateway::start(&app.route(""));
    let expecting = ["Expect: 100-continue", "Content-Length: 5"];
    let mut yes = gateway.connect();
    yes.say(request("POST", "/yes", &expecting));
    assert!(
        yes.until("\r\n\r\n").unwrap().starts_with("HTTP/1.1 100 "),
        "asked for the body before it is sent"
    );
    yes.say("hello");
    assert_eq!(yes.response().text(), "ok");
    let mut no = gateway.connect();
    no.say(request("POST", "/no", &expecting));
    assert!(no.until("\r\n\r\n").unwrap().starts_with("HTTP/1.1 417 "), "not asked for the body");
}

#[test]
fn a_client_may_send_all_before_it_reads_an_early_answer() {
    let app = App::raw(|mut conn| {
        conn.until("\r\n\r\n");
        conn.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
        let mut out = Conn::tcp(conn.socket.as_ref().unwrap().try_clone().unwrap());
        let answering = std::thread::spawn(move || out.say(vec![b'x'; LARGE]));
        conn.drain_exactly(LARGE as u64);
        answering.join().unwrap();
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.socket.as_ref().unwrap().set_write_timeout(Some(crate::support::PATIENCE)).unwrap();
    conn.say(request("POST", "/", &[&format!("Content-Length: {LARGE}")]));
    conn.say(vec![b'x'; LARGE]);
    assert!(conn.until("\r\n\r\n").unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!(conn.drain_exactly(LARGE as u64), LARGE as u64);
}

#[test]
fn trailers_go_both_ways() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n",
    );
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("POST", "/", &["Transfer-Encoding: chunked", "TE: trailers", "Trailer: X-Up"]));
    conn.say("2\r\nhi\r\n0\r\nX-Up: 7\r\n\r\n");
    let answer = conn.response();
    assert_eq!((answer.text().as_str(), answer.trailers.to_lowercase().as_str()), ("ok", "x-sum: 42\r\n"));
    assert_eq!(app.last().trailers.to_lowercase(), "x-up: 7\r\n");
}

#[test]
fn whoever_leaves_takes_the_apps_work_along() {
    let (ended, end) = channel();
    let app = App::raw(move |mut conn| {
        conn.until("half");
        ended.send(conn.rest()).unwrap();
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say("POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 100\r\n\r\nhalf");
    until("the app to be asked", || app.connections() == 1);
    drop(conn);
    assert_eq!(end.recv_timeout(crate::support::PATIENCE).unwrap(), b"");
    assert_eq!(gateway.line_for("/")["outcome"], "aborted");
}

#[test]
fn a_response_under_way_goes_on_over_a_reload() {
    let (next, wanted) = channel::<&str>();
    let wanted = Mutex::new(wanted);
    let app = App::start(move |conn, _| {
        conn.say("HTTP/1.1 200 OK\r\n\r\n");
        while let Ok(part) = wanted.lock().unwrap().recv() {
            conn.say(part);
        }
        false
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("GET", "/", &[]));
    next.send("before,").unwrap();
    assert!(conn.until("before,").is_some());
    let moved =
        "\n[[routes]]\npath = \"/new\"\nredirect = { host = \"elsewhere.example\" }\naccess = \"public\"\n";
    gateway.reload("", &(app.route("") + moved));
    next.send("after").unwrap();
    assert!(conn.until("after").is_some());
    drop(next);
    assert_eq!(gateway.get("/new").status(), 308, "new requests go by the new configuration");
}

impl Conn {
    /// Reads to the end and only counts.
    fn drain(&mut self) -> u64 {
        self.drain_exactly(u64::MAX)
    }
}
