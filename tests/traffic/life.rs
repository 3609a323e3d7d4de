//! The life of the process: reloads, ends, systemd, certificates.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;

use super::app::{App, OK};
use super::process::{Gateway, REFUSED, RELOADED};
use super::tls::{Identity, connect};
use super::wire::{Conn, request};
use crate::support::until;

#[test]
fn a_bad_file_is_refused_with_its_report_and_the_old_one_goes_on() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    gateway.rewrite("no_such_key = 1", "[[routes]]\nupstream = \"http://127.0.0.1:1\"\n");
    gateway.signal("HUP");
    until("the refusal", || gateway.metric(REFUSED) > 0.0);
    let told = |log: &str| log.contains("no_such_key") && log.contains("the old one goes on");
    until("the report", || told(&gateway.log()));
    assert_eq!(gateway.get("/").status(), 200);
    gateway.reload("", "[[routes]]\nredirect = { host = \"elsewhere.example\" }\naccess = \"public\"\n");
    assert_eq!(gateway.get("/").status(), 308);
}

#[test]
fn a_changed_file_is_taken_up_without_a_signal() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    gateway.rewrite("", "[[routes]]\nredirect = { host = \"elsewhere.example\" }\naccess = \"public\"\n");
    until("the change to be seen", || gateway.metric(RELOADED) > 0.0);
    assert_eq!(gateway.get("/").status(), 308);
}

#[test]
fn no_request_and_no_connection_is_lost_over_reloads() {
    let (one, two) = (App::ok(), App::ok());
    let gateway = Gateway::start(&one.route(""));
    std::thread::scope(|scope| {
        let (stop, stopped) = channel::<()>();
        let port = gateway.port;
        let client = scope.spawn(move || {
            let (mut conn, mut count) = (Conn::to(port), 0);
            while stopped.try_recv().is_err() {
                conn.say("GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
                assert_eq!(conn.response().status(), 200);
                count += 1;
            }
            count
        });
        (0..6).for_each(|n| gateway.reload("", &if n % 2 == 0 { two.route("") } else { one.route("") }));
        stop.send(()).unwrap();
        assert!(client.join().unwrap() > 0);
    });
    assert!(one.count() > 0 && two.count() > 0);
}

/// An app whose answers wait, and what lets one go.
fn slow_app() -> (App, Sender<()>) {
    let (go, wait) = channel();
    let wait = Mutex::new(wait);
    let app = App::start(move |conn, _| {
        let _ = wait.lock().unwrap().recv();
        conn.say(OK);
        true
    });
    (app, go)
}

#[test]
fn sigterm_lets_requests_end_and_takes_no_new_ones() {
    let (app, go) = slow_app();
    let mut gateway = Gateway::start(&app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("GET", "/", &[]));
    until("the app to be asked", || app.count() == 1);
    gateway.signal("TERM");
    until("the door to close", || std::net::TcpStream::connect(("127.0.0.1", gateway.port)).is_err());
    assert!(!gateway.has_ended());
    go.send(()).unwrap();
    assert_eq!(conn.response().status(), 200);
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let (app, _go) = slow_app();
    let mut gateway = Gateway::with("drain_timeout = \"1h\"", &app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("GET", "/", &[]));
    until("the app to be asked", || app.count() == 1);
    gateway.signal("TERM");
    until("the drain to begin", || gateway.log().contains("draining"));
    assert!(!gateway.has_ended());
    gateway.signal("TERM");
    assert_eq!(gateway.wait(), Some(0));
    assert!(conn.is_closed());
}

#[test]
fn the_drain_has_an_end() {
    let (app, _go) = slow_app();
    let mut gateway = Gateway::with("drain_timeout = \"1s\"", &app.route(""));
    let mut conn = gateway.connect();
    conn.say(request("GET", "/", &[]));
    until("the app to be asked", || app.count() == 1);
    gateway.signal("TERM");
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn systemd_is_told_of_every_step() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    let next = || {
        let mut buffer = [0; 512];
        let size = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..size]).into_owned()
    };
    let app = App::ok();
    let server = "listen = \"127.0.0.1:{port}\"";
    let mut gateway = Gateway::launch(directory, server, &app.route(""), |command, _| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(next().trim(), "READY=1");
    gateway.signal("HUP");
    let reloading = next();
    assert!(reloading.contains("RELOADING=1\n") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert_eq!(next().trim(), "READY=1");
    gateway.signal("TERM");
    assert_eq!(next().trim(), "STOPPING=1");
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn a_socket_of_systemds_is_served() {
    let app = App::ok();
    let server = "listen = \"127.0.0.1:{port}\"";
    let gateway = Gateway::launch(TempDir::new().unwrap(), server, &app.route(""), |command, port| {
        // Nobody else can open this port: whoever answers has inherited it.
        let socket = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" run --config portcullis.toml",
        ]);
        shell.arg(env!("CARGO_BIN_EXE_portcullis")).stdin(Stdio::from(OwnedFd::from(socket)));
        *command = shell;
    });
    assert_eq!(gateway.get("/").status(), 200);
}

#[test]
fn a_socket_of_systemds_that_no_listener_names_is_told_of() {
    let app = App::ok();
    let server = "listen = \"127.0.0.1:{port}\"";
    let forgotten = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = forgotten.local_addr().unwrap().to_string();
    let gateway = Gateway::launch(TempDir::new().unwrap(), server, &app.route(""), |command, _| {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" run --config portcullis.toml",
        ]);
        shell.arg(env!("CARGO_BIN_EXE_portcullis")).stdin(Stdio::from(OwnedFd::from(forgotten)));
        *command = shell;
    });
    assert_eq!(gateway.get("/").status(), 200);
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains("nobody answers on")).unwrap();
    assert!(line.contains("WARN") && line.contains(&address), "{line}");
}

#[test]
fn a_second_gateway_on_the_same_address_does_not_start_and_says_why() {
    let app = App::ok();
    let first = Gateway::start(&app.route(""));
    for workers in ["1", "2"] {
        let place = TempDir::new().unwrap();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{}\"\nstate = \"memory\"\nworkers = {workers}\n\n{}",
            first.port,
            app.route("")
        );
        std::fs::write(place.path().join("portcullis.toml"), text).unwrap();
        let second = [env!("CARGO_BIN_EXE_portcullis"), "run", "--config", "portcullis.toml"];
        let ended = Command::new("timeout").arg("30").args(second).current_dir(place.path()).output();
        let ended = ended.unwrap();
        assert_eq!(ended.status.code(), Some(1), "it runs");
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(&format!("cannot listen on 127.0.0.1:{}", first.port)), "{said}");
    }
    (0..20).for_each(|_| assert_eq!(first.get("/").status(), 200));
}

#[test]
fn an_end_while_keys_are_fetched_is_quiet() {
    let port = crate::support::free_port();
    let silent = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let provider = format!("[providers.corp]\nissuer = \"{base}\"\nclient_id = \"us\"\n\n");
    let app = App::ok();
    let mut gateway = Gateway::start(&format!("{provider}{}", app.route("")));
    // Metadata, and then no keys: the call for them is under way for as long as the provider likes.
    let (mut first, _) = silent.accept().unwrap();
    let metadata = format!(
        "{{\"issuer\":\"{base}\",\"authorization_endpoint\":\"{base}/a\",\"token_endpoint\":\"{base}/t\",\
         \"jwks_uri\":\"{base}/k\",\"response_types_supported\":[\"code\"],\
         \"subject_types_supported\":[\"public\"],\"id_token_signing_alg_values_supported\":[\"RS256\"]}}"
    );
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{metadata}", metadata.len());
    std::io::Write::write_all(&mut first, answer.as_bytes()).unwrap();
    drop(first);
    let asked = silent.accept().unwrap();
    gateway.signal("TERM");
    assert_eq!(gateway.wait(), Some(0));
    let log = gateway.log();
    let after = log.split("draining").nth(1).unwrap();
    assert!(!after.contains("WARN") && !after.contains("ERROR") && !after.contains("panicked"), "{after}");
    drop(asked);
}

#[test]
fn readiness_tells_of_the_drain() {
    let (app, go) = slow_app();
    let mut gateway = Gateway::start(&app.route(""));
    let ready = || super::wire::get(gateway.admin, "/readyz", &[]);
    assert_eq!(ready().status(), 200);
    let mut conn = gateway.connect();
    conn.say(request("GET", "/", &[]));
    until("the app to be asked", || app.count() == 1);
    gateway.signal("TERM");
    until("readiness to be withdrawn", || ready().status() == 503);
    assert!(ready().text().contains("draining"));
    go.send(()).unwrap();
    assert_eq!(conn.response().status(), 200);
    assert_eq!(gateway.wait(), Some(0));
}

#[test]
fn proxy_headers_say_who_asks_and_nothing_else_is_let_in() {
    let app = App::ok();
    let server = "listen = { address = \"127.0.0.1:{port}\", proxy_protocol = \"any\" }";
    let gateway = Gateway::launch(TempDir::new().unwrap(), server, &app.route(""), |_, _| {});
    let get = request("GET", "/", &[]);
    let first = format!("PROXY TCP4 203.0.113.5 127.0.0.1 5555 80\r\n{get}");
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    second.extend([203, 0, 113, 6, 127, 0, 0, 1, 0x15, 0xb3, 0, 80]);
    second.extend(get.as_bytes());
    for (bytes, address) in [(first.into_bytes(), "203.0.113.5"), (second, "203.0.113.6")] {
        assert_eq!(gateway.send(bytes).status(), 200);
        assert_eq!(app.last().header("x-forwarded-for"), Some(address));
    }
    for bytes in [get, "PROXY TCP4 nonsense\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()] {
        let mut conn = gateway.connect();
        conn.say(bytes);
        assert!(conn.is_closed());
    }
    assert_eq!(app.count(), 2);
}

#[test]
fn invariant_10_only_the_balancers_may_send_proxy_headers() {
    let app = App::ok();
    let get = request("GET", "/", &[]);
    for (from, answered) in [("10.0.0.0/8", false), ("127.0.0.0/8", true), ("::ffff:127.0.0.1", true)] {
        let server = format!(
            "listen = {{ address = \"127.0.0.1:{{port}}\", proxy_protocol = {{ from = [\"192.0.2.1\", \"{from}\"] }} }}"
        );
        let gateway = Gateway::launch(TempDir::new().unwrap(), &server, &app.route(""), |_, _| {});
        let mut conn = gateway.connect();
        conn.say(format!("PROXY TCP4 9.9.9.9 127.0.0.1 5555 80\r\n{get}"));
        let answer = conn.response();
        assert_eq!(answer.head.is_empty(), !answered, "{from}: {answer:?}");
    }
    assert_eq!((app.count(), app.last().header("x-forwarded-for")), (2, Some("9.9.9.9")));
}

const TLS: &str = "listen = \"127.0.0.1:{port}\"\ntls = [{ cert = \"one.crt\", key = \"one.key\" }, { cert = \"two.crt\", key = \"two.key\" }]";

fn with_tls(server: &str, routes: &str) -> (Gateway, Identity, Identity) {
    let directory = TempDir::new().unwrap();
    let (one, two) = (Identity::of("one.example"), Identity::of("two.example"));
    one.write(directory.path(), "one");
    two.write(directory.path(), "two");
    (Gateway::launch(directory, server, routes, |_, _| {}), one, two)
}

#[test]
fn each_name_has_its_certificate_in_both_versions_of_tls() {
    let app = App::ok();
    let (gateway, one, two) = with_tls(TLS, &app.route(""));
    for (name, identity, other) in [("one.example", &one, &two), ("two.example", &two, &one)] {
        for version in [&TLS12, &TLS13] {
            let mut conn =
                Conn::over(connect(gateway.port, name, &identity.client(&[version], &["http/1.1"])).unwrap());
            conn.say(request("GET", "/", &[]));
            assert_eq!(conn.response().status(), 200);
            assert_eq!(app.last().header("x-forwarded-proto"), Some("https"));
        }
        assert!(connect(gateway.port, name, &other.client(&[&TLS13], &[])).is_err());
    }
    let (strict, one, _) = with_tls(&format!("{TLS}\ntls_min = \"1.3\""), &app.route(""));
    assert!(connect(strict.port, "one.example", &one.client(&[&TLS12], &[])).is_err());
    assert!(connect(strict.port, "one.example", &one.client(&[&TLS13], &[])).is_ok());
}

#[test]
fn a_renewed_certificate_is_taken_up_and_open_connections_go_on() {
    let app = App::ok();
    let (gateway, one, _two) = with_tls(TLS, &app.route(""));
    let mut open = Conn::over(connect(gateway.port, "one.example", &one.client(&[&TLS13], &[])).unwrap());
    let renewed = Identity::of("one.example");
    renewed.write(gateway.directory.path(), "one");
    until("the new certificate", || {
        connect(gateway.port, "one.example", &renewed.client(&[&TLS13], &[])).is_ok()
    });
    open.say(request("GET", "/", &[]));
    assert_eq!(open.response().status(), 200);
}
