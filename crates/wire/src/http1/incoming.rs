//! Bytes on their way in.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::SMALL;

/// A stream that can be asked whether reading would give something.
pub trait PollReadable {
    /// Ready where it may; always for a stream that cannot tell (TLS).
    ///
    /// # Errors
    /// The stream's own.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Reads what is there, at most some `room`, behind what was `received`; 0 at the end.
///
/// A large buffer is allocated only once there is something to read: a connection that waits holds none. A
/// small read goes through the stack, and no more is allocated than has come.
///
/// # Errors
/// The stream's own.
pub fn poll_receive<S: AsyncRead + PollReadable + Unpin>(
    stream: &mut S,
    received: &mut BytesMut,
    room: usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if room > SMALL {
        ready!(stream.poll_readable(cx))?;
        received.reserve(room);
        return pin!(stream.read_buf(received)).poll(cx);
    }
    let mut room = [const { MaybeUninit::uninit() }; SMALL];
    let mut read = ReadBuf::uninit(&mut room);
    ready!(Pin::new(stream).poll_read(cx, &mut read))?;
    received.extend_from_slice(read.filled());
    Poll::Ready(Ok(read.filled().len()))
}
