//! What the two directions of one exchange must know of each other.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use super::ForwardFault;

/// Shared by the request's body, which its connection owns and polls, and by whoever waits for the response. Over
/// HTTP/2 they are on different tasks.
///
/// Each flag is set by one side and read by the other. A body that flows sets `progress` or `waiting`, and at its end
/// `done`, or `fault` where the client is to blame for its end. A body that is held back (`Expect: 100-continue`) flows
/// once the waiter sets `go`, or its patience is over and there is no `answered`. `cancelled` ends it in any state.
///
/// `done`, `fault`, `cancelled`, `go` and `answered` are never taken back. Once a body is `done` nothing cancels it, and
/// nobody waits for the client. `go` and `cancelled`, which a body may sleep through, wake it.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Set by the body: what the client did wrong, as its place in [`FAULTS`] plus one; 0: nothing.
    fault: AtomicU8,
    /// Set by the body: its last byte has been handed over.
    done: AtomicBool,
    /// Set by the waiter: the response is over, and what is left of the body is not sent.
    cancelled: AtomicBool,
    /// Set by the body, taken by the waiter: the next `100 Continue` is the answer to us, and not for the client.
    held_back: AtomicBool,
    /// Set by the waiter: the upstream has asked for the body.
    go: AtomicBool,
    /// Set by the waiter: the response's head is here. A body that has not been asked for by then stays unsent.
    answered: AtomicBool,
    /// Set by the body, taken by the waiter: a frame has moved, and the upstream's time begins anew.
    progress: AtomicBool,
    /// Set and taken back by the body: the next frame is the client's to send, and the upstream may be silent.
    waiting: AtomicBool,
    waker: AtomicWaker,
}

/// The faults of a body that are the client's.
const FAULTS: [ForwardFault; 4] = [
    ForwardFault::BodyTooLarge,
    ForwardFault::ClientBody,
    ForwardFault::ClientTimeout,
    ForwardFault::ClientTrailers,
];

impl Exchange {
    /// Why the request's body broke off, where that is why the exchange failed.
    pub(super) fn fault(&self) -> Option<ForwardFault> {
        FAULTS.get(usize::from(self.fault.load(Ordering::Acquire)).checked_sub(1)?).copied()
    }

    pub(super) fn break_off(&self, fault: ForwardFault) {
        // Any other fault would count as `ClientBody`.
        let index = FAULTS.iter().position(|known| *known == fault).unwrap_or(1);
        self.fault.store(u8::try_from(index + 1).unwrap_or(u8::MAX), Ordering::Release);
    }

    /// The last byte of the request's body has been handed over.
    pub(super) fn finish(&self) {
        self.done.store(true, Ordering::Release);
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// The response has ended: whatever is left of the request's body is not sent.
    pub(super) fn cancel(&self) {
        if !self.is_done() {
            self.cancelled.store(true, Ordering::Release);
            self.waker.wake();
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// The client is asked for the body when the upstream asks for it.
    pub(super) fn hold_back(&self) {
        self.held_back.store(true, Ordering::Release);
    }

    /// The upstream has asked for the body (`100 Continue`); whether it was held back for that.
    pub(super) fn go_on(&self) -> bool {
        self.go.store(true, Ordering::Release);
        self.waker.wake();
        self.held_back.swap(false, Ordering::AcqRel)
    }

    pub(super) fn may_go_on(&self) -> bool {
        self.go.load(Ordering::Acquire)
    }

    /// The response's head is here. A body that has not been asked for by then is not sent any more.
    pub(super) fn answer(&self) {
        self.answered.store(true, Ordering::Release);
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(super) fn progress(&self) {
        self.progress.store(true, Ordering::Release);
        self.stop_waiting();
    }

    pub(super) fn stop_waiting(&self) {
        self.waiting.store(false, Ordering::Release);
    }

    pub(super) fn wait_for_client(&self) {
        self.waiting.store(true, Ordering::Release);
    }

    /// Whether the request's body has moved since this was last asked: the upstream's time begins anew.
    pub(super) fn has_moved(&self) -> bool {
        self.progress.swap(false, Ordering::AcqRel)
    }

    /// Whether the body has moved, or is the client's to move. Then silence of the upstream means nothing; a silent
    /// client has a time limit of its own.
    pub(super) fn is_alive(&self) -> bool {
        self.has_moved() || (!self.is_done() && self.waiting.load(Ordering::Acquire))
    }
}
