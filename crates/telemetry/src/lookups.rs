//! Hits and misses of a cache that every request asks: each thread counts in a cache line of its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Threads that count apart; further ones share.
const PLACES: usize = 32;

/// Counts of one cache.
#[derive(Debug)]
pub struct Lookups([Place; PLACES]);

/// Two cache lines: processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Place {
    hits: AtomicU64,
    misses: AtomicU64,
}

thread_local! {
    static MINE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Relaxed) % PLACES
    };
}

impl Default for Lookups {
    fn default() -> Self {
        Self::new()
    }
}

impl Lookups {
    /// Nothing counted yet.
    #[must_use]
    pub const fn new() -> Self {
        Self([const { Place { hits: AtomicU64::new(0), misses: AtomicU64::new(0) } }; PLACES])
    }

    /// Counts what a look-up gave, and passes it on.
    pub fn count<T>(&self, found: Option<T>) -> Option<T> {
        let place = MINE.with(|mine| &self.0[*mine]);
        let counter = if found.is_some() { &place.hits } else { &place.misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// Hits and misses so far.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        let total =
            |counter: fn(&Place) -> &AtomicU64| self.0.iter().map(|place| counter(place).load(Relaxed)).sum();
        (total(|place| &place.hits), total(|place| &place.misses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_count_apart_and_the_sum_is_told() {
        let lookups = Lookups::new();
        std::thread::scope(|scope| {
            for _ in 0..PLACES + 1 {
                scope.spawn(|| (lookups.count(Some(1)), lookups.count(None::<u8>), lookups.count(Some(2))));
            }
        });
        let threads = PLACES as u64 + 1;
        assert_eq!(lookups.totals(), (2 * threads, threads));
    }
}
