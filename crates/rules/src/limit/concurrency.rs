//! Requests at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many requests of a route may be under way at once; without a bound nothing is counted.
#[derive(Debug)]
pub struct Concurrency(Option<Arc<Bound>>);

#[derive(Debug)]
struct Bound {
    most: usize,
    under_way: AtomicUsize,
}

/// One request's place, free again when it is dropped: keep it until the response's body has ended, for a
/// slow download burdens the upstream as long as it lasts.
#[derive(Debug)]
#[must_use = "the place is free again as soon as this is dropped"]
pub struct ConcurrencyPermit(Option<Arc<Bound>>);

impl Concurrency {
    /// At most `most` at once; any number where not given, none at all where 0.
    #[must_use]
    pub fn new(most: Option<usize>) -> Self {
        Self(most.map(|most| Arc::new(Bound { most, under_way: AtomicUsize::new(0) })))
    }

    /// A place for one more request; `None` where all are taken. It neither waits nor locks.
    pub fn try_enter(&self) -> Option<ConcurrencyPermit> {
        let Some(bound) = &self.0 else { return Some(ConcurrencyPermit(None)) };
        bound.enter().then(|| ConcurrencyPermit(Some(Arc::clone(bound))))
    }
}

impl Bound {
    /// Never counts beyond the bound, not even for a moment: a request that is turned away must not make
    /// another one turn away too.
    fn enter(&self) -> bool {
        let one_more = |under_way: usize| {
            mutant!(under_way < self.most, "one-request-too-many" => under_way <= self.most)
                .then(|| under_way + 1)
        };
        self.under_way.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).is_ok()
    }
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        if let Some(bound) = &self.0 {
            bound.under_way.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
