//! Cheap watches over silence and lateness.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// How often whoever waits for an answer looks whether it is still wanted.
pub(super) const TICK: Duration = Duration::from_secs(1);

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

/// Tells when a time limit has passed, again and again for one exchange after another.
///
/// A timer costs more than a clock: the one that is set is not moved for each exchange, only looked after
/// when it goes off. Until then whoever waits is woken once a [`TICK`], to look at what ends a wait without a word.
#[derive(Debug)]
pub(super) struct Deadline {
    end: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self { end: Instant::now(), sleep: None }
    }

    /// From now on.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.end = Instant::now() + limit;
    }

    /// Ready once the limit has passed.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = self.end;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(end.min(Instant::now() + TICK))));
        if sleep.deadline() > end {
            sleep.as_mut().reset(end);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= end {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(end.min(now + TICK));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_kept_for_one_exchange_after_another() {
        let (start, limit) = (Instant::now(), Duration::from_secs(60));
        let mut deadline = Deadline::new();
        for wait in [30, 45, 0] {
            deadline.begin(limit);
            let passed =
                tokio::time::timeout(Duration::from_secs(wait), poll_fn(|cx| deadline.poll_over(cx)));
            assert!(passed.await.is_err(), "{wait}");
        }
        poll_fn(|cx| deadline.poll_over(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 75 + 60);
        deadline.begin(Duration::from_secs(1));
        poll_fn(|cx| deadline.poll_over(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 136);
    }
}
