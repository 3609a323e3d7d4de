//! Bodies of responses, ours and upstreams', and the end that each of them records.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::exchange::Exchange;
use crate::forward::UpstreamBody;
use crate::telemetry::Outcome;

/// What is streamed to the client. Its drop ends the request's record.
#[derive(Debug)]
pub struct Body {
    content: Content,
    exchange: Option<Box<Exchange>>,
}

#[derive(Debug)]
enum Content {
    Ours(Option<Bytes>),
    Upstream(UpstreamBody),
}

impl Body {
    pub(super) fn ours(content: impl Into<Bytes>) -> Self {
        Self { content: Content::Ours(Some(content.into()).filter(|bytes| !bytes.is_empty())), exchange: None }
    }

    pub(super) const fn upstream(content: UpstreamBody) -> Self {
        Self { content: Content::Upstream(content), exchange: None }
    }

    /// Ties the end of the body to the end of the record.
    pub(super) fn recorded_by(mut self, exchange: Box<Exchange>) -> Self {
        self.exchange = Some(exchange);
        self
    }

    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.content {
            Content::Ours(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Upstream(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(self.poll_content(cx));
        if let Some(exchange) = &mut self.exchange {
            note(exchange, frame.as_ref());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Ours(bytes) => bytes.is_none(),
            Content::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Ours(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Upstream(body) => body.size_hint(),
        }
    }
}

fn note(exchange: &mut Exchange, frame: Option<&Result<Frame<Bytes>, Error>>) {
    match frame {
        Some(Ok(frame)) => exchange.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
        Some(Err(cause)) => exchange.answered(exchange.status, Outcome::UpstreamError, cause.to_string()),
        None => {}
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let unfinished = !self.is_end_stream();
        if let Some(exchange) = self.exchange.as_mut().filter(|exchange| unfinished && !exchange.has_failed()) {
            exchange.answered(exchange.status, Outcome::Aborted, "the client left before the response ended");
        }
    }
}
