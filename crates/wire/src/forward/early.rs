//! Answers that begin before their request has ended.
//!
//! Over HTTP/1.1 the reader of an answer drives its connection, and with it the rest of the request. A client
//! that sends its whole request before it reads would stop the request by not reading, and wait for ever. So
//! such an exchange, and no other, has a task of its own, which sends the request whether or not anybody
//! takes the answer.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::select;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::BodyError;

/// One frame at most waits beside what the connection reads ahead (invariant 14).
const WAITING: usize = 1;

/// A frame, an error, or the end.
type NextFrame = Option<Result<Frame<Bytes>, BodyError>>;

/// An answer whose request goes on meanwhile.
pub(super) trait Exchanging: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static {
    /// Sends what can be sent of the request while nobody takes the answer.
    fn send(&mut self, cx: &mut Context<'_>);
}

/// An answer that a task of its own takes from its connection.
///
/// The task sends what it can of the request while a frame waits for its reader, and takes the next frame once that is
/// gone. It ends with the answer, and with the reader: whoever drops this breaks off the exchange. The end of the answer
/// is a message of its own (`None`): a task that ends without it, by a panic, is an error to the reader and never the
/// end of the answer (invariant 12).
#[derive(Debug)]
pub(super) struct EarlyAnswer {
    frames: Receiver<NextFrame>,
    /// Bytes still to come, where that is known.
    left: Option<u64>,
}

impl EarlyAnswer {
    pub(super) fn drive(body: impl Exchanging) -> Self {
        let left = body.size_hint().exact();
        let (sender, frames) = channel(WAITING);
        tokio::spawn(drive(body, sender));
        Self { frames, left }
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        // A task that ended without sending the end, by a panic, must not look like the end of the answer.
        let lost = || Some(Err(BodyError::Reset("nobody drives the exchange any more".into())));
        let next = ready!(self.frames.poll_recv(cx)).unwrap_or_else(lost);
        if let (Some(left), Some(Ok(frame))) = (&mut self.left, &next) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        Poll::Ready(next)
    }

    /// Whether all bytes of a known length have been taken.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.left, Some(0))
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

async fn drive(mut body: impl Exchanging, frames: Sender<NextFrame>) {
    loop {
        let mut room = pin!(frames.reserve());
        let room = poll_fn(|cx| {
            body.send(cx);
            room.as_mut().poll(cx)
        });
        let Ok(room) = room.await else { return };
        let next = select! {
            biased;
            () = frames.closed() => return,
            next = body.frame() => next,
        };
        let ended = next.is_none();
        room.send(next);
        if ended {
            return;
        }
    }
}
