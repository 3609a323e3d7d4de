//! Several servers, and servers that fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use super::app::{App, OK};
use super::process::Gateway;
use super::wire::{get, request};
use crate::support::{free_port, until};

fn routes(ports: &[u16], lines: &str) -> String {
    let servers: Vec<String> = ports.iter().map(|port| format!("\"http://127.0.0.1:{port}\"")).collect();
    format!("[[routes]]\nupstream = [{}]\naccess = \"public\"\n{lines}\n", servers.join(", "))
}

fn down(server: u16) -> String {
    format!("portcullis_upstream_up{{server=\"127.0.0.1:{server}\"}}")
}

#[test]
fn servers_take_turns() {
    let (one, two) = (App::ok(), App::ok());
    let gateway = Gateway::with("", &routes(&[one.port, two.port], ""));
    let mut conn = gateway.connect();
    for _ in 0..10 {
        conn.say("GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
        assert_eq!(conn.response().status(), 200);
    }
    assert_eq!((one.count(), two.count()), (5, 5));
}

#[test]
fn the_server_with_the_fewest_requests_is_next() {
    let door = Arc::new(Barrier::new(2));
    let behind = Arc::clone(&door);
    let slow = App::start(move |conn, _| {
        behind.wait();
        conn.say(OK);
        true
    });
    let quick = App::ok();
    let gateway = Gateway::start(&routes(&[slow.port, quick.port], "balance = \"least-requests\""));
    let mut held = gateway.connect();
    while slow.count() == 0 {
        held = gateway.connect();
        held.say(request("GET", "/", &[]));
        until("the request to arrive", || slow.count() + quick.count() > 0);
    }
    let before = quick.count();
    (0..6).for_each(|_| assert_eq!(gateway.get("/").status(), 200));
    assert_eq!((slow.count(), quick.count() - before), (1, 6));
    door.wait();
    assert_eq!(held.response().status(), 200);
}

#[test]
fn a_server_that_takes_no_connection_is_passed_over_and_put_aside() {
    let (dead, alive) = (free_port(), App::ok());
    let gateway = Gateway::start(&routes(&[dead, alive.port], "ejection = { after = 2, pause = \"1h\" }"));
    (0..6).for_each(|_| assert_eq!(gateway.get("/").status(), 200));
    assert_eq!(alive.count(), 6);
    assert_eq!((gateway.metric(&down(dead)), gateway.metric(&down(alive.port))), (0.0, 1.0));
}

#[test]
fn health_checks_put_a_server_aside_and_bring_it_back() {
    let well = Arc::new(AtomicBool::new(false));
    let is_well = Arc::clone(&well);
    let sick = App::start(move |conn, request| {
        let ok = request.target() != "/healthz" || is_well.load(Ordering::SeqCst);
        conn.say(if ok { OK } else { "HTTP/1.1 500 Sick\r\nContent-Length: 0\r\n\r\n" });
        true
    });
    let other = App::ok();
    let lines =
        "health = { path = \"/healthz\", interval = \"100ms\", unhealthy_after = 1, healthy_after = 1 }";
    let gateway = Gateway::start(&routes(&[sick.port, other.port], lines));
    until("the check to fail", || gateway.metric(&down(sick.port)) == 0.0);
    let asked = |app: &App| app.log_of("/x");
    (0..4).for_each(|_| assert_eq!(gateway.get("/x").status(), 200));
    assert_eq!((asked(&sick), asked(&other)), (0, 4));
    well.store(true, Ordering::SeqCst);
    until("the check to succeed", || gateway.metric(&down(sick.port)) == 1.0);
    (0..4).for_each(|_| assert_eq!(gateway.get("/x").status(), 200));
    assert!(asked(&sick) > 0);
}

#[test]
fn an_idle_connection_that_died_costs_no_request() {
    let app = App::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let closing = App::start(|conn, _| {
        conn.say(OK);
        false
    });
    let gateway =
        Gateway::start(&format!("{}{}", app.route("path = \"/kept\""), closing.route("path = \"/closed\"")));
    for n in 1..=5 {
        assert_eq!(gateway.get("/closed").status(), 200);
        let idle = format!("portcullis_upstream_idle_connections{{server=\"127.0.0.1:{}\"}}", closing.port);
        until("the death to be noticed", || gateway.metric(&idle) == 0.0);
        assert_eq!((closing.count(), closing.connections()), (n, n));
    }
    let mut conn = gateway.connect();
    for _ in 0..5 {
        conn.say("GET /kept HTTP/1.1\r\nHost: app.example\r\n\r\n");
        assert_eq!(conn.response().status(), 200);
    }
    assert_eq!(
        (app.count(), app.connections()),
        (5, 1),
        "a whole exchange leaves its connection for the next"
    );
}

#[test]
fn only_what_can_be_done_twice_is_asked_twice_where_a_kept_connection_ends() {
    let app = App::start(|conn, request| {
        if request.target() == "/first" {
            conn.say(OK);
            return true;
        }
        false
    });
    let gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    for (method, path, status) in
        [("GET", "/first", 200), ("POST", "/posted", 502), ("GET", "/first", 200), ("GET", "/got", 502)]
    {
        conn.say(format!("{method} {path} HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(conn.response().status(), status, "{method} {path}");
    }
    assert_eq!((app.log_of("/posted"), app.log_of("/got")), (1, 2));
}

/// Each connection is closed as its second request arrives.
#[test]
fn an_app_that_closes_its_kept_connections_fails_nobody() {
    let app = App::raw(|mut conn| {
        if conn.request().is_some() {
            conn.say(OK);
            conn.request();
        }
    });
    let gateway = Gateway::start(&app.route(""));
    (0..40).for_each(|n| assert_eq!(gateway.get("/").status(), 200, "{n}"));
}

#[test]
fn an_app_that_is_down_is_a_502_for_people_and_for_machines() {
    let gateway = Gateway::start(&routes(&[free_port()], ""));
    let page = get(
        gateway.port,
        "/",
        &["Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
    );
    assert!(
        page.status() == 502 && page.header("content-type").unwrap().starts_with("text/html"),
        "{}",
        page.head
    );
    let problem = gateway.get("/");
    assert_eq!((problem.status(), problem.header("content-type")), (502, Some("application/problem+json")));
    let told: serde_json::Value = serde_json::from_slice(&problem.body).unwrap();
    assert_eq!(told["request_id"].as_str(), problem.header("x-request-id"));
    let line = gateway.line_for("/");
    assert_eq!((&line["outcome"], line["status"].as_u64()), (&"upstream-error".into(), Some(502)));
    assert!(line["reason"].as_str().unwrap().contains("127.0.0.1:"), "the log names the server: {line}");
    assert!(!problem.text().contains("127.0.0.1"), "the answer does not");
}

#[test]
fn apps_that_answer_nonsense_are_a_502_and_their_connection_is_not_used_again() {
    let endless: String = (0..500).map(|n| format!("X-{n}: {}\r\n", "v".repeat(1000))).collect();
    let many: String = (0..150).map(|n| format!("X-{n}: 1\r\n")).collect();
    for (what, answer) in [
        ("no HTTP", "SSH-2.0-OpenSSH\r\n\r\n".to_owned()),
        ("endless head", format!("HTTP/1.1 200 OK\r\n{endless}Content-Length: 2\r\n\r\nok")),
        ("too many fields", format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 2\r\n\r\nok")),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok".to_owned()),
        (
            "a switch that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".to_owned(),
        ),
        ("a bad status", "HTTP/1.1 9999 X\r\nContent-Length: 0\r\n\r\n".to_owned()),
    ] {
        let app = App::answering(answer);
        let gateway = Gateway::start(&app.route(""));
        for n in 1..=2 {
            assert_eq!(gateway.get("/").status(), 502, "{what}");
            assert_eq!(app.connections(), n, "{what}");
        }
    }
}

#[test]
fn how_many_fields_an_answer_may_have_is_the_operators_to_say() {
    let answer = |fields: usize| {
        let fields: String = (0..fields).map(|n| format!("X-{n}: {n}\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok")
    };
    let app = App::start(move |conn, request| {
        conn.say(answer(request.target().trim_start_matches('/').parse().unwrap()));
        true
    });
    let gateway = Gateway::start(&app.route("max_response_fields = 200"));
    let long = gateway.get("/199");
    assert_eq!((long.status(), long.header("x-198"), long.text().as_str()), (200, Some("198"), "ok"));
    assert_eq!((gateway.get("/200").status(), gateway.get("/20").status()), (502, 200));
    let reason = gateway.line_for("/200")["reason"].to_string();
    assert!(reason.contains("max_response_fields"), "{reason}");
}

#[test]
fn an_answer_that_breaks_off_is_broken_off_for_the_client_too() {
    let app = App::start(|conn, request| {
        match request.target() {
            "/length" => conn.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
            "/chunks" => conn.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
            _ => conn.say(OK),
        }
        request.target() == "/"
    });
    let gateway = Gateway::start(&app.route(""));
    for path in ["/length", "/chunks"] {
        let mut conn = gateway.connect();
        conn.say(format!("GET {path} HTTP/1.1\r\nHost: app.example\r\n\r\n"));
        let all = String::from_utf8_lossy(&conn.rest()).into_owned();
        assert!(all.starts_with("HTTP/1.1 200") && !all.ends_with("0\r\n\r\n"), "{path}: {all}");
        assert_eq!(gateway.line_for(path)["outcome"], "upstream-error");
    }
    assert_eq!(gateway.get("/").status(), 200, "the gateway is unharmed");
}

#[test]
fn silence_is_a_504() {
    let app = App::start(|conn, request| {
        if request.target() == "/body" {
            conn.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        }
        conn.is_closed();
        false
    });
    let gateway = Gateway::start(&app.route("timeout = { response = \"1s\", idle = \"1s\" }"));
    assert_eq!(gateway.get("/head").status(), 504);
    let mut conn = gateway.connect();
    conn.say("GET /body HTTP/1.1\r\nHost: app.example\r\n\r\n");
    assert!(String::from_utf8_lossy(&conn.rest()).ends_with("half"));
    let line = gateway.line_for("/body");
    assert_eq!(line["outcome"], "upstream-error");
    assert!(line["reason"].as_str().unwrap().contains("silent"), "{line}");
}

#[test]
fn a_connection_that_never_stands_is_a_504() {
    // A listener whose queue is full takes no further connection, and refuses none.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(300))
    {
        waiting.push(stream);
    }
    let gateway = Gateway::start(&routes(&[address.port()], "timeout = { connect = \"1s\" }"));
    assert_eq!(gateway.get("/").status(), 504);
}

impl App {
    /// How many requests for a path have reached it.
    fn log_of(&self, path: &str) -> usize {
        self.seen().iter().filter(|request| request.target() == path).count()
    }
}
