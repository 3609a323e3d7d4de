//! Whatever goes on for long, one of each kind, all of them open at once.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt, stream};
use http::Request;
use http::uri::PathAndQuery;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tonic::{Code, Streaming};

use crate::support::{PATIENCE, events, floods, silent, sockets};
use crate::traffic::grpc::{Plain, client, echo};

/// More than sockets and the gateway hold between them.
const LARGE: usize = 64 << 20;

/// Where each kind is, and what the log calls it.
pub(crate) const PATHS: [&str; 5] = ["/socket", "/events", "/download", "/upload", "/test.Echo/Chat"];

/// Routes to an app of each kind, each with these lines.
pub(crate) async fn routes(lines: &str) -> String {
    let apps = [
        ("/socket", sockets().await),
        ("/events", events().await),
        ("/download", floods()),
        ("/upload", silent().await),
        ("/test.Echo", format!("h2c://127.0.0.1:{}", echo().await)),
    ];
    let route = |(path, app): (&str, String)| {
        format!("[[routes]]\nname = \"{path}\"\npath = \"{path}\"\nupstream = \"{app}\"\n{lines}\n\n")
    };
    apps.map(route).concat()
}

/// One stream of each kind.
pub(crate) struct Streams {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: TcpStream,
    download: TcpStream,
    upload: TcpStream,
    http2: SendRequest<Empty<Bytes>>,
    http2_events: Incoming,
    grpc: Streaming<Vec<u8>>,
    messages: UnboundedSender<Vec<u8>>,
}

/// How they ended.
pub(crate) struct Ends {
    /// The close frame of the WebSocket.
    pub(crate) close: (u16, String),
    /// The answer to the upload, which had none when it ended.
    pub(crate) upload: String,
    /// The status of the gRPC stream.
    pub(crate) grpc: (Code, String),
}

impl Streams {
    /// Opens them on the gateway at `port`, with this field.
    pub(crate) async fn open(port: u16, (name, value): (&'static str, &str)) -> Self {
        let field = format!("{name}: {value}\r\n");
        let mut request = format!("ws://127.0.0.1:{port}/socket").into_client_request().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        echoes(&mut socket).await;
        let mut events = begin(port, "GET /events", &field).await;
        first_event(&mut events).await;
        let mut download = begin(port, "GET /download", &field).await;
        let mut status = [0; 12];
        download.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        let upload = begin(port, "POST /upload", &format!("{field}content-length: 1000000\r\n")).await;
        let stream = TokioIo::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        let (mut http2, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let mut http2_events =
            http2.send_request(get(port, "/events", (name, value))).await.unwrap().into_body();
        let event = http2_events.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&*event, b"data: hello\n\n");
        let (messages, sent) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
        let sent = stream::unfold(sent, async |mut sent| sent.recv().await.map(|one| (one, sent)));
        messages.send(b"one".to_vec()).unwrap();
        let mut request = tonic::Request::new(Box::pin(sent));
        request.metadata_mut().insert(name, value.parse().unwrap());
        let path = PathAndQuery::from_static("/test.Echo/Chat");
        let mut grpc = client(port).await.streaming(request, path, Plain).await.unwrap().into_inner();
        assert_eq!(grpc.message().await.unwrap().unwrap(), b"one");
        Self { socket, events, download, upload, http2, http2_events, grpc, messages }
    }

    /// All of them go on.
    pub(crate) async fn go_on(&mut self) {
        echoes(&mut self.socket).await;
        for stream in [&self.events, &self.upload] {
            let read = stream.try_read(&mut [0; 64]);
            assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
        }
        assert!(reads(&mut self.download, LARGE).await, "the download goes on");
        assert!(self.http2_events.frame().now_or_never().is_none());
        self.messages.send(b"two".to_vec()).unwrap();
        assert_eq!(self.grpc.message().await.unwrap().unwrap(), b"two");
    }

    /// Waits until each has ended, and not as if it were whole; other requests of a connection go on.
    pub(crate) async fn end(mut self, port: u16) -> Ends {
        let close = loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the WebSocket ends") {
                Some(Ok(Message::Close(Some(close)))) => break (close.code.into(), close.reason.to_string()),
                Some(Ok(_)) => {}
                end => panic!("no close frame: {end:?}"),
            }
        };
        let events = rest(&mut self.events, "the event stream ends").await;
        assert!(!events.ends_with("0\r\n\r\n"), "{events}");
        assert!(!reads(&mut self.download, LARGE).await, "the download ends");
        let upload = rest(&mut self.upload, "the upload ends").await;
        let reset = timeout(PATIENCE, self.http2_events.collect()).await.expect("it is reset").unwrap_err();
        assert!(format!("{reset:?}").contains("Reset"), "{reset:?}");
        let request = get(port, "/.portcullis/keys", ("accept", "*/*"));
        assert!(self.http2.send_request(request).await.is_ok(), "the connection goes on");
        let status = timeout(PATIENCE, self.grpc.message()).await.expect("the gRPC stream ends").unwrap_err();
        Ends { close, upload, grpc: (status.code(), status.message().to_owned()) }
    }
}

fn get(port: u16, path: &str, (name, value): (&str, &str)) -> Request<Empty<Bytes>> {
    let request = Request::get(format!("http://127.0.0.1:{port}{path}")).header(name, value);
    request.body(Empty::new()).unwrap()
}

async fn echoes(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) {
    socket.send(Message::text("a word")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("a word"));
}

async fn begin(port: u16, line: &str, fields: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{fields}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn first_event(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("data: hello\n\n\r\n") {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
}

/// Whether so many bytes come.
async fn reads(stream: &mut TcpStream, mut left: usize) -> bool {
    let mut room = vec![0; 65536];
    while let Ok(Ok(size @ 1..)) = timeout(PATIENCE, stream.read(&mut room)).await {
        match left.checked_sub(size) {
            Some(less) => left = less,
            None => return true,
        }
        // Slower than the app.
        tokio::time::sleep(Duration::from_micros(50)).await;
    }
    false
}

/// What comes until the end; a reset is an end as well.
async fn rest(stream: &mut TcpStream, what: &str) -> String {
    let mut read = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect(what);
    String::from_utf8_lossy(&read).into_owned()
}
