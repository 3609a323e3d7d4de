//! HTTP/2 from clients: agreed on by ALPN, bounded against floods.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use tempfile::TempDir;

use super::app::App;
use super::process::Gateway;
use super::tls::Identity;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_choose_their_http_by_alpn() {
    let app = App::ok();
    let directory = TempDir::new().unwrap();
    let identity = Identity::of("app.example");
    identity.write(directory.path(), "tls");
    let server = "listen = \"127.0.0.1:{port}\"\ntls = { cert = \"tls.crt\", key = \"tls.key\" }";
    let gateway = Gateway::launch(directory, server, &app.route(""), |_, _| {});
    for (offer, chosen) in
        [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let stream = connect(&gateway, &identity, offer).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes));
    }
    let io = TokioIo::new(connect(&gateway, &identity, &["h2"]).await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let answers = (0..20).map(|n| {
        let uri = format!("https://app.example/{n}");
        sender.send_request(
            Request::get(uri).header("x_auth_request_user", "root").body(Empty::<Bytes>::new()).unwrap(),
        )
    });
    for answer in futures_util::future::join_all(answers).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    assert_eq!((app.count(), app.last().header("host")), (20, Some("app.example")));
    assert!(app.seen().iter().all(|request| !request.head.contains("root")));
}

async fn connect(
    gateway: &Gateway,
    identity: &Identity,
    alpn: &[&str],
) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&identity.client(&[&TLS13], alpn)));
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port)).await.unwrap();
    connector.connect(ServerName::try_from("app.example").unwrap(), stream).await.unwrap()
}

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
pub(super) const END_STREAM_AND_HEADERS: u8 = 5;
pub(super) const END_STREAM: u8 = 1;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET http /` of `app.example`, from HPACK's static table.
fn get() -> Vec<u8> {
    [&[0x82, 0x86, 0x84, 0x41, 11][..], b"app.example"].concat()
}

pub(super) fn h2c(routes: &str) -> (Gateway, TcpStream) {
    let server = "listen = { address = \"127.0.0.1:{port}\", h2c = true }";
    let gateway = Gateway::launch(TempDir::new().unwrap(), server, routes, |_, _| {});
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).unwrap();
    (gateway, stream)
}

/// Writes until the other side ends the connection; false where it took everything.
fn flood(stream: &mut TcpStream, frames: impl Iterator<Item = Vec<u8>>) -> bool {
    for bytes in frames {
        if stream.write_all(&bytes).is_err() {
            return true;
        }
    }
    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest);
    end.is_ok() || end.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
}

#[test]
fn invariant_14_rapid_resets_end_the_connection() {
    let app = App::ok();
    let (gateway, mut stream) = h2c(&app.route(""));
    let frames = (0..50_000_u32).map(|n| {
        let id = 2 * n + 1;
        [frame(HEADERS, END_STREAM_AND_HEADERS, id, &get()), frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())]
            .concat()
    });
    assert!(flood(&mut stream, frames), "50,000 resets and the connection goes on");
    assert!(app.count() < 5_000, "{} requests reached the app", app.count());
    assert_eq!(gateway.get("/").status(), 200);
    assert!(gateway.peak_memory() < 64 * 1024, "{} KiB", gateway.peak_memory());
}

#[test]
fn invariant_14_endless_continuations_end_the_connection() {
    let app = App::ok();
    let (gateway, mut stream) = h2c(&app.route(""));
    let first = frame(HEADERS, END_STREAM, 1, &get());
    // A literal field that is never indexed: name `a`, value of 16,000 bytes.
    let field = [&[0x10, 1, b'a', 0x7f, 0x81, 0x7c][..], &[b'v'; 16_000]].concat();
    let frames = std::iter::once(first).chain((0..2_000).map(|_| frame(CONTINUATION, 0, 1, &field)));
    assert!(flood(&mut stream, frames), "32 MB of a head and the connection goes on");
    assert_eq!(app.count(), 0);
    assert_eq!(gateway.get("/").status(), 200);
    assert!(gateway.peak_memory() < 64 * 1024, "{} KiB", gateway.peak_memory());
}
