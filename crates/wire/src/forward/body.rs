//! The request's body on its way to an upstream: streamed, counted, watched, its trailers filtered.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Sleep, sleep};

use super::error::BoxError;
use super::exchange::Exchange;
use super::pace::Pace;
use super::replay::{BoxBody, Held, HeldReader, ReplayBudget};
use super::timer::IdleTimer;
use super::{ForwardFault, ReservedHeaders, headers};
use crate::request::{FieldNameError, check_field_names};

/// How long an upstream may take to answer `Expect: 100-continue` before the body is sent anyway, as
/// RFC 9110, section 10.1.1 has it: there are servers that never do.
const EXPECT: Duration = Duration::from_secs(1);

/// A request's body as connections to upstreams take it. One type for all, so that they can be pooled;
/// an empty one costs nothing.
pub(super) struct OutboundBody {
    source: RequestSource,
    watch: Option<Box<BodyWatch>>,
}

enum RequestSource {
    Empty,
    Content(BoxBody),
    /// It may be sent again.
    Held(HeldReader),
}

/// What goes along with a body while it is sent: its time limits, what is left of its length, what its
/// trailers may hold, and whether it waits for the upstream's `100 Continue` (`expect`).
struct BodyWatch {
    exchange: Arc<Exchange>,
    idle: IdleTimer,
    pace: Option<Pace>,
    left: Option<u64>,
    reserved: Arc<ReservedHeaders>,
    expect: Option<Pin<Box<Sleep>>>,
}

/// What is allowed to a body.
pub(super) struct BodyLimits {
    pub(super) max: Option<u64>,
    pub(super) idle: Duration,
    /// Bytes a second that the client must send.
    pub(super) rate: Option<u64>,
    pub(super) reserved: Arc<ReservedHeaders>,
}

/// Why the body was broken off; hyper hands it to nobody but the log.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the request's body is larger than allowed")]
    TooLarge,
    #[error("the request's body was silent for too long")]
    Silent,
    #[error("in the trailers: {0}")]
    Trailers(#[from] FieldNameError),
    #[error("the request's body came more slowly than `min_body_rate` allows")]
    Slow,
    #[error("the response ended before the request")]
    Cancelled,
}

impl OutboundBody {
    pub(super) const EMPTY: Self = Self { source: RequestSource::Empty, watch: None };

    /// Wraps `body`; nothing is polled yet.
    pub(super) fn new<B>(body: B, limits: BodyLimits) -> (Self, Option<Arc<Exchange>>)
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return (Self::EMPTY, None);
        }
        let (body, exchange) = Self::watched(RequestSource::new(body), limits);
        (body, Some(exchange))
    }

    /// What was held of a body, and whatever else comes of it.
    pub(super) fn replayed(reading: HeldReader, limits: BodyLimits) -> (Self, Arc<Exchange>) {
        Self::watched(RequestSource::Held(reading), limits)
    }

    fn watched(source: RequestSource, limits: BodyLimits) -> (Self, Arc<Exchange>) {
        let exchange = Arc::new(Exchange::default());
        let watch = BodyWatch {
            exchange: Arc::clone(&exchange),
            idle: IdleTimer::new(limits.idle),
            pace: limits.rate.map(Pace::new),
            left: limits.max,
            reserved: limits.reserved,
            expect: None,
        };
        (Self { source, watch: Some(Box::new(watch)) }, exchange)
    }

    /// Holds what will be read from now on, so that it can be sent again; `None` where there is nothing to hold.
    pub(super) fn hold(&mut self, budget: &Arc<ReplayBudget>) -> Option<Held> {
        let (held, reading) = match std::mem::replace(&mut self.source, RequestSource::Empty) {
            RequestSource::Empty => return None,
            RequestSource::Content(body) => Held::new(body, budget),
            RequestSource::Held(reading) => (reading.held(), reading),
        };
        self.source = RequestSource::Held(reading);
        Some(held)
    }

    /// Holds the body back until the upstream asks for it: no byte is read from the client before.
    pub(super) fn hold_back(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.exchange.hold_back();
            watch.expect = Some(Box::pin(sleep(EXPECT)));
        }
    }

    /// Lets the body go without being asked for.
    pub(super) fn let_go(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.expect = None;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.source, RequestSource::Empty)
    }
}

impl RequestSource {
    fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        Self::Content(Box::pin(body.map_err(Into::into)))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Content(body) => body.as_mut().poll_frame(cx),
            Self::Held(reading) => Pin::new(reading).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Content(body) => body.is_end_stream(),
            Self::Held(reading) => reading.is_end_stream(),
        }
    }
}

/// A body that is dropped waits for its client no longer: from now on the upstream's silence counts again.
impl Drop for BodyWatch {
    fn drop(&mut self) {
        self.exchange.stop_waiting();
    }
}

impl BodyWatch {
    /// Ready where the body may flow: it is neither held back any more nor cancelled.
    fn poll_go(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BrokenOff>> {
        self.exchange.register(cx.waker());
        if self.exchange.is_cancelled() {
            return Poll::Ready(Err(BrokenOff::Cancelled));
        }
        if let Some(patience) = &mut self.expect {
            if !self.exchange.may_go_on() {
                ready!(patience.as_mut().poll(cx));
                if self.exchange.is_answered() {
                    return Poll::Pending;
                }
            }
            self.expect = None;
        }
        Poll::Ready(Ok(()))
    }

    /// To be polled where the client has sent nothing; ready where it has been silent or slow for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<BrokenOff> {
        self.exchange.wait_for_client();
        let slow = self.pace.as_mut().is_some_and(|pace| pace.poll_too_slow(cx).is_ready());
        if !slow {
            ready!(self.idle.poll_silence(cx));
        }
        self.exchange.break_off(ForwardFault::ClientTimeout);
        Poll::Ready(if slow { BrokenOff::Slow } else { BrokenOff::Silent })
    }

    /// Counts a frame and checks it, on its way to the upstream.
    fn pass(&mut self, mut frame: Frame<Bytes>) -> Result<Frame<Bytes>, BrokenOff> {
        self.idle.progress();
        self.exchange.progress();
        if let Some(trailers) = frame.trailers_mut() {
            check_field_names(trailers)
                .inspect_err(|_| self.exchange.break_off(ForwardFault::ClientTrailers))?;
            headers::strip_request_trailers(trailers, &self.reserved);
        }
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.pace.iter_mut().for_each(|pace| pace.came(size));
        match self.left.map(|left| left.checked_sub(size)) {
            Some(None) => {
                self.exchange.break_off(ForwardFault::BodyTooLarge);
                Err(BrokenOff::TooLarge)
            }
            left => {
                self.left = left.flatten();
                Ok(frame)
            }
        }
    }
}

impl Body for OutboundBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(watch) = &mut this.watch else { return Poll::Ready(None) };
        if let Err(stop) = ready!(watch.poll_go(cx)) {
            return Poll::Ready(Some(Err(stop.into())));
        }
        let frame = match this.source.poll_frame(cx) {
            Poll::Pending => return watch.poll_silence(cx).map(|stop| Some(Err(stop.into()))),
            Poll::Ready(Some(Ok(frame))) => watch.pass(frame).map_err(Into::into),
            Poll::Ready(Some(Err(error))) => {
                watch.exchange.break_off(ForwardFault::ClientBody);
                Err(error)
            }
            Poll::Ready(None) => {
                watch.exchange.finish();
                return Poll::Ready(None);
            }
        };
        if this.source.is_end_stream() {
            watch.exchange.finish();
        }
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            RequestSource::Empty => SizeHint::with_exact(0),
            RequestSource::Content(body) => body.size_hint(),
            RequestSource::Held(reading) => reading.size_hint(),
        }
    }
}

impl fmt::Debug for OutboundBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundBody").field("empty", &self.is_empty()).finish_non_exhaustive()
    }
}
