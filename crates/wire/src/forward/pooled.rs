//! A connection that a pool has given out.

use super::body::OutboundBody;
use super::http1::Http1Connection;
use super::limit::StreamGuard;

/// Sends requests on an HTTP/2 connection.
pub(super) type Http2Sender = hyper::client::conn::http2::SendRequest<OutboundBody>;

/// A connection given to one request. `fresh` where no request has gone over it before: that it ends is no sign of
/// one that the server had closed meanwhile.
#[derive(Debug)]
pub(super) enum PooledConnection {
    /// Nobody else uses it.
    Http1 { connection: Box<Http1Connection>, fresh: bool },
    /// Others may use it at the same time.
    Http2 { sender: Http2Sender, _stream: StreamGuard, fresh: bool },
}

impl PooledConnection {
    pub(super) const fn http2(sender: Http2Sender, stream: StreamGuard, fresh: bool) -> Self {
        Self::Http2 { sender, _stream: stream, fresh }
    }

    pub(super) const fn is_fresh(&self) -> bool {
        match self {
            Self::Http1 { fresh, .. } | Self::Http2 { fresh, .. } => *fresh,
        }
    }

    pub(super) const fn is_http2(&self) -> bool {
        matches!(self, Self::Http2 { .. })
    }
}
