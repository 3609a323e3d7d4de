//! The response's body on its way to the client, and what becomes of the connection after it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::checkout::Checkout;
use super::early::{EarlyAnswer, Exchanging};
use super::exchange::Exchange;
use super::http1::Http1Connection;
use super::pooled::PooledConnection;
use super::timer::IdleTimer;
use super::upgrade::UpgradeTunnel;
use super::{BodyError, headers};

/// A response's body as it comes from the upstream. Whoever drops it early breaks off the exchange.
pub struct UpstreamBody {
    source: ResponseSource,
    idle: IdleTimer,
    exchange: Option<Arc<Exchange>>,
    checkout: Option<Checkout>,
    tunnel: Option<Box<UpgradeTunnel>>,
}

/// Where a response's body comes from, which changes as it goes on:
///
/// - `Connection`, over HTTP/1.1, becomes `Early` at its beginning where the request has not been sent by then.
/// - These two and `Incoming`, over HTTP/2, become `Ended` with the last byte, or `Broken` by an error or by silence.
/// - `Broken` holds the error until the client's side has asked once more, and nothing after that.
///
/// A connection is checked in only by [`UpstreamBody::complete`], with the last byte of both directions; whatever else
/// becomes of the body drops the checkout, which closes it.
#[derive(Debug)]
pub(super) enum ResponseSource {
    /// The connection itself that was checked out (HTTP/1.1).
    Connection,
    /// A stream of a shared connection (HTTP/2).
    Incoming(Incoming),
    /// A connection whose request goes on meanwhile (HTTP/1.1).
    Early(EarlyAnswer),
    /// It has broken off, and nobody has been told yet.
    Broken(Option<BodyError>),
    /// It is over, or there is none.
    Ended,
}

impl UpstreamBody {
    pub(super) fn new(
        source: ResponseSource,
        idle: Duration,
        exchange: Option<Arc<Exchange>>,
        checkout: Checkout,
    ) -> Self {
        let idle = IdleTimer::new(idle);
        let mut body = Self { source, idle, exchange, checkout: Some(checkout), tunnel: None };
        body.complete_if_whole();
        // A request that is still on its way must go on though nobody reads the answer (see `early`).
        match body.connection().is_some_and(|connection| !connection.is_sent()) {
            true => Self::detached(ResponseSource::Early(EarlyAnswer::drive(body))),
            false => body,
        }
    }

    /// The connection has become another protocol's; it is nobody else's any more.
    pub(super) fn tunnel(tunnel: UpgradeTunnel) -> Self {
        let mut body = Self::detached(ResponseSource::Ended);
        body.tunnel = Some(Box::new(tunnel));
        body
    }

    /// A body whose connection another has: the task of an early answer, or a tunnel.
    fn detached(source: ResponseSource) -> Self {
        let idle = IdleTimer::new(Duration::MAX);
        Self { source, idle, exchange: None, checkout: None, tunnel: None }
    }

    /// What goes on after a `101`, to be run on a task of its own: where nobody does, both connections
    /// are closed.
    pub fn take_tunnel(&mut self) -> Option<UpgradeTunnel> {
        self.tunnel.take().map(|tunnel| *tunnel)
    }

    /// The response is whole. What is left of the request is not sent, and then its connection is not
    /// used again.
    fn complete(&mut self) {
        self.source = ResponseSource::Ended;
        let Some(checkout) = self.checkout.take() else { return };
        match &self.exchange {
            Some(exchange) if !exchange.is_done() => exchange.cancel(),
            Some(_) | None => checkout.check_in(),
        }
    }

    /// A connection is free as soon as its response has been read, not only when the client has it.
    fn complete_if_whole(&mut self) {
        let whole = if let ResponseSource::Early(answer) = &self.source {
            answer.is_whole()
        } else {
            self.connection().is_some_and(|connection| connection.is_answered())
        };
        if whole {
            self.complete();
        }
    }

    fn connection(&mut self) -> Option<&mut Http1Connection> {
        match &self.source {
            ResponseSource::Connection => self.checkout.as_mut()?.http1(),
            ResponseSource::Incoming(_)
            | ResponseSource::Early(_)
            | ResponseSource::Broken(_)
            | ResponseSource::Ended => None,
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(connection) = self.connection() {
            return connection.poll_frame(cx).map_err(|error| BodyError::Reset(error.into()));
        }
        match &mut self.source {
            ResponseSource::Incoming(body) => {
                Pin::new(body).poll_frame(cx).map_err(|error| BodyError::Reset(error.into()))
            }
            ResponseSource::Early(answer) => answer.poll_frame(cx),
            ResponseSource::Connection | ResponseSource::Broken(_) | ResponseSource::Ended => {
                Poll::Ready(None)
            }
        }
    }

    /// Breaks off, and reports the error at the next poll only. Our own server drops what it has not sent yet
    /// where it is told of an error at once; a client that got nothing at all takes its request for one that
    /// was never answered.
    fn poll_broken(
        &mut self,
        error: BodyError,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.break_off(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn break_off(&mut self, error: BodyError) {
        self.source = ResponseSource::Broken(Some(error));
        let fault = self.exchange.as_ref().and_then(|exchange| exchange.fault());
        if let Some(checkout) = self.checkout.take().filter(|_| fault.is_none()) {
            checkout.upstream.failed(checkout.server);
        }
        self.exchange.iter().for_each(|exchange| exchange.cancel());
    }

    /// Silence of the response means nothing while the request's body goes on.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.exchange.as_ref().is_some_and(|exchange| exchange.has_moved()) {
            self.idle.progress();
        }
        while self.idle.poll_silence(cx).is_ready() {
            if !self.exchange.as_ref().is_some_and(|exchange| exchange.is_alive()) {
                return Poll::Ready(());
            }
            self.idle.progress();
        }
        Poll::Pending
    }
}

impl Exchanging for UpstreamBody {
    /// Sends what can be sent of the request while nobody takes the response.
    fn send(&mut self, cx: &mut Context<'_>) {
        if let Some(Err(error)) = self.connection().map(|connection| connection.send(cx)) {
            self.break_off(BodyError::Reset(error.into()));
        }
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
        if let ResponseSource::Broken(error) = &mut this.source {
            return Poll::Ready(error.take().map(Err));
        }
        match this.poll_source(cx) {
            Poll::Pending => {
                ready!(this.poll_silence(cx));
                this.poll_broken(BodyError::Silent, cx)
            }
            Poll::Ready(Some(Err(error))) => this.poll_broken(error, cx),
            Poll::Ready(Some(Ok(mut frame))) => {
                this.idle.progress();
                if let Some(trailers) = frame.trailers_mut() {
                    headers::strip_response_trailers(trailers);
                }
                this.complete_if_whole();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                this.complete();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            ResponseSource::Incoming(body) => body.is_end_stream(),
            ResponseSource::Connection | ResponseSource::Early(_) | ResponseSource::Broken(_) => false,
            ResponseSource::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.source, &self.checkout) {
            (ResponseSource::Incoming(body), _) => body.size_hint(),
            (ResponseSource::Early(answer), _) => answer.size_hint(),
            (
                ResponseSource::Connection,
                Some(Checkout { connection: PooledConnection::Http1 { connection, .. }, .. }),
            ) => connection.size_hint(),
            (ResponseSource::Connection | ResponseSource::Broken(_), _) => SizeHint::default(),
            (ResponseSource::Ended, _) => SizeHint::with_exact(0),
        }
    }
}

impl Drop for UpstreamBody {
    /// Servers do not ask a body that has ended for its end.
    fn drop(&mut self) {
        if self.is_end_stream() {
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
