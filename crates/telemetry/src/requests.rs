//! Requests by route and outcome, counted without a lock: each worker has a cache line of its own.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::examples::Examples;
use super::family::{Bucket, Example};
use portcullis_events::Outcome;
use portcullis_rules::clock::Moment;
use portcullis_rules::identity::RouteName;
use portcullis_trace::TraceId;

/// Upper bounds of the latency buckets, in microseconds; one more bucket holds the rest.
pub const BUCKETS: [u64; 13] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000,
];

/// The counts of one route.
#[derive(Debug)]
pub struct RequestStats {
    route: RouteName,
    workers: Box<[Counts]>,
}

/// What one worker has counted. Aligned to two cache lines, which processors fetch in pairs, so that workers
/// do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counts {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    buckets: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
    examples: Examples,
}

impl RequestStats {
    /// The counts of a route that has had no request, for so many workers.
    #[must_use]
    pub fn new(route: RouteName, workers: usize) -> Self {
        Self { route, workers: (0..workers.max(1)).map(|_| Counts::default()).collect() }
    }

    /// The route that is counted.
    #[must_use]
    pub const fn route(&self) -> &RouteName {
        &self.route
    }

    /// Counts one request on `worker`.
    pub fn record(&self, worker: usize, outcome: Outcome, took: Duration) {
        let counts = &self.workers[worker % self.workers.len()];
        let micros = micros(took);
        counts.outcomes[outcome as usize].fetch_add(1, Relaxed);
        counts.buckets[bucket(micros)].fetch_add(1, Relaxed);
        counts.microseconds.fetch_add(micros, Relaxed);
    }

    /// Notes that a request which `worker` has counted belongs to a recorded trace.
    pub fn note_example(&self, worker: usize, took: Duration, trace: TraceId, at: Moment) {
        let counts = &self.workers[worker % self.workers.len()];
        counts.examples.note(bucket(micros(took)), Example { trace, took, at });
    }

    /// How often `outcome` has been counted.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.workers.iter().map(|counts| counts.outcomes[outcome as usize].load(Relaxed)).sum()
    }

    /// How many requests fell into each bucket of [`BUCKETS`], and how many took longer.
    #[must_use]
    pub fn latencies(&self) -> [u64; BUCKETS.len() + 1] {
        std::array::from_fn(|bucket| self.sum(|counts| &counts.buckets[bucket]))
    }

    pub(super) fn buckets(&self) -> Vec<Bucket> {
        let bounds = BUCKETS.iter().map(|micros| seconds(*micros)).chain([f64::INFINITY]);
        let example = |i| {
            let of_workers = self.workers.iter().filter_map(|counts| counts.examples.of(i));
            of_workers.max_by_key(|example| example.at)
        };
        let count = |i: usize| self.sum(|counts| &counts.buckets[i]);
        let bucket = |(i, bound)| Bucket { bound, count: count(i), example: example(i) };
        bounds.enumerate().map(bucket).collect()
    }

    pub(super) fn seconds(&self) -> f64 {
        seconds(self.sum(|counts| &counts.microseconds))
    }

    fn sum(&self, pick: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.workers.iter().map(|counts| pick(counts).load(Relaxed)).sum()
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// The bucket that so many microseconds belong to.
fn bucket(micros: u64) -> usize {
    BUCKETS.partition_point(|bound| *bound < micros)
}

#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
const fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_add_up_and_latencies_fall_into_their_bucket() {
        let stats = RequestStats::new(RouteName::new("wiki"), 2);
        stats.record(0, Outcome::Allowed, Duration::from_micros(250));
        stats.record(1, Outcome::Allowed, Duration::from_micros(251));
        stats.record(7, Outcome::Forbidden, Duration::from_secs(3600));
        assert_eq!(stats.count(Outcome::Allowed), 2);
        let counts: Vec<u64> = stats.buckets().iter().map(|bucket| bucket.count).collect();
        assert_eq!((counts[0], counts[1], counts[13]), (1, 1, 1));
        assert_eq!(counts, stats.latencies());
        assert!(stats.seconds() > 3600.0);
    }
}
