//! The bytes of a connection: TCP or TLS, what was read of them too early, and the look-out on them.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::framing::{Ambiguity, Framing};
use super::tally::{Refusal, Seat};

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

impl<S: AsyncWrite + Unpin> Prefixed<S> {
    fn write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
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
                let written = self.write_vectored(cx, bufs);
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

/// A connection's clear bytes on their way to the HTTP parser.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    activity: Arc<Activity>,
    framing: Option<Framing>,
    refused: bool,
    /// Held by upgraded streams too, so that they are counted and waited for.
    seat: Seat,
}

impl<S> Watched<S> {
    /// HTTP/1.1, whose heads are looked at.
    pub(super) const fn http1(inner: S, activity: Arc<Activity>, seat: Seat) -> Self {
        Self { inner, activity, framing: Some(Framing::new()), refused: false, seat }
    }

    /// HTTP/2, whose frames leave nothing to doubt.
    pub(super) const fn http2(inner: S, activity: Arc<Activity>, seat: Seat) -> Self {
        Self { inner, activity, framing: None, refused: false, seat }
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        self.activity.blocked(written.is_pending());
    }

    /// Cuts the ambiguous line off and puts a NUL in its place, which no head may hold: the parser
    /// answers 400 itself, and nothing that came behind is ever parsed.
    fn refuse(&mut self, buf: &mut ReadBuf<'_>, keep: usize, ambiguity: Ambiguity) {
        tracing::info!(reason = %ambiguity, "ambiguous request refused with 400");
        self.seat.count(Refusal::Ambiguous);
        self.refused = true;
        buf.set_filled(keep);
        buf.put_slice(b"\0");
    }
}

/// Heads and bodies up to so many bytes are written as one piece: to copy them costs less than a system call
/// that gathers them.
const SMALL: usize = 4096;

thread_local! {
    static PIECE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let inner = Pin::new(&mut self.inner);
        if let [only] = bufs {
            return inner.poll_write(cx, only);
        }
        let length = bufs.iter().fold(0_usize, |sum, buf| sum.saturating_add(buf.len()));
        if length > SMALL {
            return inner.poll_write_vectored(cx, bufs);
        }
        PIECE.with_borrow_mut(|piece| {
            piece.clear();
            bufs.iter().for_each(|buf| piece.extend_from_slice(buf));
            inner.poll_write(cx, piece)
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.refused {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let this = &mut *self;
        let Some(framing) = this.framing.as_mut().filter(|_| !this.activity.is_tunnel()) else {
            return Poll::Ready(Ok(()));
        };
        let scanned = framing.scan(&buf.filled()[before..]);
        this.activity.head(framing.in_head());
        if let Err((at, ambiguity)) = scanned {
            this.refuse(buf, before + at, ambiguity);
        }
        Poll::Ready(Ok(()))
    }
}
