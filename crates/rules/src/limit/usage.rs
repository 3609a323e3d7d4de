//! What limits have counted, for operators.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::policy::QuotaPolicy;

/// One limit as it stands now. It says how many are counted, and nothing of who they are (invariant 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitUsage {
    /// Whom it counts, as the `RateLimit` fields name it: `address`, `principal`, `route`, `header`; the second of a
    /// kind is `address-2`.
    pub name: String,
    /// Requests that may come at once.
    pub burst: u32,
    /// Seconds in which so many come back.
    pub window: u64,
    /// Addresses, principals or header values that have a count of their own; 1 for a whole route.
    pub keys: usize,
    /// Of these, how many would be refused now. A whole route counts from its last refusal on.
    pub at_bound: usize,
    /// Requests refused since the start, or since the limit was changed.
    pub refused: u64,
}

/// What is noted where a limit refuses.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: AtomicU64,
    /// Until when the last one was refused, in nanoseconds of the monotonic clock.
    until: AtomicU64,
}

impl Refusals {
    pub(super) fn note(&self, now: Duration, wait: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.until.fetch_max(nanos(now.saturating_add(wait)), Ordering::Relaxed);
    }

    pub(super) fn usage(&self, policy: &QuotaPolicy, (keys, at_bound): (usize, usize)) -> LimitUsage {
        LimitUsage {
            name: policy.name.clone(),
            burst: policy.burst(),
            window: policy.window(),
            keys,
            at_bound,
            refused: self.count.load(Ordering::Relaxed),
        }
    }

    /// Of a limit that counts everybody together.
    pub(super) fn is_at_bound(&self, now: Duration) -> bool {
        nanos(now) < self.until.load(Ordering::Relaxed)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
