//! How hyper reads the same bytes: the other opinion on HTTP/1.1.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;

/// How often a future is polled: one that waits for nothing but itself is done by then.
const TURNS: usize = 10_000;

/// A body that came whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Its bytes.
    pub data: Vec<u8>,
    /// What stood behind them.
    pub trailers: HeaderMap,
}

/// The requests in `bytes`, which come in pieces of `size`, up to the first that is not whole or no request. Each is
/// answered at once.
pub fn requests(bytes: &[u8], size: usize) -> Vec<(http::request::Parts, Whole)> {
    let read = Rc::new(RefCell::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let read = Rc::clone(&read);
        async move {
            let (parts, body) = request.into_parts();
            if let Some(whole) = whole(body).await {
                read.borrow_mut().push((parts, whole));
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let wire = HyperIo { incoming: bytes, size, open: true };
    let connection =
        hyper::server::conn::http1::Builder::new().half_close(true).serve_connection(wire, service);
    turn(&mut pin!(connection));
    drop(read.borrow_mut());
    read.take()
}

/// The final response in `bytes` to a request of this method; `None` where it is none, or not whole.
pub fn response(bytes: &[u8], size: usize, asked: &Method) -> Option<(http::response::Parts, Whole)> {
    let wire = HyperIo { incoming: bytes, size, open: false };
    let mut exchange = pin!(async {
        let builder = hyper::client::conn::http1::Builder::new();
        let (mut sender, connection) = builder.handshake::<_, Empty<Bytes>>(wire).await.ok()?;
        let mut request = Request::new(Empty::new());
        *request.method_mut() = asked.clone();
        let answer = async {
            let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
            // What follows a change of protocols is no body.
            let switched = parts.status == StatusCode::SWITCHING_PROTOCOLS;
            let body = if switched { Whole::default() } else { whole(body).await? };
            Some((parts, body))
        };
        let mut connection = pin!(connection);
        let mut answer = pin!(answer);
        let mut over = false;
        std::future::poll_fn(|cx| {
            over = over || connection.as_mut().poll(cx).is_ready();
            answer.as_mut().poll(cx)
        })
        .await
    });
    turn(&mut exchange).flatten()
}

async fn whole(body: Incoming) -> Option<Whole> {
    let collected = body.collect().await.ok()?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Some(Whole { data: collected.to_bytes().to_vec(), trailers })
}

/// Polls what waits for nobody else to its end; `None` where it would wait for ever.
fn turn<F: Future>(future: &mut Pin<&mut F>) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..TURNS {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// Bytes that come in pieces, and an end; a response's only once the request has left.
struct HyperIo<'a> {
    incoming: &'a [u8],
    size: usize,
    open: bool,
}

impl Read for HyperIo<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.open {
            return Poll::Pending;
        }
        let size = self.size.max(1).min(into.remaining()).min(self.incoming.len());
        let (piece, rest) = self.incoming.split_at(size);
        into.put_slice(piece);
        self.incoming = rest;
        Poll::Ready(Ok(()))
    }
}

impl Write for HyperIo<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.open = true;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
