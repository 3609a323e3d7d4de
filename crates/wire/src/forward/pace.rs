//! The least rate at which a client must send a request's body (`min_body_rate`).

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::timer::Deadline;

/// How long a client may send too little, for a network that stumbles.
const GRACE: Duration = Duration::from_secs(20);

/// Tells when a client has kept us waiting too long for what it has sent.
///
/// It has [`GRACE`] to begin with. Time in which we wait for it uses that up, and bytes give back the time
/// that they may take at the least rate, up to [`GRACE`] again: sending fast earns nothing for later. Time in
/// which we do not wait, for the upstream is slow, does not count.
#[derive(Debug)]
pub(super) struct Pace {
    /// Bytes a second; at least 1.
    rate: u64,
    left: Duration,
    waiting: Option<Wait>,
}

#[derive(Debug)]
struct Wait {
    since: Instant,
    deadline: Deadline,
}

impl Pace {
    pub(super) const fn new(rate: u64) -> Self {
        Self { rate, left: GRACE, waiting: None }
    }

    /// So many bytes have come.
    pub(super) fn came(&mut self, bytes: u64) {
        let waited = self.waiting.take().map_or(Duration::ZERO, |wait| wait.since.elapsed());
        let earned = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / self.rate.max(1));
        self.left = (self.left + earned).saturating_sub(waited).min(GRACE);
    }

    /// Ready where it has been too slow. To be polled where nothing has come.
    pub(super) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.left;
        let wait = self.waiting.get_or_insert_with(|| {
            let mut deadline = Deadline::new();
            deadline.begin(left);
            Wait { since: Instant::now(), deadline }
        });
        mutant!(wait.deadline.poll_over(cx), "slow-body-borne" => Poll::Pending)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{sleep, timeout};

    use super::*;

    /// How long somebody lasts who sends so many bytes every so often.
    async fn lasts(rate: u64, bytes: u64, every: Duration) -> Duration {
        let (mut pace, start) = (Pace::new(rate), Instant::now());
        while start.elapsed() < 100 * GRACE {
            if timeout(every, poll_fn(|cx| pace.poll_too_slow(cx))).await.is_ok() {
                break;
            }
            pace.came(bytes);
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_less_than_the_rate_is_cut_off_and_nobody_else() {
        let second = Duration::from_secs(1);
        for (bytes, cut) in [(0, true), (1, true), (50, true), (90, true), (100, false), (10_000, false)] {
            let lasted = lasts(100, bytes, second).await;
            assert_eq!(lasted < 100 * GRACE, cut, "{bytes}: {lasted:?}");
            assert!(lasted >= GRACE, "{bytes}");
        }
        assert!(lasts(100, 1500, 15 * second).await >= 100 * GRACE, "in bursts");
        assert_eq!(lasts(u64::MAX, 0, second).await, GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_nobody_waits_for_the_client_does_not_count_and_haste_is_not_saved_up() {
        let mut pace = Pace::new(100);
        pace.came(1_000_000);
        sleep(100 * GRACE).await;
        let start = Instant::now();
        poll_fn(|cx| pace.poll_too_slow(cx)).await;
        assert_eq!(start.elapsed(), GRACE);
    }
}
