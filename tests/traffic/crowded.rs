//! More clients than there is room for.

use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::app::App;
use super::process::Gateway;
use super::wire::{Conn, get};
use crate::support::until;

fn silent(port: u16, count: usize) -> Vec<TcpStream> {
    let streams: Vec<_> = (0..count).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    streams.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    streams
}

/// Whether the other side has not closed it.
fn is_open(mut stream: &TcpStream) -> bool {
    stream.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn invariant_26_silent_clients_yield_to_newcomers_over_all_workers() {
    let app = App::ok();
    let gateway =
        Gateway::with("max_connections = 50\nheader_timeout = \"5m\"\nidle_timeout = \"1h\"", &app.route(""));
    let silent = silent(gateway.port, 300);
    for _ in 0..10 {
        assert_eq!(gateway.get("/").status(), 200);
    }
    let mut held = 300;
    until("no more than the limit to be held", || {
        held = silent.iter().filter(|stream| is_open(stream)).count();
        held <= 50
    });
    assert!(held >= 20, "only {held} of 50 places are used");
    let listener = format!("listener=\"127.0.0.1:{}\"", gateway.port);
    let evicted =
        gateway.metric(&format!("portcullis_connections_refused_total{{{listener},reason=\"evicted\"}}"));
    assert!(evicted >= 250.0, "{evicted}");
}

#[test]
fn invariant_14_the_first_byte_is_due_within_the_time_of_a_head() {
    let app = App::ok();
    let gateway = Gateway::with("header_timeout = \"1s\"", &app.route(""));
    let stream = silent(gateway.port, 1);
    until("the silent connection to be closed", || !is_open(&stream[0]));
}

#[test]
fn invariant_14_few_descriptors_are_shared_out() {
    let app = App::ok();
    let server = "listen = \"127.0.0.1:{port}\"";
    let gateway = Gateway::launch(TempDir::new().unwrap(), server, &app.route(""), |command, _| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 256; exec \"$0\" run --config portcullis.toml"]);
        shell.arg(env!("CARGO_BIN_EXE_portcullis")).stdin(Stdio::null());
        *command = shell;
    });
    let idle: Vec<Conn> = (0..400)
        .map(|_| {
            let mut conn = gateway.connect();
            conn.say("GET /idle HTTP/1.1\r\nHost: app.example\r\n\r\n");
            conn
        })
        .collect();
    assert_eq!(get(gateway.admin, "/healthz", &[]).text(), "ok\n");
    assert_eq!(gateway.get("/new").status(), 200);
    assert_eq!(idle.len(), 400);
    let log = gateway.log();
    assert!(
        log.contains("\"WARN\"") && log.contains("the limit of open files allows fewer connections"),
        "{log}"
    );
    assert!(!log.contains("cannot accept connections"), "descriptors ran out:\n{log}");
}

#[test]
fn invariant_26_health_is_told_whoever_holds_on_to_the_admin_listener() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    // Several times the places: whoever waits behind them for their time to be over waits for minutes.
    let silent = silent(gateway.admin, 300);
    let alive = || {
        assert_eq!(get(gateway.admin, "/healthz", &[]).text(), "ok\n");
        assert_eq!(get(gateway.admin, "/readyz", &[]).status(), 200);
    };
    alive();
    // Each asks for far more than sockets hold, and reads nothing.
    let deaf: Vec<_> = (0..70)
        .map(|_| {
            let mut conn = Conn::to(gateway.admin);
            let socket = conn.socket.as_ref().unwrap();
            socket.set_write_timeout(Some(std::time::Duration::from_secs(1))).unwrap();
            conn.say("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(400));
            conn
        })
        .collect();
    alive();
    drop((silent, deaf));
}

#[test]
fn pages_of_the_admin_listener_are_given_out_under_known_names_alone() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    let ask = |path: &str, host: &str| {
        let mut conn = Conn::to(gateway.admin);
        conn.say(format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
        conn.response().status()
    };
    for host in ["127.0.0.1:9090", "[::1]", "localhost", "LOCALHOST:1", "app.example", "App.Example:9090"] {
        assert_eq!(ask("/metrics", &format!("Host: {host}\r\n")), 200, "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "app.example.evil.example", "127.0.0.1.evil.example"]
    {
        assert_eq!(ask("/metrics", &format!("Host: {host}\r\n")), 421, "{host}");
        assert_eq!(ask("/elsewhere", &format!("Host: {host}\r\n")), 421, "{host}");
        assert_eq!(ask("/healthz", &format!("Host: {host}\r\n")), 200, "{host}");
        assert_eq!(ask("/readyz", &format!("Host: {host}\r\n")), 200, "{host}");
    }
    assert_eq!((ask("/metrics", ""), ask("/healthz", "")), (421, 200));
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains("\"evil.example\"")).unwrap();
    assert!(line.contains("`[admin] hosts`"), "{line}");
}
