//! Bodies of responses, ours and upstreams', and the end that each of them records.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::record::RequestRecord;
use super::review::{Cut, ExchangeEnd};
use super::tunnel;
use crate::endpoints::ContentStream;
use crate::forward::{UpgradeTunnel, UpstreamBody};
use crate::telemetry::Outcome;

/// How many bytes of a body may go out before the end of its credential is looked for even though the upstream
/// keeps sending. A shorter answer is let through whole: it may be the app's answer to the very request that ended
/// the session.
const LONG: u64 = 1024 * 1024;

/// What is streamed to the client. Its drop ends the request's record.
pub struct Body {
    source: BodySource,
    record: Option<Box<RequestRecord>>,
    /// The end of what the body lives by (invariants 8 and 22), made when it is first asked for. It is polled while the
    /// upstream has nothing to send, and at every frame of a long answer: where the client is slower than the app there is
    /// always something to send.
    ending: Option<ExchangeEnd>,
    /// Whether the client expects the status of a gRPC exchange in the trailers.
    grpc: bool,
}

/// Where the bytes come from.
enum BodySource {
    Ours(Option<Bytes>),
    /// Ours as well, and it goes on.
    Stream(ContentStream),
    Upstream(UpstreamBody),
}

type Error = Box<dyn std::error::Error + Send + Sync>;
type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

/// The response ended because its credential did, or because it is not permitted any more.
#[derive(Debug, thiserror::Error)]
#[error("cut off: {0}")]
struct CutOff(Cut);

/// `UNAUTHENTICATED` and `PERMISSION_DENIED` (gRPC, "Status codes and their use").
const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");
const PERMISSION_DENIED: HeaderValue = HeaderValue::from_static("7");

impl Body {
    pub(super) fn ours(content: impl Into<Bytes>) -> Self {
        Self::new(BodySource::Ours(Some(content.into()).filter(|bytes| !bytes.is_empty())))
    }

    pub(super) const fn stream(content: ContentStream) -> Self {
        Self::new(BodySource::Stream(content))
    }

    pub(super) const fn upstream(content: UpstreamBody) -> Self {
        Self::new(BodySource::Upstream(content))
    }

    const fn new(source: BodySource) -> Self {
        Self { source, record: None, ending: None, grpc: false }
    }

    /// Ties the end of the body, or of what goes on behind it, to the end of the record.
    pub(super) fn record(response: &mut Response<Self>, record: Box<RequestRecord>) {
        record.tell_opened();
        let body = response.body_mut();
        match body.take_tunnel() {
            Some(tunnel) => tunnel::start(tunnel, record),
            None => body.record = Some(record),
        }
    }

    fn take_tunnel(&mut self) -> Option<UpgradeTunnel> {
        match &mut self.source {
            BodySource::Ours(_) | BodySource::Stream(_) => None,
            BodySource::Upstream(body) => body.take_tunnel(),
        }
    }

    /// Marks an answer of gRPC over HTTP/2, whose client is told in trailers why it is cut off.
    pub(super) const fn for_grpc(mut self, grpc: bool) -> Self {
        self.grpc = grpc;
        self
    }

    fn poll_content(&mut self, cx: &mut Context<'_>) -> Polled {
        match &mut self.source {
            BodySource::Ours(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            BodySource::Stream(content) => content.poll_next(cx).map(|piece| Some(Ok(Frame::data(piece?)))),
            BodySource::Upstream(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    /// Whether it is to end though there is more to send: what is ours and goes on tells of other people.
    fn is_long(&self) -> bool {
        matches!(self.source, BodySource::Stream(_))
            || self.record.as_ref().is_some_and(|record| record.notes.bytes >= LONG)
    }

    /// While there is nothing to send, the end of the exchange is waited for as well.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        let Some(record) = &self.record else { return Poll::Pending };
        // Whatever waits is woken at each judgement, so that this is asked often enough.
        record.tell_open();
        let Some(exchange) = mutant!(record.exchange(false), "stream-outlives-its-session" => None) else {
            return Poll::Pending;
        };
        if mutant!(false, "tail-after-session-end" => matches!(self.source, BodySource::Stream(_))) {
            return Poll::Pending;
        }
        let ending = || ExchangeEnd::of(exchange.route, &record.notes.credential);
        self.ending.get_or_insert_with(ending).poll(cx, &record.notes.credential, exchange)
    }

    /// Drops the upstream's body, which breaks off both directions of the exchange, and ends ours with an error:
    /// the client must not take what it has for the whole. A gRPC client is told by the status in the trailers.
    fn cut_off(&mut self, cut: Cut) -> Polled {
        self.source = BodySource::Ours(None);
        self.ending = None;
        if let Some(record) = &mut self.record {
            record.notes.cut_off(&cut);
        }
        Poll::Ready(Some(match self.grpc {
            true => Ok(Frame::trailers(grpc_status(&cut))),
            false => Err(CutOff(cut).into()),
        }))
    }
}

/// The status of a gRPC exchange (gRPC over HTTP/2, "Responses"). Which rule it hangs on is for the log alone.
fn grpc_status(cut: &Cut) -> HeaderMap {
    let status = if cut.is_about_sign_in() { UNAUTHENTICATED } else { PERMISSION_DENIED };
    let message = match cut {
        Cut::Credential(end) => HeaderValue::try_from(end.to_string()).ok(),
        Cut::Unpermitted(_) => Some(HeaderValue::from_static("no longer permitted")),
    };
    let message = message.map(|message| (HeaderName::from_static("grpc-message"), message));
    std::iter::once((HeaderName::from_static("grpc-status"), status)).chain(message).collect()
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.get_mut();
        let polled = this.poll_content(cx);
        if (polled.is_pending() || mutant!(this.is_long(), "download-outlives-its-session" => false))
            && let Poll::Ready(cut) = this.poll_ending(cx)
        {
            return this.cut_off(cut);
        }
        let frame = ready!(polled);
        if let Some(record) = &mut this.record {
            note(record, frame.as_ref());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            BodySource::Ours(bytes) => bytes.is_none(),
            BodySource::Stream(_) => false,
            BodySource::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            BodySource::Ours(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            BodySource::Stream(_) => SizeHint::default(),
            BodySource::Upstream(body) => body.size_hint(),
        }
    }
}

fn note(record: &mut RequestRecord, frame: Option<&Result<Frame<Bytes>, Error>>) {
    match frame {
        Some(Ok(frame)) => record.notes.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
        Some(Err(cause)) => record.notes.broke_off(Outcome::UpstreamError, cause.to_string()),
        None => record.notes.ended = true,
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // A body of known length may be dropped without a poll for its end; it says itself then that it is whole.
        let whole = self.is_end_stream();
        let unfinished =
            self.record.as_mut().filter(|record| !whole && !record.notes.ended && record.has_body());
        if let Some(record) = unfinished {
            record.notes.broke_off(Outcome::Aborted, "the client left before the response ended");
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("record", &self.record).finish_non_exhaustive()
    }
}
