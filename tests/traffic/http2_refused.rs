//! Requests over HTTP/2 that are refused: as over HTTP/1.1, and so that the client sees the answer.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::app::App;
use super::http2::{END_STREAM, HEADERS, RST_STREAM, SETTINGS, frame, h2c};
use super::process::Gateway;

type Body = BoxBody<Bytes, std::convert::Infallible>;

async fn client(gateway: &Gateway) -> SendRequest<Body> {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port)).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(path: &str) -> http::request::Builder {
    Request::get(format!("http://app.example{path}"))
}

async fn ask(sender: &mut SendRequest<Body>, request: http::request::Builder) -> Response<Incoming> {
    sender.send_request(request.body(Empty::new().boxed()).unwrap()).await.unwrap()
}

async fn json(answer: Response<Incoming>) -> serde_json::Value {
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_21_names_that_fold_to_framing_never_leave_over_http2() {
    let app = App::ok();
    let (gateway, _) = h2c(&app.route(""));
    let mut sender = client(&gateway).await;
    for name in
        ["transfer_encoding", "transfer.encoding", "content_length", "keep_alive", "proxy_connection", "te_"]
    {
        let answer = ask(&mut sender, get("/h2").header(name, "chunked")).await;
        assert_eq!(answer.status(), 400, "{name}");
        assert_eq!(json(answer).await["ambiguity"], "field-name", "{name}");
    }
    assert!(gateway.line_for("/h2")["reason"].as_str().unwrap().contains("`transfer-encoding`"));
    for name in ["transfer_encoding", "content.length"] {
        let trailers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("6"))]);
        let body = Full::new(Bytes::from_static(b"hi")).with_trailers(std::future::ready(Some(Ok(trailers))));
        let request = Request::post("http://app.example/trailed").body(body.boxed()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 400, "{name}");
    }
    assert!(app.seen().iter().all(|seen| seen.trailers.is_empty() && seen.head.contains("/trailed")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_14_heads_have_the_same_bounds_over_http2() {
    let app = App::ok();
    let (gateway, _) = h2c(&app.route(""));
    let mut sender = client(&gateway).await;
    let many =
        |count: usize| (0..count).fold(get("/many"), |request, n| request.header(format!("x-{n}"), "1"));
    assert_eq!(ask(&mut sender, many(101)).await.status(), 431);
    assert_eq!(ask(&mut sender, many(100)).await.status(), 200);
    let crumbs = (0..150).fold(get("/crumbs"), |request, n| request.header("cookie", format!("c{n}=1")));
    assert_eq!(ask(&mut sender, crumbs).await.status(), 200, "crumbs of one field");
    let long = format!("/{}", "a".repeat(9_000));
    assert_eq!(ask(&mut sender, get(&long)).await.status(), 414);
    let huge = Request::post("http://app.example/huge").header("content-length", "9223372036854775808");
    let endless = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, _>>());
    let answer = sender.send_request(huge.body(BodyExt::boxed(endless)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(app.count(), 2);
}

/// `GET http` of `app.example` for a path that is written out.
fn get_raw(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x82, 0x86, 0x04, length][..], path.as_bytes(), &[0x41, 11], b"app.example"].concat()
}

/// The library cuts it off before anybody sees it: what is judged and what is sent on is the same.
#[test]
fn invariant_1_a_fragment_over_http2_is_neither_judged_nor_sent_on() {
    let app = App::ok();
    let locked = app
        .route("path = \"/locked\"")
        .replace("access = \"public\"", "redirect = { path = \"/away\" }\naccess = \"public\"");
    let locked = locked.lines().filter(|line| !line.starts_with("upstream")).collect::<Vec<_>>().join("\n");
    let (_gateway, mut stream) = h2c(&format!("{}{locked}\n", app.route("")));
    while read_frame(&mut stream).0 != SETTINGS {}
    for (id, path) in [(1, "/open#/../locked"), (3, "/open?a#b"), (5, "/locked#/../open")] {
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, id, &get_raw(path))).unwrap();
        while read_frame(&mut stream).0 != HEADERS {}
    }
    let targets: Vec<_> = app.seen().iter().map(|seen| seen.target().to_owned()).collect();
    assert_eq!(targets, ["/open", "/open?a"]);
}

/// The next frame's kind, flags, stream and payload.
fn read_frame(stream: &mut TcpStream) -> (u8, u8, u32, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    stream.read_exact(&mut payload).unwrap();
    (head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload)
}

const DATA: u8 = 0;
const PING: u8 = 6;
const END_HEADERS: u8 = 4;

/// `POST http /` of `other.example`, which no route claims.
fn post() -> Vec<u8> {
    [&[0x83, 0x86, 0x84, 0x41, 13][..], b"other.example"].concat()
}

/// Behind the word that the gateway's windows are known.
fn begin_upload(stream: &mut TcpStream) {
    while read_frame(stream).0 != SETTINGS {}
    stream
        .write_all(&[frame(SETTINGS, 1, 0, &[]), frame(HEADERS, END_HEADERS, 1, &post())].concat())
        .unwrap();
}

#[test]
fn the_answer_to_a_refused_upload_is_not_overtaken_by_a_reset() {
    let app = App::ok();
    let (_gateway, mut stream) = h2c(&app.route("host = \"app.example\""));
    begin_upload(&mut stream);
    while read_frame(&mut stream).0 != HEADERS {}
    // The client sends on until it has read the answer, as curl does.
    let piece = frame(DATA, 0, 1, &[b'x'; 16_000]);
    for _ in 0..12 {
        stream.write_all(&piece).unwrap();
    }
    stream.write_all(&[frame(DATA, END_STREAM, 1, b"x"), frame(PING, 0, 0, &[7; 8])].concat()).unwrap();
    loop {
        let (kind, flags, ..) = read_frame(&mut stream);
        assert_ne!(kind, RST_STREAM, "reset before the client was done");
        if kind == PING && flags == 1 {
            break;
        }
    }
    assert_eq!(app.count(), 0);
}

#[test]
fn an_endless_upload_to_a_refused_route_is_reset() {
    let app = App::ok();
    let (_gateway, mut stream) = h2c(&app.route("host = \"app.example\""));
    begin_upload(&mut stream);
    let mut writer = stream.try_clone().unwrap();
    let piece = frame(DATA, 0, 1, &[b'x'; 16_000]);
    // Within the windows that the gateway opens; the rest of it waits in the socket.
    std::thread::spawn(move || (0..12).for_each(|_| drop(writer.write_all(&piece))));
    while read_frame(&mut stream).0 != RST_STREAM {}
}
