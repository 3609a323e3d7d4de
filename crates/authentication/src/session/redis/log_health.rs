//! How long ago the log of ends was heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// When the log was heard last, and how often something of it was missed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogHealth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begin: Instant,
    /// Milliseconds after `begin`.
    heard: AtomicU64,
    gaps: AtomicU64,
    stale: Duration,
}

impl LogHealth {
    pub(super) fn new(stale: Duration) -> Self {
        let begin = Instant::now();
        Self(Arc::new(Inner { begin, heard: AtomicU64::new(0), gaps: AtomicU64::new(0), stale }))
    }

    pub(super) fn heard(&self) {
        let since = u64::try_from(self.0.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.heard.store(since, Ordering::Relaxed);
    }

    pub(super) fn missed(&self) {
        self.0.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// How old what this process knows of other gateways' ends may be.
    #[must_use]
    pub fn age(&self) -> Duration {
        let heard = Duration::from_millis(self.0.heard.load(Ordering::Relaxed));
        self.0.begin.elapsed().saturating_sub(heard)
    }

    /// How long sessions still go on from memory; zero where they do not.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.0.stale.saturating_sub(self.age())
    }

    /// How often this process could not say what it had missed, and read everything anew.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.0.gaps.load(Ordering::Relaxed)
    }
}
