//! What is told of Redis in metrics and by readiness.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_events::{Part, PartWatch, Recorder};

use super::RedisError;

/// Counts of commands, and the last error while it lasts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RedisHealth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    done: AtomicU64,
    failed: AtomicU64,
    started: AtomicBool,
    troubles: Mutex<Troubles>,
    watch: PartWatch,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            started: AtomicBool::new(false),
            troubles: Mutex::default(),
            watch: PartWatch::new(Part::Store, "session store"),
        }
    }
}

#[derive(Debug, Default)]
struct Troubles {
    /// Why the last command failed; `None` after one that did not.
    now: Option<RedisError>,
    /// Rights that are missing, and were told: commands that need them come between others that are done.
    refused: Vec<RedisError>,
}

/// Missing rights that are told.
const MOST: usize = 16;

impl Troubles {
    /// Tells `watch` what begins and what ends; `starts`: the process is starting, and ends with what is final.
    fn follow(&mut self, watch: &PartWatch, trouble: Option<RedisError>, starts: bool) {
        let begins = match (&self.now, &trouble) {
            (_, Some(error)) if starts && error.is_final() => false,
            (_, Some(error @ RedisError::Refused { .. })) => self.is_news(error),
            // An outage that ends in another fault: somebody has to do something now.
            (Some(before), Some(error)) => error.is_final() && !before.is_final(),
            (None, Some(_)) => true,
            (Some(RedisError::Refused { .. }) | None, None) => false,
            (Some(_), None) => {
                watch.back();
                false
            }
        };
        if let Some(error) = trouble.as_ref().filter(|_| begins) {
            watch.lost(format!("the session store does not do its work: {error}"));
        }
        self.now = trouble;
    }

    fn is_news(&mut self, error: &RedisError) -> bool {
        let is_news = self.refused.len() < MOST && !self.refused.contains(error);
        if is_news {
            self.refused.push(error.clone());
        }
        is_news
    }
}

impl RedisHealth {
    /// Tells `recorder` when it stops doing its work, and when it does it again.
    pub fn record_to(&self, recorder: &Recorder) {
        self.0.watch.tell(recorder);
    }

    pub(super) fn note<T>(&self, result: &Result<T, RedisError>) {
        match result {
            Ok(_) => self.0.done.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.0.failed.fetch_add(1, Ordering::Relaxed),
        };
        // An unreadable row is not the server's trouble: it answers.
        let trouble = match result {
            Ok(_) | Err(RedisError::Unreadable { .. }) => None,
            Err(error) => Some(error.clone()),
        };
        let starts = !self.0.started.load(Ordering::Relaxed);
        self.troubles().follow(&self.0.watch, trouble, starts);
    }

    /// The process works with it from now on: what is final ends it no more, and is told.
    pub fn start(&self) {
        self.0.started.store(true, Ordering::Relaxed);
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.0.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the last command failed; `None` where it did not.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.troubles().now.as_ref().map(ToString::to_string)
    }

    /// Commands that were done, and commands that failed, since the start.
    #[must_use]
    pub fn commands(&self) -> (u64, u64) {
        (self.0.done.load(Ordering::Relaxed), self.0.failed.load(Ordering::Relaxed))
    }
}
