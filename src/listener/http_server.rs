//! HTTP/1.1 and HTTP/2 on an open stream.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::activity::{Activity, Expiry};
use super::connection::Connection;
use super::serve::left;
use super::service::{Answer, Service};
use super::stream::Watched;
use super::tally::{Refusal, Tally};
use super::{ConnectionLimits, Handler, Phase};
use crate::request::Transport;

/// hyper buffers no less.
const SMALLEST_BUFFER: usize = 8192;

/// Bytes of HTTP/2 request bodies under way: on a stream, and on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// HTTP/2 streams that a peer may reset before we took them, and that may fail on our side (rapid reset).
const PENDING_RESETS: usize = 20;
const LOCAL_RESETS: usize = 256;

impl<H: Handler> Connection<H> {
    /// Serves requests until the peer, a time limit or the phase ends it.
    pub(super) async fn serve<S>(self, stream: S, transport: Transport, http2: bool)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self { serving, handler, phase, seat, .. } = self;
        let activity = Activity::new();
        let watch = Watch { activity: &activity, limits: &serving.limits, tally: &seat.tally() };
        let service = service(handler, Arc::new(transport), Arc::clone(&activity));
        if http2 {
            let io = TokioIo::new(Watched::http2(stream, Arc::clone(&activity), seat));
            watch.run(phase, Box::pin(two(&serving.limits).serve_connection(io, service))).await;
        } else {
            let io = TokioIo::new(Watched::http1(stream, Arc::clone(&activity), seat));
            let connection = one(&serving.limits).serve_connection(io, service).with_upgrades();
            watch.run(phase, Box::pin(connection)).await;
        }
    }
}

fn service<H: Handler>(
    handler: H,
    transport: Arc<Transport>,
    activity: Arc<Activity>,
) -> impl HttpService<Incoming, ResBody = Answer<H::Body>, Error = std::convert::Infallible, Future: Send> {
    let service = Arc::new(Service { handler, transport, activity });
    // Boxed: hyper keeps the room of a request's future for as long as a connection waits for the next.
    service_fn(move |request: Request<Incoming>| Box::pin(service.answer(request)))
}

fn one(limits: &ConnectionLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Time limits are `Activity`'s: hyper's own would hold an idle connection to the limit of a head.
    // No `pipeline_flush`: with it hyper never sends the 400 that it writes to an unreadable request.
    builder
        .header_read_timeout(None)
        .half_close(false)
        .keep_alive(true)
        .max_headers(limits.max_fields)
        .max_header_size(limits.max_head)
        .max_buf_size(limits.max_head.max(SMALLEST_BUFFER));
    builder
}

fn two(limits: &ConnectionLimits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_head).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(LOCAL_RESETS)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.head);
    builder
}

/// A connection that can be told to end after what is under way.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Graceful for http1::UpgradeableConnection<I, S>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B> Graceful for http2::Connection<I, S, TokioExecutor>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send + 'static,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// What ends the plain serving of a connection.
enum First {
    Ended(hyper::Result<()>),
    Expired(Expiry),
    Left,
}

struct Watch<'a> {
    activity: &'a Activity,
    limits: &'a ConnectionLimits,
    tally: &'a Tally,
}

impl Watch<'_> {
    async fn run(self, mut phase: watch::Receiver<Phase>, mut connection: Pin<Box<impl Graceful>>) {
        match self.first(&mut phase, connection.as_mut()).await {
            First::Ended(ended) => self.ended(ended),
            First::Left => self.drain(connection.as_mut()).await,
            First::Expired(Expiry::Idle) => self.idle(connection.as_mut()).await,
            First::Expired(Expiry::Head) => self.cut(Refusal::Slow, "a request's head took too long"),
            First::Expired(Expiry::Stalled) => self.cut(Refusal::Stalled, "the peer does not read"),
        }
    }

    /// What comes first. A request wakes its connection several times, the other two hardly ever do: they are
    /// asked at length only where they may have something to say.
    async fn first(
        &self,
        phase: &mut watch::Receiver<Phase>,
        mut connection: Pin<&mut impl Graceful>,
    ) -> First {
        let (mut alarm, seen) = (self.activity.alarm(self.limits), phase.clone());
        let mut left = pin!(unconstrained(left(phase, |phase| phase != Phase::Serve)));
        let mut listens = false;
        poll_fn(|cx| {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(First::Ended(ended));
            }
            // `Err`: nobody is left to change it.
            if (!listens || seen.has_changed().unwrap_or(true)) && left.as_mut().poll(cx).is_ready() {
                return Poll::Ready(First::Left);
            }
            listens = true;
            alarm.poll(cx).map(First::Expired)
        })
        .await
    }

    /// What is under way may end; the time for it is the accept loop's to measure.
    async fn drain(self, mut connection: Pin<&mut impl Graceful>) {
        connection.as_mut().finish();
        tokio::select! {
            ended = connection.as_mut() => self.ended(ended),
            expiry = self.activity.expired(self.limits) => tracing::debug!(?expiry, "closed while draining"),
        }
    }

    /// HTTP/2 is told; a request that crosses with the word is still answered.
    async fn idle(self, mut connection: Pin<&mut impl Graceful>) {
        connection.as_mut().finish();
        if let Ok(ended) = timeout(self.limits.head, connection).await {
            self.ended(ended);
        }
    }

    fn cut(&self, refusal: Refusal, why: &str) {
        tracing::debug!(reason = why, "connection closed");
        self.tally.count(refusal);
    }

    fn ended(&self, ended: hyper::Result<()>) {
        let Err(error) = ended else { return };
        match refusal(&error) {
            Some(refusal) => {
                tracing::info!(reason = %error, answer = status(refusal), "unreadable request refused");
                self.tally.count(refusal);
            }
            None => tracing::debug!(reason = %error, "connection ended early"),
        }
    }
}

/// What hyper answered by itself, if it did.
fn refusal(error: &hyper::Error) -> Option<Refusal> {
    if error.is_parse_too_large() {
        Some(Refusal::TooLarge)
    } else if error.is_parse() {
        Some(Refusal::Malformed)
    } else {
        None
    }
}

const fn status(refusal: Refusal) -> &'static str {
    if matches!(refusal, Refusal::TooLarge) { "431 or 414" } else { "400" }
}
