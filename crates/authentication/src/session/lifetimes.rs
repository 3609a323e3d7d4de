//! How long sessions live. A reload may change it under living sessions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::SessionSettings;
use super::activity::interval;

/// Read by every request: whole seconds in atomics, so that no request waits for a reload. The two are
/// independent of each other; a request that sees one of them changed first is judged by either rule.
#[derive(Debug)]
pub(super) struct Lifetimes {
    idle: AtomicU64,
    age: AtomicU64,
}

impl Lifetimes {
    pub(super) fn new(settings: &SessionSettings) -> Self {
        let (idle, age) = (settings.idle_timeout.as_secs(), settings.max_age.as_secs());
        Self { idle: AtomicU64::new(idle), age: AtomicU64::new(age) }
    }

    pub(super) fn set(&self, settings: &SessionSettings) {
        self.idle.store(settings.idle_timeout.as_secs(), Ordering::Relaxed);
        self.age.store(settings.max_age.as_secs(), Ordering::Relaxed);
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle.load(Ordering::Relaxed))
    }

    pub(super) fn max_age(&self) -> Duration {
        Duration::from_secs(self.age.load(Ordering::Relaxed))
    }

    /// How often the use of a family is written.
    pub(super) fn interval(&self) -> Duration {
        interval(self.idle())
    }
}
