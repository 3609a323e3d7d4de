//! What is to be written to a peer, in few system calls and few copies.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::AsyncWrite;

/// Pieces up to this size are copied behind what waits: cheaper than a second slice of a write.
const COPIED: usize = 8 * 1024;

/// Bytes on their way out: what was copied, then one large piece, then the end of its chunk.
///
/// A message begins as `Unsent`, and is `Begun` from its first byte that the stream takes; what is still to come of
/// it is what waits here. `GivenUp` is a message that is sent no further, and is never whole. The next
/// [`Outgoing::begin`] makes it `Unsent` again.
#[derive(Debug, Default)]
pub struct Outgoing {
    pub(super) copied: BytesMut,
    piece: Bytes,
    end: &'static [u8],
    state: WriteState,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WriteState {
    #[default]
    Unsent,
    Begun,
    GivenUp,
}

impl Outgoing {
    /// Begins another message, whose head is to be written there.
    pub fn begin(&mut self) -> &mut BytesMut {
        self.state = WriteState::Unsent;
        &mut self.copied
    }

    /// Whether a byte of the message has left.
    pub const fn has_left(&self) -> bool {
        !matches!(self.state, WriteState::Unsent)
    }

    /// The rest of the message is not sent, and nothing else ever is.
    pub fn give_up(&mut self) {
        *self = Self { state: WriteState::GivenUp, ..Self::default() };
    }

    /// Whether all of the message has left.
    pub fn is_whole(&self) -> bool {
        self.is_empty() && self.state == WriteState::Begun
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.copied.len() + self.piece.len() + self.end.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is room for another piece. Without it memory would not be bounded (invariant 14).
    pub fn has_room(&self) -> bool {
        self.piece.is_empty() && self.end.is_empty() && self.copied.len() <= 2 * COPIED
    }

    /// Takes a piece of a body, and `end` to come behind it.
    pub fn push(&mut self, piece: Bytes, end: &'static [u8]) {
        if piece.len() > COPIED {
            (self.piece, self.end) = (piece, end);
        } else {
            self.copied.reserve(piece.len() + end.len());
            self.copied.put_slice(&piece);
            self.copied.put_slice(end);
        }
    }

    /// Ends a chunked body behind all that was pushed (RFC 9112, section 7.1).
    pub fn finish(&mut self) {
        if self.piece.is_empty() && self.end.is_empty() {
            self.copied.extend_from_slice(b"0\r\n\r\n");
        } else {
            // The last chunk waits as it was pushed: nothing is written between its piece and its end.
            self.end = b"\r\n0\r\n\r\n";
        }
    }

    /// Writes all that waits, and flushes; ready where nothing waits any more.
    ///
    /// # Errors
    /// The stream's own; what had not left by then is still here.
    pub fn poll_write<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        while !self.is_empty() {
            let written = ready!(self.poll_once(Pin::new(stream), cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.state = WriteState::Begun;
            self.advance(written);
        }
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_once(&self, stream: Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.piece.is_empty() && self.end.is_empty() {
            return stream.poll_write(cx, &self.copied);
        }
        let slices = [IoSlice::new(&self.copied), IoSlice::new(&self.piece), IoSlice::new(self.end)];
        stream.poll_write_vectored(cx, &slices)
    }

    fn advance(&mut self, written: usize) {
        let copied = written.min(self.copied.len());
        self.copied.advance(copied);
        let piece = (written - copied).min(self.piece.len());
        self.piece.advance(piece);
        if self.piece.is_empty() {
            // An empty `Bytes` would still hold the buffer that the piece was read into, and keep it from
            // being reused.
            self.piece = Bytes::new();
        }
        let end = (written - copied - piece).min(self.end.len());
        self.end = self.end.get(end..).unwrap_or_default();
        // A connection that waits holds no memory.
        if self.copied.is_empty() {
            self.copied = BytesMut::new();
        }
    }
}
