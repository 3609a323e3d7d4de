//! A request's body on its way from the connection to the handler, one frame at a time.
//!
//! The connection alone touches the stream; nothing is read of a body before its receiver asks.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use crate::http1::{BodyDecoder, SMALL, WireError};

/// What lies between the connection, which sends a body, and the handler, which receives it.
///
/// - Idle: nothing lies here, and nobody has asked.
/// - Wanted: the receiver has asked, and waits. Only now does the sender read the stream and decode a frame.
/// - Full: the sender has put a `frame`; the receiver takes it, and the channel is idle again, or over.
/// - Over: the sender has put the end or an error, or has left. Nothing is put any more.
///
/// At most one frame lies here, for the sender puts one only where it is wanted: a slow handler holds back its client,
/// and no memory (invariant 14). A sender that leaves a body that is not whole sets `cut`, which the receiver is
/// told once, behind what lies here, as an error: it must not take the part for the whole (invariant 12).
#[derive(Debug, Default)]
struct BodyChannel(Mutex<ChannelState>);

#[derive(Debug, Default)]
struct ChannelState {
    frame: Option<Result<Frame<Bytes>, WireError>>,
    /// Nothing comes behind `frame`.
    ended: bool,
    /// Behind `frame` something would have to come.
    cut: bool,
    /// The receiver waits.
    wanted: bool,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl BodyChannel {
    fn lock(&self) -> MutexGuard<'_, ChannelState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the other side, unless it is of the same task: that polls both.
fn wake(waker: &mut Option<Waker>, cx: &Context<'_>) {
    if let Some(waker) = waker.take().filter(|waker| !waker.will_wake(cx.waker())) {
        waker.wake();
    }
}

/// The handler's end: the body that it reads.
#[derive(Debug)]
pub(in crate::listener) struct BodyReceiver {
    channel: Arc<BodyChannel>,
    /// What is left of a stated length.
    left: Option<u64>,
}

impl Body for BodyReceiver {
    type Data = Bytes;
    type Error = WireError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WireError>>> {
        let this = &mut *self;
        let mut state = this.channel.lock();
        if let Some(frame) = state.frame.take() {
            if let (Some(left), Ok(frame)) = (&mut this.left, &frame) {
                *left -= frame.data_ref().map_or(0, |data| data.len() as u64).min(*left);
            }
            return Poll::Ready(Some(frame));
        }
        if state.ended || this.left == Some(0) {
            let cut = std::mem::take(&mut state.cut);
            return Poll::Ready(cut.then_some(Err(WireError::Closed)));
        }
        state.wanted = true;
        state.receiver = Some(cx.waker().clone());
        wake(&mut state.sender, cx);
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The connection's end: decodes what has come of the client, and hands it on.
#[derive(Debug)]
pub(super) struct BodySender {
    channel: Option<Arc<BodyChannel>>,
    decoder: BodyDecoder,
    /// Whether the client waits to be told to send the body.
    expects: bool,
    broken: Option<Broken>,
}

/// How a body ended that did not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// The client closed the connection before it was whole.
    Cut,
    /// What came is no body that is framed so.
    Malformed,
}

impl BodySender {
    /// A body that is framed so, and its receiver where there is one.
    pub(super) fn new(decoder: BodyDecoder, expects: bool) -> (Self, Option<BodyReceiver>) {
        let channel = (!decoder.is_done()).then(Arc::<BodyChannel>::default);
        let left = decoder.size_hint().exact();
        let receiver = channel.as_ref().map(|channel| BodyReceiver { channel: Arc::clone(channel), left });
        (Self { channel, decoder, expects, broken: None }, receiver)
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Whether two servers could frame what came differently.
    pub(super) fn is_malformed(&self) -> bool {
        self.broken == Some(Broken::Malformed)
    }

    /// Whether the client waits for `100 Continue`. It is sent once or never: the second time this is false.
    pub(super) const fn take_expectation(&mut self) -> bool {
        std::mem::replace(&mut self.expects, false)
    }

    /// Whether more of the body is still to come than has been `received`: an answer that begins now may
    /// leave it unread.
    pub(super) fn is_behind(&self, received: usize) -> bool {
        match self.decoder {
            BodyDecoder::Length(left) => left > received as u64,
            BodyDecoder::Chunked(_) | BodyDecoder::Close => true,
        }
    }

    /// Ready where the receiver waits for a frame.
    pub(super) fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(channel) = &self.channel else { return Poll::Pending };
        let mut state = channel.lock();
        if state.wanted {
            return Poll::Ready(());
        }
        state.sender = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Hands on what is at the front of `received`, or the end; whether it could.
    pub(super) fn feed(&mut self, received: &mut BytesMut, cx: &Context<'_>) -> bool {
        match self.decoder.take(received) {
            Ok(Some(frame)) => self.put(Some(Ok(frame)), cx),
            Ok(None) if self.decoder.is_done() => self.put(None, cx),
            Ok(None) => return false,
            Err(error) => self.fail(error, cx),
        }
        true
    }

    /// The body breaks off.
    pub(super) fn fail(&mut self, error: WireError, cx: &Context<'_>) {
        let cut = matches!(error, WireError::Closed);
        self.broken = Some(if cut { Broken::Cut } else { Broken::Malformed });
        self.put(Some(Err(error)), cx);
    }

    /// Ends the exchange: what nobody has read is taken from the front of `received`. Whether the body is over.
    pub(super) fn finish(mut self, received: &mut BytesMut) -> bool {
        self.leave();
        while let Ok(Some(_)) = self.decoder.take(received) {}
        self.decoder.is_done() && self.broken.is_none()
    }

    /// Bytes to make room for.
    pub(super) fn room(&self) -> usize {
        self.decoder.room(SMALL)
    }

    fn put(&self, frame: Option<Result<Frame<Bytes>, WireError>>, cx: &Context<'_>) {
        let Some(channel) = &self.channel else { return };
        let mut state = channel.lock();
        state.ended = !matches!(frame, Some(Ok(_)));
        state.frame = frame;
        state.wanted = false;
        wake(&mut state.receiver, cx);
    }

    /// Nothing will be fed any more. A receiver that is still there must not take a part for the whole.
    fn leave(&mut self) {
        let Some(channel) = self.channel.take() else { return };
        let mut state = channel.lock();
        state.cut = mutant!(!state.ended && !self.decoder.is_done(), "part-taken-for-the-whole" => false);
        state.ended = true;
        if let Some(receiver) = state.receiver.take() {
            receiver.wake();
        }
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::http1::Chunk;

    #[tokio::test]
    async fn invariant_12_a_part_is_never_taken_for_the_whole() {
        for framing in [BodyDecoder::Chunked(Chunk::Line), BodyDecoder::Length(6)] {
            let (mut sender, receiver) = BodySender::new(framing, false);
            let mut receiver = receiver.unwrap();
            let cx = Context::from_waker(Waker::noop());
            let mut received = BytesMut::from(if framing == BodyDecoder::Chunked(Chunk::Line) {
                "3\r\nabc\r\n"
            } else {
                "abc"
            });
            assert!(sender.feed(&mut received, &cx));
            drop(sender);
            assert_eq!(receiver.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
            assert!(receiver.frame().await.unwrap().is_err(), "it broke off behind what nobody had read yet");
            assert!(receiver.frame().await.is_none());
        }
    }
}
