//! The content of requests, of whatever version of HTTP.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::http1::BodyReceiver;

/// The content of a request (RFC 9110, section 6.4), read as it comes and no faster than it is asked for.
#[derive(Debug)]
pub struct RequestBody(BodySource);

#[derive(Debug)]
enum BodySource {
    Empty,
    Http1(BodyReceiver),
    Http2(Incoming),
}

impl RequestBody {
    /// The content of a request that has none.
    pub const EMPTY: Self = Self(BodySource::Empty);

    pub(super) const fn http1(receiver: BodyReceiver) -> Self {
        Self(BodySource::Http1(receiver))
    }

    pub(super) const fn http2(incoming: Incoming) -> Self {
        Self(BodySource::Http2(incoming))
    }
}

/// How long the rest of an upload that is not read is waited for, and how many bytes of it, before its stream
/// is reset: some clients report the reset alone, and not the answer that came before it.
const REST: Duration = Duration::from_secs(2);
const REST_BYTES: usize = 1024 * 1024;

impl Drop for RequestBody {
    fn drop(&mut self) {
        let BodySource::Http2(incoming) = std::mem::replace(&mut self.0, BodySource::Empty) else { return };
        if let (false, Ok(runtime)) = (incoming.is_end_stream(), Handle::try_current()) {
            runtime.spawn(timeout(REST, read_away(incoming)));
        }
    }
}

/// Reads and drops the rest of a body, up to [`REST_BYTES`].
async fn read_away(mut incoming: Incoming) {
    let mut left = REST_BYTES;
    while let Some(Ok(frame)) = incoming.frame().await {
        let Some(less) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
        left = less;
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.0 {
            BodySource::Empty => Poll::Ready(None),
            BodySource::Http1(receiver) => Pin::new(receiver).poll_frame(cx).map_err(Into::into),
            BodySource::Http2(incoming) => Pin::new(incoming).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            BodySource::Empty => true,
            BodySource::Http1(receiver) => receiver.is_end_stream(),
            BodySource::Http2(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            BodySource::Empty => SizeHint::with_exact(0),
            BodySource::Http1(receiver) => receiver.size_hint(),
            BodySource::Http2(incoming) => incoming.size_hint(),
        }
    }
}
