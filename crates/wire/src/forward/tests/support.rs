//! FakeUpstream upstreams that say exactly what a test wants, and a rig that forwards to them.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::forward::*;
use crate::http1::{Io, Upgrade};
use crate::identity::RequestId;
use crate::policy::{Grant, Permit};
use crate::request::{Authority, ClientAddress, Forwarding, RequestPath, Scheme};
use crate::secret::Secret;

pub(super) type Answer = Result<Response<UpstreamBody>, ForwardError>;

/// A fake upstream on a socket of its own.
pub(super) struct FakeUpstream {
    listener: TcpListener,
}

/// One connection to it, spoken by hand.
pub(super) struct RawConnection {
    pub(super) stream: TcpStream,
    pub(super) read: Vec<u8>,
}

impl FakeUpstream {
    pub(super) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(super) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub(super) fn settings(&self) -> UpstreamSettings {
        fixtures::upstream_settings(vec![fixtures::tcp(self.port())])
    }

    pub(super) fn rig(&self) -> Rig {
        Rig::new(self.settings(), &fixtures::forward_settings())
    }

    pub(super) async fn accept(&self) -> RawConnection {
        RawConnection::new(self.listener.accept().await.unwrap().0)
    }

    /// Accepts, reads one head, answers and keeps the connection.
    pub(super) async fn answer(&self, response: &str) -> (RawConnection, String) {
        let mut hand = self.accept().await;
        let head = hand.head().await;
        hand.say(response).await;
        (hand, head)
    }
}

impl RawConnection {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, read: Vec::new() }
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to and with `end`.
    pub(super) async fn until(&mut self, end: &str) -> String {
        loop {
            let found = (0..=self.read.len()).find(|at| self.read[*at..].starts_with(end.as_bytes()));
            if let Some(at) = found {
                let rest = self.read.split_off(at + end.len());
                return String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
            }
            let more = self.stream.read_buf(&mut self.read).await.unwrap();
            assert_ne!(more, 0, "closed after {:?}", String::from_utf8_lossy(&self.read));
        }
    }

    pub(super) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// What comes until the other side closes, whether by the book or not.
    pub(super) async fn rest(mut self) -> String {
        let _ = self.stream.read_to_end(&mut self.read).await;
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Closes with a reset instead of an end.
    pub(super) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

/// A body fed by hand.
pub(super) struct FedBody(mpsc::Receiver<Result<Frame<Bytes>, io::Error>>);

impl Body for FedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(cx)
    }
}

/// What feeds a [`FedBody`].
pub(super) struct BodyFeed(mpsc::Sender<Result<Frame<Bytes>, io::Error>>);

impl BodyFeed {
    pub(super) async fn send(&self, frame: Frame<Bytes>) -> Result<(), ()> {
        self.0.send(Ok(frame)).await.map_err(drop)
    }

    /// Breaks off.
    pub(super) async fn fail(&self) {
        self.0.send(Err(io::Error::other("gone"))).await.unwrap();
    }

    /// Until nobody takes any more.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}

pub(super) fn fed() -> (BodyFeed, FedBody) {
    let (sender, receiver) = mpsc::channel(1);
    (BodyFeed(sender), FedBody(receiver))
}

pub(super) fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

/// Everything a request needs to be forwarded.
pub(super) struct Rig {
    pub(super) upstream: Arc<Upstream>,
    pub(super) plan: Plan,
    pub(super) permit: Permit,
    pub(super) bearer: bool,
    pub(super) access_token: Option<Secret>,
    pub(super) id_token: Option<Secret>,
    pub(super) asserter: Option<Asserter>,
}

impl Rig {
    pub(super) fn new(upstream: UpstreamSettings, forward: &ForwardSettings) -> Self {
        Self {
            upstream: Upstream::new(upstream, 1).unwrap(),
            plan: Plan::compile(forward, Arc::new(ReservedHeaders::new([forward]))),
            permit: Permit::for_tests(Grant::Public),
            bearer: false,
            access_token: None,
            id_token: None,
            asserter: None,
        }
    }

    pub(super) fn signed_in(mut self) -> Self {
        self.permit = Permit::for_tests(Grant::Principal(Arc::new(fixtures::alice())));
        self
    }

    pub(super) async fn send<B>(&self, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let raw = request.uri().path().to_owned();
        let path = RequestPath::parse(if raw == "*" { "/" } else { &raw }).unwrap();
        let transport = fixtures::transport("192.0.2.7:999");
        let client = ClientAddress::new(transport.peer.ip());
        let authority = Authority::parse("wiki.corp.example").unwrap();
        let context = ForwardContext {
            destination: None,
            transport: &transport,
            forwarding: &Forwarding { client, scheme: Scheme::Https, host: None },
            authority: &authority,
            path: &path,
            trace: None,
            request_id: &RequestId::new("req-1"),
            bearer: self.bearer,
            brought: None,
            tokens: SessionTokens { access: self.access_token.as_ref(), id: self.id_token.as_ref() },
            own_cookies: &|name: &str| name == "__Host-portcullis",
            asserter: self.asserter.as_ref(),
            audience: authority.host(),
        };
        forward(&self.upstream, &self.plan, &self.permit, context, request).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(get(path)).await
    }

    /// The fault of a `GET /` that must fail.
    pub(super) async fn fault(&self) -> ForwardFault {
        self.get("/").await.map(drop).unwrap_err().fault()
    }
}

pub(super) fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).body(Empty::new()).unwrap()
}

pub(super) async fn text(response: Response<UpstreamBody>) -> Result<String, BodyError> {
    let whole = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(whole.to_vec()).unwrap())
}

/// The fields of a head as hyper writes it, sorted, without the request line.
pub(super) fn fields(head: &str) -> Vec<&str> {
    let mut fields: Vec<&str> = head.trim_end().split("\r\n").skip(1).collect();
    fields.sort_unstable();
    fields
}

/// A gateway in front of `rig` for one connection: HTTP/1.1 or HTTP/2.
pub(super) async fn serve<T>(rig: Arc<Rig>, stream: T, http2: bool)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let rig = Arc::clone(&rig);
        async move {
            let mut response = rig.send(upgradable(request)).await.map_err(|error| error.to_string())?;
            if let Some(tunnel) = response.body_mut().take_tunnel() {
                tokio::spawn(tunnel.run(std::future::pending(), || {}));
            }
            Ok::<_, String>(response)
        }
    });
    let io = TokioIo::new(stream);
    // How a connection ended is what its client sees; nobody asks the server.
    if http2 {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(io, service).await;
    } else {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(io, service).with_upgrades().await;
    }
}

/// As the listener hands requests on.
pub(super) fn upgradable(mut request: Request<Incoming>) -> Request<Incoming> {
    let upgrade = hyper::upgrade::on(&mut request);
    let handover = async {
        let stream = upgrade.await.map_err(io::Error::other)?;
        Ok(Box::new(TokioIo::new(stream)) as Box<dyn Io>)
    };
    request.extensions_mut().insert(Upgrade::new(handover));
    request
}

/// A client's end of a connection to a gateway in front of `rig`.
pub(super) async fn client(rig: &Arc<Rig>) -> RawConnection {
    RawConnection::new(connected(rig, false).await)
}

/// The same, for a client that speaks for itself.
pub(super) async fn connected(rig: &Arc<Rig>, http2: bool) -> TcpStream {
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(front.local_addr().unwrap()).await.unwrap();
    tokio::spawn(serve(Arc::clone(rig), front.accept().await.unwrap().0, http2));
    near
}

/// An HTTP/2 upstream that answers `request` with what `answer` makes of it.
pub(super) async fn serve_http2<F, R, B>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: F,
) where
    F: Fn(Request<Incoming>) -> R + Send + 'static,
    R: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
