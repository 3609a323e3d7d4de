//! Hits and misses of a cache that every request asks: each thread counts in a cache line of its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How many threads count apart; further ones share a shard with one of these.
const SHARDS: usize = 32;

/// Counts of one cache.
#[derive(Debug)]
pub struct Lookups([Shard; SHARDS]);

/// What one thread has counted. Aligned to two cache lines, which processors fetch in pairs: threads whose
/// counts lay in one would slow each other down.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    hits: AtomicU64,
    misses: AtomicU64,
}

thread_local! {
    /// Which shard this thread counts in.
    static MINE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Relaxed) % SHARDS
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
        Self([const { Shard { hits: AtomicU64::new(0), misses: AtomicU64::new(0) } }; SHARDS])
    }

    /// Counts what a look-up gave, and passes it on.
    pub fn count<T>(&self, found: Option<T>) -> Option<T> {
        let shard = MINE.with(|mine| &self.0[*mine]);
        let counter = if found.is_some() { &shard.hits } else { &shard.misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// Hits and misses so far.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        let total =
            |counter: fn(&Shard) -> &AtomicU64| self.0.iter().map(|shard| counter(shard).load(Relaxed)).sum();
        (total(|shard| &shard.hits), total(|shard| &shard.misses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_count_apart_and_the_sum_is_told() {
        let lookups = Lookups::new();
        std::thread::scope(|scope| {
            for _ in 0..SHARDS + 1 {
                scope.spawn(|| (lookups.count(Some(1)), lookups.count(None::<u8>), lookups.count(Some(2))));
            }
        });
        let threads = SHARDS as u64 + 1;
        assert_eq!(lookups.totals(), (2 * threads, threads));
    }
}
