//! A request's body on its way from the connection to whoever reads it, one frame at a time.
//!
//! The connection alone touches the stream; nothing is read of a body before its reader asks.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use crate::http1::{BodyDecoder, SMALL, WireError};

#[derive(Debug, Default)]
struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    frame: Option<Result<Frame<Bytes>, WireError>>,
    /// Nothing comes behind `frame`.
    ended: bool,
    /// Behind `frame` something would have to come.
    cut: bool,
    /// The reader waits.
    wanted: bool,
    reader: Option<Waker>,
    feeder: Option<Waker>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the other side, unless it is of the same task: that polls both.
fn wake(waker: &mut Option<Waker>, cx: &Context<'_>) {
    if let Some(waker) = waker.take().filter(|waker| !waker.will_wake(cx.waker())) {
        waker.wake();
    }
}

/// The reader's end.
#[derive(Debug)]
pub(in super::super) struct Reader {
    slot: Arc<Slot>,
    /// What is left of a stated length.
    left: Option<u64>,
}

impl Body for Reader {
    type Data = Bytes;
    type Error = WireError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WireError>>> {
        let this = &mut *self;
        let mut state = this.slot.lock();
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
        state.reader = Some(cx.waker().clone());
        wake(&mut state.feeder, cx);
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The connection's end.
#[derive(Debug)]
pub(super) struct Feeder {
    slot: Option<Arc<Slot>>,
    framing: BodyDecoder,
    /// Whether the client waits to be told to send the body.
    expects: bool,
    fate: Fate,
}

/// How a body ended that did not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    Cut,
    Malformed,
}

impl Feeder {
    /// A body that is framed so, and its reader where there is one.
    pub(super) fn new(framing: BodyDecoder, expects: bool) -> (Self, Option<Reader>) {
        let slot = (!framing.is_done()).then(Arc::<Slot>::default);
        let left = framing.size_hint().exact();
        let reader = slot.as_ref().map(|slot| Reader { slot: Arc::clone(slot), left });
        (Self { slot, framing, expects, fate: Fate::Good }, reader)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.fate != Fate::Good
    }

    /// Whether two servers could frame what came differently.
    pub(super) fn is_malformed(&self) -> bool {
        self.fate == Fate::Malformed
    }

    /// Whether the client waits for the word to send the body, which it is given once or never.
    pub(super) const fn take_expectation(&mut self) -> bool {
        std::mem::replace(&mut self.expects, false)
    }

    /// Whether more than `received` will come: whoever answers already may not read it.
    pub(super) fn is_behind(&self, received: usize) -> bool {
        match self.framing {
            BodyDecoder::Length(left) => left > received as u64,
            BodyDecoder::Chunked(_) | BodyDecoder::Close => true,
        }
    }

    /// Ready where the reader waits for a frame.
    pub(super) fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(slot) = &self.slot else { return Poll::Pending };
        let mut state = slot.lock();
        if state.wanted {
            return Poll::Ready(());
        }
        state.feeder = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Hands on what is at the front of `received`, or the end; whether it could.
    pub(super) fn feed(&mut self, received: &mut BytesMut, cx: &Context<'_>) -> bool {
        match self.framing.take(received) {
            Ok(Some(frame)) => self.put(Some(Ok(frame)), cx),
            Ok(None) if self.framing.is_done() => self.put(None, cx),
            Ok(None) => return false,
            Err(error) => self.fail(error, cx),
        }
        true
    }

    /// The body breaks off.
    pub(super) fn fail(&mut self, error: WireError, cx: &Context<'_>) {
        let cut = matches!(error, WireError::Closed);
        self.fate = if cut { Fate::Cut } else { Fate::Malformed };
        self.put(Some(Err(error)), cx);
    }

    /// Ends the exchange: what nobody has read is taken from the front of `received`. Whether the body is over.
    pub(super) fn finish(mut self, received: &mut BytesMut) -> bool {
        self.part();
        while let Ok(Some(_)) = self.framing.take(received) {}
        self.framing.is_done() && self.fate == Fate::Good
    }

    /// Bytes to make room for.
    pub(super) fn room(&self) -> usize {
        self.framing.room(SMALL)
    }

    fn put(&self, frame: Option<Result<Frame<Bytes>, WireError>>, cx: &Context<'_>) {
        let Some(slot) = &self.slot else { return };
        let mut state = slot.lock();
        state.ended = !matches!(frame, Some(Ok(_)));
        state.frame = frame;
        state.wanted = false;
        wake(&mut state.reader, cx);
    }

    /// Nothing will be fed any more. A reader that is still there must not take a part for the whole.
    fn part(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let mut state = slot.lock();
        state.cut = mutant!(!state.ended && !self.framing.is_done(), "part-taken-for-the-whole" => false);
        state.ended = true;
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.part();
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
            let (mut feeder, reader) = Feeder::new(framing, false);
            let mut reader = reader.unwrap();
            let cx = Context::from_waker(Waker::noop());
            let mut received = BytesMut::from(if framing == BodyDecoder::Chunked(Chunk::Line) {
                "3\r\nabc\r\n"
            } else {
                "abc"
            });
            assert!(feeder.feed(&mut received, &cx));
            drop(feeder);
            assert_eq!(reader.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
            assert!(reader.frame().await.unwrap().is_err(), "it broke off behind what nobody had read yet");
            assert!(reader.frame().await.is_none());
        }
    }
}
