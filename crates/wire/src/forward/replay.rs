//! Bodies that can be sent again, where an upstream says that it has done nothing with the request they came with
//! (RFC 9113, sections 6.8 and 8.7).

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::error::BoxError;

/// Bytes of one body that are held to be sent again.
pub(super) const MOST_HELD: usize = 64 * 1024;

/// Bytes that are held of all bodies on their way to one upstream (invariant 14).
const MOST_HELD_IN_ALL: usize = 16 * 1024 * 1024;

pub(super) type BoxBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// What all bodies on their way to one upstream may hold.
#[derive(Debug, Default)]
pub(super) struct ReplayBudget(AtomicUsize);

impl ReplayBudget {
    fn take(&self, size: usize) -> bool {
        let fits = self.0.fetch_add(size, Ordering::Relaxed) + size <= MOST_HELD_IN_ALL;
        if !fits {
            self.give_back(size);
        }
        fits
    }

    fn give_back(&self, size: usize) {
        self.0.fetch_sub(size, Ordering::Relaxed);
    }
}

/// A body that is read by one attempt after another, and what is held of it for the next.
///
/// Everything that an attempt reads of `body` is also kept, until it is too much, the body breaks off, or
/// there is an answer ([`Held::release`]): from then on `kept` is `None` for good, and there is no other
/// attempt. Where there is ([`Held::again`]), its [`HeldReader`] gets what is kept first and then goes on
/// with `body`; the one before it, whose number is not that of `attempt` any more, gets nothing but an error.
/// So no byte is read twice, and none is lost.
#[derive(Clone)]
pub(super) struct Held(Arc<Mutex<HeldState>>);

struct HeldState {
    body: BoxBody,
    /// Nothing where it cannot be sent again.
    kept: Option<Kept>,
    attempt: u32,
}

/// All that has been read of a body.
struct Kept {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    ended: bool,
    budget: Arc<ReplayBudget>,
}

/// One attempt's way through a body. Once there is another attempt it fails.
pub(super) struct HeldReader {
    held: Held,
    attempt: u32,
    position: usize,
    past_trailers: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the request is being sent again")]
struct Superseded;

impl Held {
    /// Reads `body`, and holds what is read within the bounds.
    pub(super) fn new(body: BoxBody, budget: &Arc<ReplayBudget>) -> (Self, HeldReader) {
        let kept = Kept { data: Vec::new(), trailers: None, ended: false, budget: Arc::clone(budget) };
        let state = HeldState { body, kept: Some(kept), attempt: 0 };
        let held = Self(Arc::new(Mutex::new(state)));
        (held.clone(), HeldReader { held, attempt: 0, position: 0, past_trailers: false })
    }

    /// Reads it from its first byte; `None` where that is not held any more.
    pub(super) fn again(&self) -> Option<HeldReader> {
        let mut state = self.lock();
        state.kept.as_ref()?;
        state.attempt += 1;
        Some(HeldReader { held: self.clone(), attempt: state.attempt, position: 0, past_trailers: false })
    }

    /// It will not be sent again.
    pub(super) fn release(&self) {
        self.lock().kept = None;
    }

    fn lock(&self) -> MutexGuard<'_, HeldState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldState {
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let next = ready!(self.body.as_mut().poll_frame(cx));
        let held = self.kept.as_mut().is_some_and(|kept| kept.hold(next.as_ref()));
        if !held {
            self.kept = None;
        }
        Poll::Ready(next)
    }
}

impl Kept {
    /// Whether all of it is still held.
    fn hold(&mut self, next: Option<&Result<Frame<Bytes>, BoxError>>) -> bool {
        match next {
            None => self.ended = true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => return self.hold_data(data),
                None => self.trailers = frame.trailers_ref().cloned(),
            },
        }
        true
    }

    /// Holds a copy: a piece may be a small part of what it was read into, all of which it would keep alive.
    fn hold_data(&mut self, data: &[u8]) -> bool {
        let held = self.data.len() + data.len() <= MOST_HELD && self.budget.take(data.len());
        if held {
            self.data.extend_from_slice(data);
        }
        held
    }

    fn rest(&self, position: usize) -> &[u8] {
        self.data.get(position..).unwrap_or_default()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget.give_back(self.data.len());
    }
}

impl HeldReader {
    pub(super) fn held(&self) -> Held {
        self.held.clone()
    }

    fn poll(
        &mut self,
        state: &mut HeldState,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if state.attempt != self.attempt {
            return Poll::Ready(Some(Err(Superseded.into())));
        }
        if let Some(kept) = &state.kept {
            let rest = kept.rest(self.position);
            if !rest.is_empty() {
                self.position = kept.data.len();
                return Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(rest)))));
            }
            if let Some(trailers) = kept.trailers.as_ref().filter(|_| !self.past_trailers) {
                self.past_trailers = true;
                return Poll::Ready(Some(Ok(Frame::trailers(trailers.clone()))));
            }
            if kept.ended {
                return Poll::Ready(None);
            }
        }
        let next = ready!(state.poll_body(cx));
        let frame = next.as_ref().and_then(|next| next.as_ref().ok());
        self.position += frame.and_then(Frame::data_ref).map_or(0, Bytes::len);
        self.past_trailers |= frame.is_some_and(Frame::is_trailers);
        Poll::Ready(next)
    }

    /// Bytes that are to be sent again before any that are new.
    fn repeated(&self, state: &HeldState) -> u64 {
        state.kept.as_ref().map_or(0, |kept| kept.rest(self.position).len() as u64)
    }

    fn trailers_follow(&self, state: &HeldState) -> bool {
        !self.past_trailers && state.kept.as_ref().is_some_and(|kept| kept.trailers.is_some())
    }
}

impl Body for HeldReader {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let held = this.held.clone();
        this.poll(&mut held.lock(), cx)
    }

    fn is_end_stream(&self) -> bool {
        let state = self.held.lock();
        self.repeated(&state) == 0 && !self.trailers_follow(&state) && state.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.held.lock();
        let (repeated, new) = (self.repeated(&state), state.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(repeated + new.lower());
        new.upper().into_iter().for_each(|upper| hint.set_upper(repeated + upper));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    use super::*;

    fn body(frames: Vec<Frame<Bytes>>) -> BoxBody {
        let frames = frames.into_iter().map(Ok::<_, Infallible>);
        Box::pin(StreamBody::new(futures_util::stream::iter(frames)).map_err(Into::into))
    }

    fn data(size: usize) -> Frame<Bytes> {
        Frame::data(Bytes::from(vec![b'x'; size]))
    }

    #[tokio::test]
    async fn invariant_14_no_more_is_held_than_may_be() {
        let budget = Arc::<ReplayBudget>::default();
        for (sizes, repeatable) in
            [(vec![MOST_HELD], true), (vec![MOST_HELD, 1], false), (vec![MOST_HELD + 1], false)]
        {
            let (held, reading) = Held::new(body(sizes.iter().map(|size| data(*size)).collect()), &budget);
            assert_eq!(reading.collect().await.unwrap().to_bytes().len(), sizes.iter().sum::<usize>());
            assert_eq!(held.again().is_some(), repeatable, "{sizes:?}");
        }
        assert_eq!(budget.0.load(Ordering::Relaxed), 0, "all has been given back");
        let mut all = Vec::new();
        for _ in 0..MOST_HELD_IN_ALL / MOST_HELD {
            let (held, reading) = Held::new(body(vec![data(MOST_HELD)]), &budget);
            reading.collect().await.unwrap();
            all.push(held);
        }
        let (one_more, reading) = Held::new(body(vec![data(1)]), &budget);
        reading.collect().await.unwrap();
        assert!(one_more.again().is_none() && all.iter().all(|held| held.again().is_some()));
        all[0].release();
        let (room_again, reading) = Held::new(body(vec![data(1)]), &budget);
        reading.collect().await.unwrap();
        assert!(room_again.again().is_some());
    }

    #[tokio::test]
    async fn an_attempt_that_has_been_given_up_reads_nothing_of_the_next() {
        let (held, mut first) = Held::new(body(vec![data(1), data(2)]), &Arc::default());
        assert!(first.frame().await.unwrap().is_ok());
        let second = held.again().unwrap();
        assert!(first.frame().await.unwrap().is_err());
        assert_eq!(second.collect().await.unwrap().to_bytes().len(), 3);
    }

    proptest! {
        #[test]
        fn every_attempt_reads_the_same_wherever_the_one_before_stopped(
            sizes in prop::collection::vec(0usize..40, 0..6), trailers in any::<bool>(), stops in prop::collection::vec(0usize..8, 0..4),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut frames: Vec<_> = sizes.iter().map(|size| data(*size)).collect();
                let sent = crate::forward::fixtures::map(&[("x-sum", "1")]);
                frames.extend(trailers.then(|| Frame::trailers(sent.clone())));
                let (held, mut reading) = Held::new(body(frames), &Arc::default());
                for stop in stops {
                    for _ in 0..stop {
                        let _ = reading.frame().await;
                    }
                    reading = held.again().unwrap();
                }
                let whole = reading.collect().await.unwrap();
                assert_eq!(whole.trailers(), trailers.then_some(&sent));
                assert_eq!(whole.to_bytes().len(), sizes.iter().sum::<usize>());
            });
        }
    }
}
