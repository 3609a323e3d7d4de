//! HTTP/2 towards clients, which hyper serves.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pin_project_lite::pin_project;

use super::activity::{Activity, InFlight};
use super::http1::{Ambiguity, HeadError, LONGEST};
use super::request_body::RequestBody;
use super::stats::ConnectionStats;
use super::stream::{ClientStream, HttpStream, Watched};
use super::watch::Graceful;
use super::{ConnectionLimits, Handler};
use crate::request::Transport;

/// Bytes of request bodies under way: on a stream, and on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Streams that a peer may reset before we took them, and that may fail on our side (rapid reset).
const PENDING_RESETS: usize = 20;
const LOCAL_RESETS: usize = 256;

/// A connection that speaks HTTP/2, to be polled to its end.
pub(super) fn serve<H: Handler>(
    handler: H,
    transport: Arc<Transport>,
    limits: &ConnectionLimits,
    HttpStream { stream, activity, guard }: HttpStream,
) -> impl Graceful + Send {
    let (stats, max_fields) = (Arc::clone(guard.stats()), limits.max_fields);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity), guard));
    let service = Arc::new(Service { handler, transport, activity, stats, max_fields });
    // Boxed: hyper keeps the room of a request's future for as long as a connection waits for the next.
    let service = service_fn(move |request: Request<Incoming>| Box::pin(service.answer(request)));
    builder(limits).serve_connection(io, service)
}

fn builder(limits: &ConnectionLimits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        // Fixed windows: they bound the memory that a connection's bodies take.
        .adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_head).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(mutant!(PENDING_RESETS, "resets-without-bound" => 1_000_000))
        .max_local_error_reset_streams(LOCAL_RESETS)
        // A ping after silence: a peer that does not answer it is gone.
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.head);
    builder
}

impl<S, B> Graceful for http2::Connection<TokioIo<Watched<ClientStream>>, S, TokioExecutor>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx).map(|ended| {
            if let Err(error) = ended {
                tracing::debug!(reason = %error, "connection ended early");
            }
        })
    }

    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// What answers the requests of one connection, which share it: reference counts that several workers changed
/// would make each of them wait for the others' caches.
struct Service<H> {
    handler: H,
    transport: Arc<Transport>,
    activity: Arc<Activity>,
    stats: Arc<ConnectionStats>,
    max_fields: usize,
}

impl<H: Handler> Service<H> {
    /// Answers one request and keeps it counted until its body has ended.
    fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<CountedBody<H::Body>>, Infallible>> + Send + use<H> {
        let (service, in_flight) = (Arc::clone(self), self.activity.begin());
        let request = request.map(RequestBody::http2);
        // A block: the future of an `async fn` holds its arguments twice.
        async move {
            if let Err(refused) = service.check(&request) {
                let refusal = service.refuse(&refused);
                return Ok(refusal.map(|text| CountedBody { body: Either::Right(text), in_flight }));
            }
            let response = service.handler.handle(&service.transport, request).await;
            Ok(response.map(|body| CountedBody { body: Either::Left(body), in_flight }))
        }
    }

    /// Holds the head to the bounds of HTTP/1.1. A `Cookie` that was split into several counts as one field
    /// (RFC 9113, section 8.2.3).
    fn check(&self, request: &Request<RequestBody>) -> Result<(), HeadError> {
        let fields = request.headers();
        let crumbs = || fields.get_all(header::COOKIE).iter().count().saturating_sub(1);
        if fields.len() > self.max_fields && fields.len() - crumbs() > self.max_fields {
            return mutant!(Err(HeadError::TooLarge), "many-fields-over-http2" => Ok(()));
        }
        if request.body().size_hint().lower() > LONGEST { Err(Ambiguity::Length.into()) } else { Ok(()) }
    }

    fn refuse(&self, refused: &HeadError) -> Response<Full<Bytes>> {
        let status = refused.status();
        self.stats.count(refused.refusal());
        self.handler.unreadable(&self.transport, refused, Some(status));
        let mut response = Response::new(Full::from(format!("{refused}\n")));
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
        response
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

pin_project! {
    /// A response's body; dropped when it has been sent or given up.
    pub(super) struct CountedBody<B> {
        #[pin]
        body: Either<B, Full<Bytes>>,
        in_flight: InFlight,
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for CountedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
