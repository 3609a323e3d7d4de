//! A client that has closed its side of the connection (half-close, RFC 9293, section 3.6): it may wait for its
//! answer, or be gone. TCP says the same of both; only what is sent to it tells.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How often it is looked at whether the client is gone.
const LOOK: Duration = Duration::from_millis(500);

/// Whether the client has closed its side, and when to look next whether it is there.
///
/// The stream's owner says that it has ([`HalfClose::saw`]), which is never taken back. Time passes by
/// [`HalfClose::poll_look`] alone, so that nobody looks where nobody waits.
#[derive(Debug, Default)]
pub(super) struct HalfClose {
    seen: bool,
    look: Option<Pin<Box<Sleep>>>,
}

impl HalfClose {
    pub(super) const fn is_seen(&self) -> bool {
        self.seen
    }

    pub(super) const fn saw(&mut self) {
        self.seen = true;
    }

    /// Ready each time that [`LOOK`] has passed.
    pub(super) fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let look = self.look.get_or_insert_with(|| Box::pin(sleep(LOOK)));
        ready!(look.as_mut().poll(cx));
        look.as_mut().reset(Instant::now() + LOOK);
        Poll::Ready(())
    }
}
