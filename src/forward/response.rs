//! The response's body on its way to the client, and what becomes of the connection after it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::exchange::Exchange;
use super::pool::{Active, Lent};
use super::timer::IdleTimer;
use super::upgrade::UpgradeTunnel;
use super::{Upstream, headers};

/// A response's body as it comes from the upstream. Whoever drops it early breaks off the exchange.
pub struct UpstreamBody {
    inner: Incoming,
    idle: IdleTimer,
    exchange: Option<Arc<Exchange>>,
    lease: Option<Lease>,
    tunnel: Option<Box<UpgradeTunnel>>,
}

/// Why a response broke off. The client must see that it did: the connection is closed or its stream
/// reset, never ended as if the response were whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The upstream broke off.
    #[error("the app broke off in the middle of its answer")]
    Reset(#[source] hyper::Error),
    /// The upstream was silent for longer than `Timeouts::idle`.
    #[error("the app was silent for too long in the middle of its answer")]
    Silent,
}

/// A connection, and the server it leads to, for the time of one exchange.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) upstream: Arc<Upstream>,
    pub(super) server: usize,
    pub(super) active: Active,
    pub(super) lent: Lent,
}

impl Lease {
    /// The exchange is whole: the connection may be used again.
    fn finish(self) {
        match self.lent {
            Lent::Http1 { sender, .. } => self.active.pool().give_back(sender),
            Lent::Http2 { .. } => {}
        }
    }
}

impl UpstreamBody {
    pub(super) const fn new(
        inner: Incoming,
        idle: Duration,
        exchange: Option<Arc<Exchange>>,
        lease: Lease,
    ) -> Self {
        Self { inner, idle: IdleTimer::new(idle), exchange, lease: Some(lease), tunnel: None }
    }

    /// The connection has become another protocol's; it is nobody else's any more.
    pub(super) fn become_tunnel(&mut self, make: impl FnOnce(Lease) -> UpgradeTunnel) {
        self.tunnel = self.lease.take().map(|lease| Box::new(make(lease)));
    }

    /// What goes on after a `101`, to be run on a task of its own: where nobody does, both connections
    /// are closed.
    pub fn take_tunnel(&mut self) -> Option<UpgradeTunnel> {
        self.tunnel.take().map(|tunnel| *tunnel)
    }

    /// The response is whole. What is left of the request is not sent, and then its connection is not
    /// used again.
    fn complete(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        match &self.exchange {
            Some(exchange) if !exchange.is_done() => exchange.cancel(),
            Some(_) | None => lease.finish(),
        }
    }

    fn break_off(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.upstream.failed(lease.server);
        }
        self.exchange.iter().for_each(|exchange| exchange.cancel());
    }

    /// Silence of the response means nothing while the request's body goes on.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.idle.poll_silence(cx).is_ready() {
            if !self.exchange.as_ref().is_some_and(|exchange| exchange.is_alive()) {
                return Poll::Ready(());
            }
            self.idle.rearm();
        }
        Poll::Pending
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Pending => this.poll_silence(cx).map(|()| {
                this.break_off();
                Some(Err(BodyError::Silent))
            }),
            Poll::Ready(Some(Ok(mut frame))) => {
                this.idle.progress();
                if let Some(trailers) = frame.trailers_mut() {
                    headers::strip_response_trailers(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.break_off();
                Poll::Ready(Some(Err(BodyError::Reset(error))))
            }
            Poll::Ready(None) => {
                this.complete();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for UpstreamBody {
    /// Servers do not ask a body that has ended for its end.
    fn drop(&mut self) {
        if self.inner.is_end_stream() {
            self.complete();
        }
        self.exchange.iter().for_each(|exchange| exchange.cancel());
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("tunnel", &self.tunnel.is_some()).finish_non_exhaustive()
    }
}
