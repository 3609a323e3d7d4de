//! A connection being served: until its peer, a time limit or the phase ends it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::activity::{Activity, Expiry};
use super::phase::left;
use super::stats::{ConnectionRefusal, ConnectionStats};
use super::{ConnectionLimits, Phase};

/// How long a connection that has said nothing yet is waited for when the drain begins.
pub(super) const NEWCOMER: Duration = Duration::from_secs(1);

/// A connection that can be told to end after what is under way.
pub(super) trait Graceful {
    /// Serves; ready once the connection has ended.
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// Takes no request that has not begun.
    fn finish(self: Pin<&mut Self>);
}

/// Why a connection is not simply served any more.
enum StopReason {
    Ended,
    Expired(Expiry),
    Left,
}

/// Serves one connection to its end.
///
/// At first it is polled until one of three things comes ([`StopReason`]): it ends by itself, a time limit of
/// its [`Activity`] is over, or the listener's phase is not [`Phase::Serve`] any more. Then, and never back:
/// - after the phase has changed, or for being idle, it takes no further request, and what is under way may
///   end, within the time that the accept loop or the time limit of a head allows;
/// - for a head that takes too long, or a peer that does not read, it is cut at once: to drop it closes the
///   connection.
pub(super) struct Watch<'a> {
    pub(super) activity: &'a Activity,
    pub(super) limits: &'a ConnectionLimits,
    pub(super) stats: &'a ConnectionStats,
}

impl Watch<'_> {
    pub(super) async fn run(
        self,
        mut phase: watch::Receiver<Phase>,
        mut connection: Pin<Box<impl Graceful>>,
    ) {
        match self.first(&mut phase, connection.as_mut()).await {
            StopReason::Ended => {}
            StopReason::Left => self.drain(connection.as_mut()).await,
            StopReason::Expired(Expiry::Idle) => self.idle(connection.as_mut()).await,
            StopReason::Expired(Expiry::Head) => {
                self.cut(ConnectionRefusal::Slow, "a request's head took too long")
            }
            StopReason::Expired(Expiry::Stalled) => {
                self.cut(ConnectionRefusal::Stalled, "the peer does not read")
            }
        }
    }

    /// What comes first. A request wakes its connection several times, while the timer and the phase hardly
    /// ever change: those are polled only where they may have.
    async fn first(
        &self,
        phase: &mut watch::Receiver<Phase>,
        mut connection: Pin<&mut impl Graceful>,
    ) -> StopReason {
        let (mut alarm, seen) = (self.activity.alarm(self.limits), phase.clone());
        let mut left = pin!(unconstrained(left(phase, |phase| phase != Phase::Serve)));
        let mut listens = false;
        poll_fn(|cx| {
            if connection.as_mut().poll_end(cx).is_ready() {
                return Poll::Ready(StopReason::Ended);
            }
            // `Err`: the sender is gone, which counts as a change.
            if (!listens || seen.has_changed().unwrap_or(true)) && left.as_mut().poll(cx).is_ready() {
                return Poll::Ready(StopReason::Left);
            }
            listens = true;
            mutant!(alarm.poll(cx).map(StopReason::Expired), "slow-heads-borne" => Poll::Pending)
        })
        .await
    }

    /// What is under way may end; the time for it is the accept loop's to measure. A connection that has only
    /// just been accepted has its first request on the way, and its client no reason to send it again.
    async fn drain(self, mut connection: Pin<&mut impl Graceful>) {
        let newcomer = poll_fn(|cx| match connection.as_mut().poll_end(cx) {
            Poll::Pending if !self.activity.was_heard() => Poll::Pending,
            end @ (Poll::Ready(()) | Poll::Pending) => Poll::Ready(end.is_ready()),
        });
        if timeout(NEWCOMER, newcomer).await.unwrap_or(false) {
            return;
        }
        connection.as_mut().finish();
        tokio::select! {
            // The connection first: the alarm reads from `activity` what that has turned to.
            biased;
            () = poll_fn(|cx| connection.as_mut().poll_end(cx)) => {}
            expiry = self.activity.expired(self.limits) => tracing::debug!(?expiry, "closed while draining"),
        }
    }

    /// Ends a connection that has been idle for too long. Over HTTP/2 the peer is told (GOAWAY); a request
    /// that it sent before that reached it is still answered.
    async fn idle(self, mut connection: Pin<&mut impl Graceful>) {
        connection.as_mut().finish();
        let _ = timeout(self.limits.head, poll_fn(|cx| connection.as_mut().poll_end(cx))).await;
    }

    fn cut(&self, refusal: ConnectionRefusal, why: &str) {
        tracing::debug!(reason = why, "connection closed");
        self.stats.count(refusal);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use tokio::time::{Instant, Sleep, sleep};

    use super::*;

    /// Begins with a head after a second, and never ends it.
    struct Late(Pin<Box<Sleep>>, Arc<Activity>);

    impl Graceful for Late {
        fn poll_end(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if self.0.is_elapsed() || self.0.as_mut().poll(cx).is_ready() {
                self.1.head(true);
            }
            Poll::Pending
        }

        fn finish(self: Pin<&mut Self>) {}
    }

    #[tokio::test(start_paused = true)]
    async fn invariant_14_the_time_of_a_head_runs_while_draining() {
        let (limits, stats) = (ConnectionLimits::default(), ConnectionStats::default());
        // As often as it takes where it hung on chance.
        for _ in 0..32 {
            let (activity, begun) = (Activity::new(), Instant::now());
            let watch = Watch { activity: &activity, limits: &limits, stats: &stats };
            let late = Late(Box::pin(sleep(Duration::from_secs(1))), Arc::clone(&activity));
            let (_drain, phase) = watch::channel(Phase::Drain(Duration::from_secs(3600)));
            watch.run(phase, Box::pin(late)).await;
            assert!(begun.elapsed() < limits.head + Duration::from_secs(2), "{:?}", begun.elapsed());
        }
    }

    /// Takes one request `after` some time, unless it is told to finish before; notes which.
    struct Newcomer {
        after: Pin<Box<Sleep>>,
        activity: Arc<Activity>,
        told: bool,
        served: Arc<AtomicBool>,
    }

    impl Graceful for Newcomer {
        fn poll_end(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if self.told && !self.activity.was_heard() {
                return Poll::Ready(());
            }
            std::task::ready!(self.after.as_mut().poll(cx));
            self.activity.heard();
            self.served.store(true, Relaxed);
            Poll::Ready(())
        }

        fn finish(mut self: Pin<&mut Self>) {
            self.told = true;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_just_accepted_is_answered_though_the_drain_begins() {
        let (limits, stats) = (ConnectionLimits::default(), ConnectionStats::default());
        for (millis, answered) in [(500, true), (5000, false)] {
            let (activity, served) = (Activity::new(), Arc::new(AtomicBool::new(false)));
            let watch = Watch { activity: &activity, limits: &limits, stats: &stats };
            let after = Box::pin(sleep(Duration::from_millis(millis)));
            let newcomer =
                Newcomer { after, activity: Arc::clone(&activity), told: false, served: Arc::clone(&served) };
            let (_drain, phase) = watch::channel(Phase::Drain(Duration::from_secs(3600)));
            let begun = Instant::now();
            watch.run(phase, Box::pin(newcomer)).await;
            assert_eq!(served.load(Relaxed), answered, "after {millis} ms");
            assert!(begun.elapsed() < Duration::from_secs(2));
        }
    }
}
