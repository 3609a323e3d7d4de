//! For each bucket of latencies the last request in it that belongs to a recorded trace.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::family::Example;
use super::requests::BUCKETS;

/// Room is made with the first one: most routes have none.
#[derive(Debug, Default)]
pub(super) struct Examples(OnceLock<Box<Mutex<[Option<Example>; BUCKETS.len() + 1]>>>);

impl Examples {
    /// Takes the place of the one before it in this bucket.
    pub(super) fn note(&self, bucket: usize, example: Example) {
        let examples = self.0.get_or_init(Box::default);
        let mut examples = examples.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = examples.get_mut(bucket) {
            *place = Some(example);
        }
    }

    pub(super) fn of(&self, bucket: usize) -> Option<Example> {
        let examples = self.0.get()?.lock().unwrap_or_else(PoisonError::into_inner);
        examples.get(bucket).copied().flatten()
    }
}
