//! What is told of Redis in metrics and by readiness.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::RedisError;

/// Counts of commands, and the last error while it lasts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RedisHealth(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    done: AtomicU64,
    failed: AtomicU64,
    /// Why the last command failed; `None` after one that did not.
    trouble: Mutex<Option<String>>,
}

impl RedisHealth {
    pub(super) fn note<T>(&self, result: &Result<T, RedisError>) {
        match result {
            Ok(_) => self.0.done.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.0.failed.fetch_add(1, Ordering::Relaxed),
        };
        // An unreadable row is not the server's trouble: it answers.
        let trouble = match result {
            Ok(_) | Err(RedisError::Unreadable { .. }) => None,
            Err(error) => Some(error.to_string()),
        };
        let mut told = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*told, &trouble) {
            (None, Some(error)) => tracing::error!(%error, "the session store does not do its work"),
            (Some(_), None) => tracing::info!("the session store works again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        *told = trouble;
    }

    /// Why the last command failed; `None` where it did not.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commands that were done, and commands that failed, since the start.
    #[must_use]
    pub fn commands(&self) -> (u64, u64) {
        (self.0.done.load(Ordering::Relaxed), self.0.failed.load(Ordering::Relaxed))
    }
}
