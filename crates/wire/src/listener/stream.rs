//! The bytes of a connection: TCP or TLS, and what was read of them too early.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::connection_slots::ConnectionGuard;

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

    const fn wrote(&self, _: &Poll<io::Result<usize>>) {}
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

macro_rules! write_through {
    ($type:ident) => {
        impl<S: AsyncWrite + Unpin> AsyncWrite for $type<S> {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
                self.wrote(&written);
                written
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
                self.wrote(&written);
                written
            }

            fn is_write_vectored(&self) -> bool {
                self.inner.is_write_vectored()
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.inner).poll_flush(cx)
            }

            fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.inner).poll_shutdown(cx)
            }
        }
    };
}

write_through!(Prefixed);
write_through!(Watched);

/// A stream whose writes tell whether the peer reads.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    activity: Arc<Activity>,
    /// Held by upgraded streams too, so that they are counted and waited for.
    _seat: ConnectionGuard,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S, activity: Arc<Activity>, guard: ConnectionGuard) -> Self {
        Self { inner, activity, _seat: guard }
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
pub(super) enum Stream {
    Clear(Prefixed<TcpStream>),
    Tls(Box<TlsStream<Prefixed<TcpStream>>>),
}

macro_rules! on {
    ($this:expr, $method:ident($($argument:expr),*)) => {
        match $this.get_mut() {
            Stream::Clear(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).$method($($argument),*),
        }
    };
}

/// How long nothing is heard of a peer that has closed its side before the system asks after it, and how often.
const PROBE: Duration = Duration::from_secs(15);

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Clear(stream) => &stream.inner,
            Self::Tls(stream) => &stream.get_ref().0.inner,
        }
    }

    /// Whether the peer has closed its side, behind whatever of it has not been read yet.
    pub(super) fn is_read_closed(&self, cx: &mut Context<'_>) -> bool {
        let ready = pin!(self.tcp().ready(Interest::READABLE)).poll(cx);
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// Whether the peer has reset the connection, or does not answer any more.
    pub(super) fn is_broken(&self) -> bool {
        !matches!(self.tcp().take_error(), Ok(None))
    }

    /// Lets the system find out whether the peer is there. Where it cannot, the next byte does.
    pub(super) fn ask_after_peer(&self) {
        let probes = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE);
        let _ = SockRef::from(self.tcp()).set_tcp_keepalive(&probes);
    }

    /// Whether a close, whoever is its cause, is a reset (RST) and no end (FIN).
    pub(super) fn reset_at_close(&self, reset: bool) {
        let _ = SockRef::from(self.tcp()).set_linger(reset.then_some(Duration::ZERO));
    }

    /// Ready where reading may give something; TLS cannot tell.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Clear(stream) if stream.prefix.is_empty() => stream.inner.poll_read_ready(cx),
            Self::Clear(_) | Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on!(self, poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on!(self, poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(self, poll_shutdown(cx))
    }
}
