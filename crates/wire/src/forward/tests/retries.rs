//! What HTTP/2 servers say they have not looked at is sent again, and nothing else.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::support::{FakeUpstream, Rig, data, fed, text};
use crate::forward::replay::MOST_HELD;
use crate::forward::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const PATIENCE: Duration = Duration::from_secs(60);

fn http2(fake: &FakeUpstream) -> Rig {
    let mut settings = fake.settings();
    settings.servers[0].protocol = Protocol::Http2;
    Rig::new(settings, &fixtures::forward_settings())
}

fn post(body: &'static [u8]) -> Request<Full<Bytes>> {
    Request::post("/").body(Full::new(Bytes::from_static(body))).unwrap()
}

/// An HTTP/2 server that retires each connection after so many requests, as nginx does.
struct Retiring {
    served: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Retiring {
    fn start(fake: FakeUpstream, after: usize) -> Arc<Self> {
        let retiring = Arc::new(Self {
            served: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let server = Arc::clone(&retiring);
        tokio::spawn(async move {
            loop {
                tokio::spawn(Arc::clone(&server).serve(fake.accept().await.stream, after));
            }
        });
        retiring
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, after: usize) {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        let (count, retire) = (AtomicUsize::new(0), Notify::new());
        let service = service_fn(|request: Request<Incoming>| {
            if count.fetch_add(1, Ordering::SeqCst) + 1 >= after {
                retire.notify_one();
            }
            self.served.fetch_add(1, Ordering::SeqCst);
            async {
                Ok::<_, Infallible>(Response::new(Full::new(request.collect().await.unwrap().to_bytes())))
            }
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = &mut connection => {}
            () = retire.notified() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn no_request_fails_where_an_http2_server_retires_its_connections() {
    for (after, clients, each) in [(20, 32, 40), (3, 12, 20), (1, 4, 10)] {
        let fake = FakeUpstream::new().await;
        let rig = http2(&fake);
        let server = Retiring::start(fake, after);
        let client = async |n: usize| {
            for request in 0..each {
                let body: &[u8] = if (n + request).is_multiple_of(2) { b"" } else { b"a form" };
                let answer = rig.send(post(body)).await.unwrap();
                assert_eq!(text(answer).await.unwrap().as_bytes(), body);
            }
        };
        timeout(PATIENCE, join_all((0..clients).map(client))).await.unwrap();
        assert_eq!(server.served.load(Ordering::SeqCst), clients * each, "each once");
        let most = server.most.load(Ordering::SeqCst);
        assert!(most <= 2 * clients.min(16), "{most} connections for {clients} clients");
        for _ in 0..6 {
            rig.upstream.sweep(5);
        }
        let closed = async {
            while server.open.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, closed).await.expect("what carries nothing is closed in the end");
    }
}

/// A server that refuses streams as long as `refuse` says so.
async fn refusing(stream: TcpStream, refuse: impl Fn(usize) -> bool, seen: &AtomicUsize) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if refuse(seen.fetch_add(1, Ordering::SeqCst)) {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
            continue;
        }
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut size = 0;
            while let Some(Ok(piece)) = body.data().await {
                let _ = body.flow_control().release_capacity(piece.len());
                size += piece.len();
            }
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            let _ = stream.send_data(size.to_string().into(), true);
        });
    }
}

#[tokio::test]
async fn a_refused_stream_is_sent_again_with_all_of_its_body() {
    for (method, size, refused) in
        [(Method::GET, 0, 1), (Method::POST, 0, 1), (Method::POST, 10, 4), (Method::POST, MOST_HELD, 1)]
    {
        let fake = FakeUpstream::new().await;
        let (rig, seen) = (http2(&fake), AtomicUsize::new(0));
        let body = Full::new(Bytes::from(vec![b'x'; size]));
        let request = Request::builder().method(&method).body(body).unwrap();
        let server = async { refusing(fake.accept().await.stream, |n| n < refused, &seen).await };
        let ask = async { text(rig.send(request).await.unwrap()).await.unwrap() };
        let told = tokio::select! { told = ask => told, () = server => unreachable!("it serves for ever") };
        assert_eq!((told, seen.load(Ordering::SeqCst)), (size.to_string(), refused + 1), "{method} {size}");
        assert!(!rig.upstream.state()[0].ejected);
    }
}

#[tokio::test]
async fn invariant_9_what_is_sent_again_over_another_version_tells_everything_once() {
    let (refuses, takes) = (FakeUpstream::new().await, FakeUpstream::new().await);
    let mut settings =
        fixtures::upstream_settings(vec![fixtures::tcp(refuses.port()), fixtures::tcp(takes.port())]);
    settings.servers[0].protocol = Protocol::Http2;
    let mut forward = fixtures::forward_settings();
    forward.identity.headers = vec![("x-user".parse().unwrap(), IdentityValue::User)];
    let (rig, seen) = (Rig::new(settings, &forward).signed_in(), AtomicUsize::new(0));
    let refusing = async { refusing(refuses.accept().await.stream, |_| true, &seen).await };
    let taking = async {
        let mut hand = takes.accept().await;
        let head = hand.head().await;
        assert_eq!(hand.until("hello").await, "hello");
        hand.say(OK).await;
        (head, hand)
    };
    let exchange = async { join!(rig.send(post(b"hello")), taking) };
    let (answer, (head, _hand)) =
        tokio::select! { done = exchange => done, () = refusing => unreachable!("it serves for ever") };
    assert_eq!((text(answer.unwrap()).await.unwrap().as_str(), seen.load(Ordering::SeqCst)), ("ok", 1));
    for name in ["x-forwarded-for", "forwarded", "via", "host", "x-user", "content-length", "x-request-id"] {
        assert_eq!(head.matches(&format!("\r\n{name}: ")).count(), 1, "{name} in {head}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_for_ever_is_a_bad_gateway_in_the_end() {
    let fake = FakeUpstream::new().await;
    let (rig, seen) = (http2(&fake), AtomicUsize::new(0));
    let server = async { refusing(fake.accept().await.stream, |_| true, &seen).await };
    let fault =
        tokio::select! { fault = rig.fault() => fault, () = server => unreachable!("it serves for ever") };
    assert_eq!(fault, ForwardFault::Refused);
    assert_eq!(seen.load(Ordering::SeqCst), 10, "and is asked so often, no more");
}

/// What was refused after more of its body had gone than is held.
#[tokio::test]
async fn a_body_that_is_not_held_any_more_is_told_of() {
    let fake = FakeUpstream::new().await;
    let rig = http2(&fake);
    let server = async {
        let mut connection = h2::server::handshake(fake.accept().await.stream).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        let mut body = request.into_body();
        let take = async {
            let mut taken = 0;
            while taken <= MOST_HELD {
                let piece = body.data().await.unwrap().unwrap();
                body.flow_control().release_capacity(piece.len()).unwrap();
                taken += piece.len();
            }
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        };
        let more = async { while connection.accept().await.is_some() {} };
        join!(take, more);
    };
    let request = Request::put("/").body(Full::new(Bytes::from(vec![b'x'; MOST_HELD + 1]))).unwrap();
    let answer = tokio::select! { answer = rig.send(request) => answer, () = server => unreachable!("it serves for ever") };
    let error = answer.unwrap_err();
    assert_eq!(error.fault(), ForwardFault::NotHeld);
    assert!(error.to_string().contains("64 KiB"), "{error}");
}

/// A client is still sending when its request is refused: what it sends goes on behind what is held.
#[tokio::test]
async fn a_body_that_still_comes_in_is_sent_again_from_its_beginning() {
    let fake = FakeUpstream::new().await;
    let rig = http2(&fake);
    let (feed, body) = fed();
    let server = async {
        let mut connection = h2::server::handshake(fake.accept().await.stream).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        feed.send(data("one ")).await.unwrap();
        let mut first = request.into_body();
        tokio::select! {
            piece = first.data() => assert_eq!(piece.unwrap().unwrap(), "one "),
            _ = connection.accept() => unreachable!("only one is sent"),
        }
        respond.send_reset(h2::Reason::REFUSED_STREAM);
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        feed.send(data("two")).await.unwrap();
        drop(feed);
        let mut second = request.into_body();
        let echo = async {
            let mut all = Vec::new();
            while let Some(piece) = second.data().await {
                all.extend_from_slice(&piece.unwrap());
            }
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(all.into(), true).unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! { () = echo => {}, _ = connection.accept() => {} }
    };
    let ask = async { text(rig.send(Request::post("/").body(body).unwrap()).await.unwrap()).await.unwrap() };
    let told = tokio::select! { told = ask => told, () = server => unreachable!("it serves for ever") };
    assert_eq!(told, "one two");
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, 0], payload].concat()
}

/// Reads up to and with the first `HEADERS`.
async fn headers(stream: &mut TcpStream) {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == 1 {
            return;
        }
    }
}

/// Says by `GOAWAY` which stream was the last it looked at, and closes.
async fn goes_away(listener: &TcpListener, last: u32) {
    let mut stream = listener.accept().await.unwrap().0;
    headers(&mut stream).await;
    let goodbye = frame(7, &[last.to_be_bytes(), [0; 4]].concat());
    stream.write_all(&[frame(4, &[]), goodbye].concat()).await.unwrap();
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn goaway_tells_what_was_looked_at_and_only_the_rest_is_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings =
        fixtures::upstream_settings(vec![fixtures::tcp(listener.local_addr().unwrap().port())]);
    settings.servers[0].protocol = Protocol::Http2;
    let rig = Rig::new(settings, &fixtures::forward_settings());
    let again = async {
        goes_away(&listener, 0).await;
        goes_away(&listener, 1).await;
    };
    let (answer, ()) = timeout(PATIENCE, async { join!(rig.send(post(b"x")), again) }).await.unwrap();
    assert_eq!(
        answer.unwrap_err().fault(),
        ForwardFault::Reset,
        "the second server had it, and nobody has it twice"
    );
}

#[tokio::test]
async fn requests_wait_for_room_on_bounded_connections() {
    let fake = FakeUpstream::new().await;
    let rig = http2(&fake);
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (connections, peak) = (Arc::clone(&open), Arc::clone(&most));
    let accept = async move {
        loop {
            let stream = fake.accept().await.stream;
            peak.fetch_max(connections.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                server.max_concurrent_streams(1);
                let service = service_fn(|_| async {
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"ok"))))
                });
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    let ask = async |_| {
        for _ in 0..5 {
            assert_eq!(text(rig.get("/").await.unwrap()).await.unwrap(), "ok");
        }
    };
    let all = timeout(PATIENCE, join_all((0..100).map(ask)));
    tokio::select! { done = all => drop(done.unwrap()), () = accept => {} }
    assert!(most.load(Ordering::SeqCst) <= 16, "{most:?}");
}
