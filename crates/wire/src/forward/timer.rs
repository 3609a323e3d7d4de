//! Timers for silence and for lateness that cost little where nothing is late.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How often a task that waits for an answer wakes to see whether anything else has ended the wait.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// Tells when nothing has happened for `limit`.
///
/// Progress only sets a flag; the silence begins when somebody waits again. So a frame costs no clock and no timer,
/// and a body that never waits never has a timer.
#[derive(Debug)]
pub(super) struct IdleTimer {
    limit: Duration,
    deadline: Option<Deadline>,
    progress: bool,
}

impl IdleTimer {
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit, deadline: None, progress: true }
    }

    pub(super) const fn progress(&mut self) {
        self.progress = true;
    }

    /// Ready where nothing has happened for too long. To be polled where there is nothing to do.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline.get_or_insert_with(Deadline::new);
        if std::mem::take(&mut self.progress) {
            deadline.begin(mutant!(self.limit, "silence-counts-twice" => self.limit * 2));
        }
        deadline.poll_over(cx)
    }
}

/// Later than anybody waits.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Tells when a time limit has passed, again and again for one exchange after another.
///
/// To move a timer costs more than to read a clock. So the one that is set stays where it is from one
/// exchange to the next; when it goes off, it is set anew if the limit has not passed. A task that waits is
/// woken once a [`TICK`] by it, and sees then what ends a wait without waking anybody.
#[derive(Debug)]
pub(super) struct Deadline {
    end: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self { end: Instant::now(), sleep: None }
    }

    /// The limit runs from now on.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.end = Instant::now() + limit.min(NEVER);
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
    async fn silence_is_noticed_when_its_limit_has_passed_and_not_later() {
        let (limit, start) = (Duration::from_secs(60), Instant::now());
        let mut idle = IdleTimer::new(limit);
        for wait in [1, 59, 0, 30] {
            let silence =
                tokio::time::timeout(Duration::from_secs(wait), poll_fn(|cx| idle.poll_silence(cx)));
            assert!(silence.await.is_err(), "{wait}");
            idle.progress();
        }
        poll_fn(|cx| idle.poll_silence(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 90 + 60);
        let mut never = IdleTimer::new(Duration::MAX);
        let silence = tokio::time::timeout(limit, poll_fn(|cx| never.poll_silence(cx)));
        assert!(silence.await.is_err());
    }

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
