//! A listener with a handler that tells what reached it, and clients on raw sockets.

mod answers;
mod drain;
mod hostile;
mod http2;
mod limits;
mod proxied;
mod tls;
mod unix;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::*;
use crate::http1::Upgrade;
use crate::request::{Transport, WorkerId};

/// Remembers method, target and body and answers with them; `/wait` waits for a permit, `/big` sends
/// more than a socket holds, `/upgrade` echoes.
#[derive(Clone, Debug)]
struct RecordingHandler {
    seen: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Handler for RecordingHandler {
    type Body = Full<Bytes>;

    async fn handle(
        &self,
        transport: &Arc<Transport>,
        request: Request<RequestBody>,
    ) -> Response<Full<Bytes>> {
        if request.uri().path() == "/upgrade" {
            tokio::spawn(echo(request.extensions().get::<Upgrade>().unwrap().clone()));
            let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            return response.header("connection", "upgrade").body(Full::default()).unwrap();
        }
        let (head, body) = request.into_parts();
        assert_ne!(head.uri.path(), "/panic", "asked for");
        self.seen.lock().unwrap().push(format!("begun {}", head.uri));
        if head.uri.path() == "/wait" {
            self.gate.acquire().await.unwrap().forget();
        }
        let Ok(body) = body.collect().await else {
            let response = Response::builder().status(StatusCode::BAD_REQUEST);
            return response.body(Full::default()).unwrap();
        };
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        let line =
            format!("{} {} [{body}] {} {}", head.method, head.uri, transport.peer.ip(), transport.scheme);
        self.seen.lock().unwrap().push(line.clone());
        if head.uri.path() == "/big" {
            return Response::new(Full::new(Bytes::from(vec![b'x'; 64 << 20])));
        }
        Response::new(Full::new(Bytes::from(line)))
    }
}

async fn echo(upgrade: Upgrade) {
    let (mut reader, mut writer) = tokio::io::split(upgrade.take().await.unwrap());
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
}

struct TestServer {
    address: SocketAddr,
    handler: RecordingHandler,
    serving: Arc<ArcSwap<Serving>>,
    phase: watch::Sender<Phase>,
    task: JoinHandle<()>,
}

fn clear() -> ListenerSettings {
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    ListenerSettings { address, tls: None, proxy_protocol: None, h2c: false, to_https: false }
}

impl TestServer {
    fn start(settings: &ListenerSettings, limits: ConnectionLimits) -> Self {
        let socket = bind(settings, false).unwrap();
        let address = socket.local_addr().unwrap();
        let serving = Serving::load(settings, limits, None).unwrap();
        let serving = Arc::new(ArcSwap::from_pointee(serving));
        let handler = RecordingHandler { seen: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
        let (phase, phases) = watch::channel(Phase::Serve);
        let socket = tokio::net::TcpListener::from_std(socket).unwrap();
        let task = serve(socket, Arc::clone(&serving), handler.clone(), WorkerId(0), phases);
        Self { address, handler, serving, phase, task: tokio::spawn(task) }
    }

    fn plain() -> Self {
        Self::start(&clear(), ConnectionLimits::default())
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `bytes` and returns all that comes back until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        let (mut reader, mut writer) = stream.split();
        // The server may close before it has read everything.
        let (_, text) = tokio::join!(writer.write_all(bytes), read_to_end(&mut reader));
        text
    }

    /// What reached the handler whole.
    fn seen(&self) -> Vec<String> {
        let seen = self.handler.seen.lock().unwrap();
        seen.iter().filter(|line| !line.starts_with("begun")).cloned().collect()
    }

    async fn begun(&self, target: &str) {
        let line = format!("begun {target}");
        while !self.handler.seen.lock().unwrap().contains(&line) {
            tokio::task::yield_now().await;
        }
    }

    fn refused(&self, refusal: ConnectionRefusal) -> u64 {
        self.serving.load().stats().refused(refusal)
    }
}

/// Everything until the end; a reset is an end as well.
async fn read_to_end<R: tokio::io::AsyncRead + Unpin>(reader: &mut R) -> String {
    let mut bytes = Vec::new();
    let _ = reader.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer with a `content-length`, off a connection that stays open.
async fn read_answer<R: tokio::io::AsyncRead + Unpin>(reader: &mut R) -> String {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() == length.parse::<usize>().unwrap()) {
                return text;
            }
        }
        text.push(char::from(reader.read_u8().await.expect("the answer is whole")));
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const SHORT: Duration = Duration::from_secs(3);
