//! Answers that are ahead of their requests, and clients that have said all they have to say.

use std::convert::Infallible;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::version::TLS13;
use tempfile::TempDir;

use super::app::App;
use super::process::Gateway;
use super::tls::{Identity, connect};
use super::wire::Conn;
use crate::support::until;

/// An app that speaks HTTP/2 and answers at once, whatever is still to come.
async fn hasty_http2() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer =
                service_fn(|_| async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("early")))) });
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http.serve_connection(TokioIo::new(stream), answer));
        }
    });
    port
}

/// A request whose body is far from whole is answered, and its answer says that the connection ends with it.
fn told_to_close(gateway: &Gateway) {
    let mut conn = gateway.connect();
    conn.say("POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 300000\r\n\r\n");
    conn.say([b'x'; 1_000]);
    let answer = conn.response();
    assert_eq!((answer.status(), answer.text().as_str()), (200, "early"));
    assert_eq!(answer.header("connection"), Some("close"), "{}", answer.head);
    assert!(conn.is_closed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_ahead_of_its_upload_says_that_the_connection_ends() {
    let port = hasty_http2().await;
    told_to_close(&Gateway::start(&format!(
        "[[routes]]\nupstream = \"h2c://127.0.0.1:{port}\"\naccess = \"public\"\n"
    )));
    let hasty = App::raw(|mut conn| {
        conn.until("\r\n\r\n");
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly");
        conn.rest();
    });
    told_to_close(&Gateway::start(&hasty.route("")));
}

/// An app whose answers wait for the word of the test.
fn patient(answer: impl Into<String>) -> (App, Sender<()>) {
    let (go, word) = channel();
    let (word, answer) = (Mutex::new(word), answer.into());
    let app = App::start(move |conn, _| {
        let told = word.lock().unwrap().recv().is_ok();
        conn.say(&answer);
        told
    });
    (app, go)
}

#[test]
fn who_has_said_all_and_closed_its_side_gets_its_answer() {
    let big = 4 << 20;
    let (app, go) = patient(format!("HTTP/1.1 200 OK\r\nContent-Length: {big}\r\n\r\n{}", "x".repeat(big)));
    let gateway = Gateway::start(&app.route(""));
    for request in [
        "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 2\r\n\r\nhi",
        "POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    ] {
        let mut conn = gateway.connect();
        conn.say(request);
        conn.socket.as_ref().unwrap().shutdown(Shutdown::Write).unwrap();
        // The gateway has noticed, and has asked whether anybody is there.
        assert!(conn.until("HTTP/1.1 100 Continue\r\n\r\n").is_some(), "{request}");
        go.send(()).unwrap();
        let answer = conn.response();
        assert_eq!((answer.status(), answer.body.len()), (200, big), "{request}");
        assert_eq!(answer.header("connection"), Some("close"), "{}", answer.head);
        assert!(conn.is_closed());
    }
    let mut old = gateway.connect();
    old.say("GET /old HTTP/1.0\r\nHost: app.example\r\n\r\n");
    old.socket.as_ref().unwrap().shutdown(Shutdown::Write).unwrap();
    go.send(()).unwrap();
    let answer = old.response();
    assert_eq!((answer.first_line(), answer.body.len()), ("HTTP/1.1 200 OK", big), "no interim answer");
}

#[test]
fn who_has_said_all_over_tls_gets_its_answer() {
    let (app, go) = patient("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
    let directory = TempDir::new().unwrap();
    let identity = Identity::of("app.example");
    identity.write(directory.path(), "tls");
    let server = "listen = \"127.0.0.1:{port}\"\ntls = { cert = \"tls.crt\", key = \"tls.key\" }";
    let gateway = Gateway::launch(directory, server, &app.route(""), |_, _| {});
    let mut stream = connect(gateway.port, "app.example", &identity.client(&[&TLS13], &[])).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: app.example\r\n\r\n").unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    let mut conn = Conn::over(stream);
    assert!(conn.until("HTTP/1.1 100 Continue\r\n\r\n").is_some());
    go.send(()).unwrap();
    assert_eq!(conn.response().text(), "late");
}

#[test]
fn who_leaves_is_noticed_behind_whatever_was_sent_too_early() {
    let (ended, end) = channel();
    let app = App::raw(move |mut conn| {
        conn.until("\r\n\r\n");
        ended.send(conn.rest()).unwrap();
    });
    let gateway = Gateway::start(&app.route(""));
    for (path, early) in [("/none", 0), ("/little", 100), ("/much", 20_000)] {
        let mut conn = gateway.connect();
        conn.say(format!("GET {path} HTTP/1.1\r\nHost: app.example\r\n\r\n{}", "x".repeat(early)));
        until("the app to be asked", || app.connections() > 0);
        drop(conn);
        assert_eq!(end.recv_timeout(crate::support::PATIENCE).unwrap(), b"", "{path}");
        assert_eq!(gateway.line_for(path)["outcome"], "aborted", "{path}");
    }
}

#[test]
fn an_answer_that_breaks_off_before_an_old_client_does_not_look_whole() {
    let read = |app: &App| {
        let gateway = Gateway::start(&app.route(""));
        let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
        stream.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\nHost: app.example\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind())
    };
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n";
    let broken = App::start(move |conn, _| {
        conn.say(head);
        false
    });
    assert_eq!(read(&broken), Err(ErrorKind::ConnectionReset));
    assert!(read(&App::answering(format!("{head}0\r\n\r\n"))).is_ok());
}

#[test]
fn an_upload_that_is_whole_keeps_its_connection() {
    let app = App::ok();
    let gateway = Gateway::start(&app.route(""));
    let mut conn = Conn::tcp(TcpStream::connect(("127.0.0.1", gateway.port)).unwrap());
    for framed in ["Content-Length: 2\r\n\r\nhi", "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"] {
        conn.say(format!("POST / HTTP/1.1\r\nHost: app.example\r\n{framed}"));
        let answer = conn.response();
        assert_eq!((answer.status(), answer.header("connection")), (200, None), "{}", answer.head);
    }
}
