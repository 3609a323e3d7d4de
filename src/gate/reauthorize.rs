//! When exchanges that go on for long are judged anew: once in a period, and whenever another configuration comes into
//! force.
//!
//! They stand in groups, which are called one after the other: of ten thousand streams some hundred and sixty are judged
//! at a time, between which requests are served. One task of the process counts the period for all of them, so that a
//! stream costs no timer of its own. A group counts its calls, and a stream the last one that it has heard: a call that
//! comes while a stream is being judged is heard afterwards.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::snapshot::Snapshot;
use crate::telemetry::Metrics;

/// Groups of streams.
const GROUPS: usize = 64;
/// How long after one group the next is called where all are: the last one a seventh of a second after the first.
const PAUSE: Duration = Duration::from_millis(2);

/// Calls whoever is to be judged anew. One for the process; a reload keeps it.
pub(super) struct Reauthorization {
    /// What is judged by. Not held by this: a configuration that nothing uses any more ends.
    newest: RwLock<Weak<Snapshot>>,
    /// The number of that configuration; each has a higher one than those before it.
    generation: AtomicU64,
    built: AtomicU64,
    /// Milliseconds.
    period: AtomicU64,
    changed: Notify,
    groups: [Group; GROUPS],
    joined: AtomicUsize,
    metrics: Metrics,
}

/// Streams that are called together.
#[derive(Default)]
struct Group {
    calls: AtomicU64,
    called: Notify,
}

/// Resolves with the number of the next call.
pub(super) type NextCall = Pin<Box<dyn Future<Output = u64> + Send>>;

impl Reauthorization {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            newest: RwLock::default(),
            generation: AtomicU64::new(0),
            built: AtomicU64::new(0),
            period: AtomicU64::new(0),
            changed: Notify::new(),
            groups: std::array::from_fn(|_| Group::default()),
            joined: AtomicUsize::new(0),
            metrics,
        }
    }

    /// The number of a configuration that is being built.
    pub(super) fn next_generation(&self) -> u64 {
        self.built.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the configuration in force.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What is judged by; `None` while the gateway ends.
    pub(super) fn newest(&self) -> Option<Arc<Snapshot>> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// From now on everything is judged by `snapshot`, also what was judged by those before it.
    pub(super) fn put_in_force(self: &Arc<Self>, snapshot: &Arc<Snapshot>, background: &Handle) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(snapshot);
        let period = u64::try_from(snapshot.reauthorize_every.as_millis()).unwrap_or(u64::MAX);
        self.period.store(period, Ordering::Relaxed);
        self.generation.store(snapshot.generation, Ordering::Release);
        self.changed.notify_waiters();
        let all = Arc::clone(self).call_all();
        mutant!(drop(background.spawn(all)), "streams-outlive-a-reload" => drop(all));
    }

    async fn call_all(self: Arc<Self>) {
        for group in &self.groups {
            group.call();
            sleep(PAUSE).await;
        }
    }

    /// Calls every group once in a period, for ever; one task of the process runs it.
    pub(super) async fn keep_calling(self: Arc<Self>) {
        for group in self.groups.iter().cycle() {
            loop {
                let step = Duration::from_millis(self.period.load(Ordering::Relaxed)) / 64;
                tokio::select! {
                    () = sleep(step) => break,
                    // The period may be another one now.
                    () = self.changed.notified() => {}
                }
            }
            mutant!(group.call(), "streams-not-judged-at-a-period" => ());
        }
    }

    /// The group of a stream that begins to wait, and the number of its last call.
    pub(super) fn join(&self) -> (usize, u64) {
        let group = self.joined.fetch_add(1, Ordering::Relaxed) % GROUPS;
        (group, self.groups[group].calls.load(Ordering::Acquire))
    }

    /// Resolves once the group has been called again since call number `last`.
    pub(super) fn next_call(self: &Arc<Self>, group: usize, last: u64) -> NextCall {
        let all = Arc::clone(self);
        Box::pin(async move { all.groups[group].next_call(last).await })
    }

    /// Counts what came of a judgement.
    pub(super) fn count(&self, result: &str) {
        self.metrics.reauthorization(result);
    }
}

impl Group {
    fn call(&self) {
        self.calls.fetch_add(1, Ordering::AcqRel);
        self.called.notify_waiters();
    }

    async fn next_call(&self, last: u64) -> u64 {
        loop {
            let mut called = pin!(self.called.notified());
            // Listens before it looks, so that a call in between is not missed.
            called.as_mut().enable();
            let calls = self.calls.load(Ordering::Acquire);
            if calls != last {
                return calls;
            }
            called.await;
        }
    }
}

impl fmt::Debug for Reauthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reauthorization").field("generation", &self.generation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_stream_is_called_once_in_a_period_and_few_at_a_time() {
        let all = Arc::new(Reauthorization::new(Metrics::new()));
        all.period.store(60_000, Ordering::Relaxed);
        let calls = tokio::spawn(Arc::clone(&all).keep_calling());
        let mut waiting: Vec<_> = (0..10 * GROUPS)
            .map(|_| {
                let (group, last) = all.join();
                all.next_call(group, last)
            })
            .collect();
        let mut most = 0;
        for _ in 0..=GROUPS {
            tokio::task::yield_now().await;
            let before = waiting.len();
            waiting.retain_mut(|call| call.now_or_never().is_none());
            most = most.max(before - waiting.len());
            // A little more than a step, which timers count in whole milliseconds.
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!((waiting.len(), most), (0, 10));
        calls.abort();
    }

    #[tokio::test]
    async fn a_call_that_comes_while_a_stream_is_judged_is_heard_afterwards() {
        let all = Arc::new(Reauthorization::new(Metrics::new()));
        let (group, last) = all.join();
        all.groups[group].call();
        let last = all.next_call(group, last).now_or_never().unwrap();
        assert_eq!(all.next_call(group, last).now_or_never(), None);
    }
}
