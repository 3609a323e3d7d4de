//! A cheap watch over silence.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Tells when nothing has happened for `limit`.
///
/// Progress only sets a flag; the timer looks at it when it goes off. So silence is noticed between
/// `limit` and twice `limit`, and a frame costs no clock and no timer. A body that never waits never
/// has a timer.
#[derive(Debug)]
pub(super) struct IdleTimer {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    progress: bool,
}

impl IdleTimer {
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit, sleep: None, progress: false }
    }

    pub(super) const fn progress(&mut self) {
        self.progress = true;
    }

    /// Begins anew after it has gone off.
    pub(super) fn rearm(&mut self) {
        self.sleep = None;
    }

    /// Ready where nothing has happened for too long. To be polled where there is nothing to do.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| {
            self.progress = false;
            Box::pin(sleep(limit))
        });
        while sleep.as_mut().poll(cx).is_ready() {
            if !std::mem::take(&mut self.progress) {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(Instant::now() + limit);
        }
        Poll::Pending
    }
}
