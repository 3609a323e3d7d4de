//! Bytes on their way in.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::SMALL;

/// Reads what is there, at most some `room`, behind what was `received`; 0 at the end.
///
/// No memory is taken for what is not there. Of little, none is taken beyond what came.
///
/// # Errors
/// The stream's own.
pub fn poll_receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    received: &mut BytesMut,
    room: usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if room > SMALL {
        received.reserve(room);
        return pin!(stream.read_buf(received)).poll(cx);
    }
    let mut room = [const { MaybeUninit::uninit() }; SMALL];
    let mut read = ReadBuf::uninit(&mut room);
    ready!(Pin::new(stream).poll_read(cx, &mut read))?;
    received.extend_from_slice(read.filled());
    Poll::Ready(Ok(read.filled().len()))
}
