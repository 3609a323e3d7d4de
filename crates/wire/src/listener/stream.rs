//! The bytes of a connection: TCP or TLS, and what was read of them too early.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::connection_slots::ConnectionGuard;
use crate::http1::{PollReadable, delegate_read, delegate_write};

/// A stream whose first bytes have been read already.
#[derive(Debug)]
pub(super) struct Prefixed<S> {
    prefix: Bytes,
    inner: S,
}

impl<S> Prefixed<S> {
    pub(super) const fn new(prefix: Bytes, inner: S) -> Self {
        Self { prefix, inner }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let taken = self.prefix.len().min(buf.remaining());
        buf.put_slice(&self.prefix[..taken]);
        self.prefix.advance(taken);
        Poll::Ready(Ok(()))
    }
}

delegate_write!(Prefixed<S> where S { Self { inner, .. } => inner });
delegate_write!(Watched<S> where S { Self { inner, .. } => inner }, after wrote);

/// A stream whose writes tell whether the peer reads.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    activity: Arc<Activity>,
    /// Held until the stream ends, also as an upgraded one, so that it is counted and waited for.
    _guard: ConnectionGuard,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S, activity: Arc<Activity>, guard: ConnectionGuard) -> Self {
        Self { inner, activity, _guard: guard }
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        self.activity.blocked(written.is_pending());
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if read.is_ready() {
            self.activity.heard();
        }
        read
    }
}

/// The bytes of a connection to a client.
#[derive(Debug)]
pub(super) enum ClientStream {
    Clear(Prefixed<TcpStream>),
    Tls(Box<TlsStream<Prefixed<TcpStream>>>),
    /// From a process on this machine.
    Unix(UnixStream),
}

/// A stream on which HTTP begins, and what goes along with it to its end.
pub(super) struct HttpStream {
    pub(super) stream: ClientStream,
    pub(super) activity: Arc<Activity>,
    pub(super) guard: ConnectionGuard,
}

/// How long nothing is heard of a peer that has closed its side before the system asks after it, and how often.
const PROBE: Duration = Duration::from_secs(15);

impl ClientStream {
    fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Clear(stream) => SockRef::from(&stream.inner),
            Self::Tls(stream) => SockRef::from(&stream.get_ref().0.inner),
            Self::Unix(stream) => SockRef::from(stream),
        }
    }

    /// Whether the peer has closed its side, behind whatever of it has not been read yet.
    pub(super) fn is_read_closed(&self, cx: &mut Context<'_>) -> bool {
        let ready = match self {
            Self::Clear(stream) => pin!(stream.inner.ready(Interest::READABLE)).poll(cx),
            Self::Tls(stream) => pin!(stream.get_ref().0.inner.ready(Interest::READABLE)).poll(cx),
            Self::Unix(stream) => pin!(stream.ready(Interest::READABLE)).poll(cx),
        };
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// Whether the peer has reset the connection, or does not answer any more.
    pub(super) fn is_broken(&self) -> bool {
        !matches!(self.socket().take_error(), Ok(None))
    }

    /// Lets the system find out whether the peer is there. Where it cannot, the next byte does.
    pub(super) fn ask_after_peer(&self) {
        let probes = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE);
        let _ = self.socket().set_tcp_keepalive(&probes);
    }

    /// Whether closing the connection, for whatever reason, sends a reset (RST) instead of an end (FIN).
    pub(super) fn reset_at_close(&self, reset: bool) {
        let _ = self.socket().set_linger(reset.then_some(Duration::ZERO));
    }
}

impl PollReadable for ClientStream {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Clear(stream) if stream.prefix.is_empty() => stream.inner.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
            Self::Clear(_) | Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }
}

delegate_read!(ClientStream { Self::Clear(stream) => stream, Self::Tls(stream) => stream, Self::Unix(stream) => stream });
delegate_write!(ClientStream { Self::Clear(stream) => stream, Self::Tls(stream) => stream, Self::Unix(stream) => stream });
