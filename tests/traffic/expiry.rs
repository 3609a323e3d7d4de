//! What goes on for long ends with the bearer token that began it (invariant 22).

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::process::Gateway;
use crate::support::{PATIENCE, Provider, events, floods, silent, sockets, until_async};

/// Seconds that a token of these tests is good for: enough to begin with it on a busy machine.
const LIFE: u32 = 8;

/// More than sockets and the gateway hold between them.
const LARGE: usize = 128 << 20;

/// A provider whose tokens are short, and the gateway's configuration that takes them for `app`.
pub(super) struct Api {
    provider: Provider,
    pub(super) gateway: Gateway,
}

impl Api {
    async fn before(app: &str, lines: &str) -> Self {
        Self::listening("listen = \"127.0.0.1:{port}\"", app, lines).await
    }

    pub(super) async fn listening(server: &str, app: &str, lines: &str) -> Self {
        let provider = Provider::start("http://127.0.0.1:1");
        provider.control(&format!("lifetime?s={LIFE}")).await;
        let routes = format!(
            "[providers.corp]\nissuer = \"{}\"\naudiences = [\"https://api.corp.example\"]\nleeway = \"0s\"\n\n\
             [[routes]]\npath = \"/other\"\nredirect = {{ path = \"/\" }}\naccess = \"signed-in\"\n\n\
             [[routes]]\nupstream = \"{app}\"\naccess = \"signed-in\"\n{lines}\n",
            provider.issuer()
        );
        let gateway = Gateway::launch(TempDir::new().unwrap(), server, &routes, |_, _| {});
        Self { provider, gateway }
    }

    pub(super) async fn token(&self) -> String {
        format!("Bearer {}", self.provider.access_token("orders:read").await)
    }

    /// Sends a request, with a token that has just been made.
    async fn begin(&self, method: &str, fields: &str) -> (TcpStream, String) {
        let token = self.token().await;
        let mut stream = TcpStream::connect(("127.0.0.1", self.gateway.port)).await.unwrap();
        let head =
            format!("{method} /long HTTP/1.1\r\nHost: app.example\r\nAuthorization: {token}\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        (stream, token)
    }

    /// Waits until the gateway refuses the token.
    async fn expired(&self, token: &str) {
        until_async("the token to expire", || async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.gateway.port)).await.unwrap();
            let head = format!(
                "GET /other HTTP/1.1\r\nHost: app.example\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            &answer == b"HTTP/1.1 401"
        })
        .await;
    }

    pub(super) fn reason(&self, path: &str) -> String {
        self.gateway.line_for(path)["reason"].as_str().unwrap().to_owned()
    }
}

async fn rest(mut stream: TcpStream) -> String {
    let mut read = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("it ends");
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn invariant_22_an_event_stream_ends_with_its_token() {
    let api = Api::before(&events().await, "").await;
    let (stream, _) = api.begin("GET", "").await;
    let read = rest(stream).await;
    assert!(read.contains("data: hello") && !read.ends_with("0\r\n\r\n"), "not as if it were whole: {read}");
    assert_eq!(api.reason("/long"), "cut off: the access token expired");
}

#[tokio::test]
async fn invariant_22_over_http2_it_is_reset() {
    let server = "listen = { address = \"127.0.0.1:{port}\", h2c = true }";
    let api = Api::listening(server, &events().await, "").await;
    let stream = TcpStream::connect(("127.0.0.1", api.gateway.port)).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://app.example/long").header("authorization", api.token().await);
    let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    let end = timeout(PATIENCE, answer.into_body().collect()).await.expect("it ends").unwrap_err();
    assert!(format!("{end:?}").contains("Reset"), "{end:?}");
}

#[tokio::test]
async fn invariant_22_a_web_socket_is_told_that_its_token_is_over() {
    let api = Api::before(&sockets().await, "").await;
    let mut request = format!("ws://127.0.0.1:{}/long", api.gateway.port).into_client_request().unwrap();
    request.headers_mut().insert("authorization", api.token().await.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let Some(Ok(Message::Close(Some(close)))) =
        timeout(PATIENCE, socket.next()).await.expect("it ends with its token")
    else {
        panic!("no close frame");
    };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Policy, "access token expired"));
    drop(socket);
    assert_eq!(api.reason("/long"), "cut off: the access token expired");
}

/// Reads at most so much; whether there was that much.
async fn goes_on(stream: &mut TcpStream, mut left: usize) -> bool {
    let mut room = vec![0; 65536];
    while let Ok(size @ 1..) = stream.read(&mut room).await {
        match left.checked_sub(size) {
            Some(less) => left = less,
            None => return true,
        }
        // Slower than the app, which shares this thread.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }
    false
}

#[tokio::test]
async fn a_download_outlives_its_token_for_as_long_as_the_route_allows() {
    let app = floods();
    for (lines, goes) in [("", true), ("timeout = { after_expiry = \"0s\" }", false)] {
        let api = Api::before(&app, lines).await;
        let (mut stream, token) = api.begin("GET", "").await;
        api.expired(&token).await;
        assert_eq!(goes_on(&mut stream, LARGE).await, goes, "{lines}");
    }
}

#[tokio::test]
async fn an_upload_outlives_its_token_for_as_long_as_the_route_allows() {
    let app = silent().await;
    let upload = "Content-Length: 1000000\r\n";
    let strict = Api::before(&app, "timeout = { after_expiry = \"0s\" }").await;
    let (stream, _) = strict.begin("POST", upload).await;
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "nothing has been answered yet: {answer}");
    assert!(answer.contains("error=\"invalid_token\""), "{answer}");
    assert!(strict.reason("/long").ends_with("the access token expired"));
    let usual = Api::before(&app, "").await;
    let (mut stream, token) = usual.begin("POST", upload).await;
    usual.expired(&token).await;
    stream.write_all(b"more").await.unwrap();
    let answered = timeout(Duration::from_secs(3), stream.read(&mut [0; 1])).await;
    assert!(answered.is_err(), "it goes on: {answered:?}");
}
