//! How long the token endpoint of a provider is left alone after failures.
//!
//! It is *at work* until a call fails in a way that says something of the provider, then *at rest*: for two seconds, and
//! for twice as long with each further failure in a row, a minute at most. A rest ends by itself; a call that succeeds
//! has all failures forgotten. Calls that were under way together when one of them failed count as one failure.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The rest behind the first failure; it doubles with each further one in a row, up to the longest.
const FIRST: Duration = Duration::from_secs(2);
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// How long the endpoint is left alone after `failures` in a row, of which there is at least one.
pub(crate) fn rest(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(LONGEST)
}

/// Calls to one provider, of whatever session.
#[derive(Debug, Default)]
pub(super) struct Backoff(Mutex<BackoffState>);

#[derive(Debug, Default)]
struct BackoffState {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// Whether the last calls failed, too short a time ago.
    pub(super) fn rests(&self) -> bool {
        self.state().until.is_some_and(|until| Instant::now() < until)
    }

    /// Notes how a call ended. Calls that were under way together fail once.
    pub(super) fn note(&self, failed: bool) {
        if failed && self.rests() {
            return;
        }
        let mut state = self.state();
        state.failures = if failed { state.failures.saturating_add(1) } else { 0 };
        state.until = failed.then(|| Instant::now() + rest(state.failures));
    }

    fn state(&self) -> MutexGuard<'_, BackoffState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_fails_rests_longer_each_time_and_a_success_ends_it() {
        let backoff = Backoff::default();
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            backoff.note(true);
            // Another one of those that were under way.
            backoff.note(true);
            tokio::time::advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
            assert!(backoff.rests(), "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(!backoff.rests(), "{seconds}");
        }
        backoff.note(true);
        backoff.note(false);
        assert!(!backoff.rests());
    }
}
