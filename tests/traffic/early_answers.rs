//! Answers that are ahead of their requests, and clients that have said all they have to say.

use std::convert::Infallible;
use std::net::TcpStream;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::app::App;
use super::process::Gateway;
use super::wire::Conn;

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
