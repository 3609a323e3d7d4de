//! Counters, and counters by labels.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use super::family::{Family, Labels, Points, as_value};

/// A number that only grows. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts one.
    pub fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// What has been counted so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counters of one name, told apart by their labels. The values of labels are the configuration's and the program's own
/// words: whoever calls from outside can make no new ones. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct LabelledCounter {
    name: &'static str,
    help: &'static str,
    counters: Arc<RwLock<BTreeMap<Labels, Counter>>>,
}

impl LabelledCounter {
    pub(super) fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, counters: Arc::default() }
    }

    /// With these values of a label told though nothing was counted: a reader sees the first one rise.
    pub(super) fn with_zeros<const N: usize>(self, label: &'static str, values: [&str; N]) -> Self {
        for value in values {
            self.of(vec![(label, value.to_owned())]);
        }
        self
    }

    /// The counter of these labels: the one that is there already, or a new one.
    pub(super) fn of(&self, labels: Labels) -> Counter {
        let known = self.counters.read().unwrap_or_else(PoisonError::into_inner).get(&labels).cloned();
        known.unwrap_or_else(|| {
            self.counters.write().unwrap_or_else(PoisonError::into_inner).entry(labels).or_default().clone()
        })
    }

    pub(super) fn family(&self) -> Family {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        let counted = counters.iter().map(|(labels, counter)| (labels.clone(), as_value(counter.get())));
        Family { name: self.name, help: self.help, points: Points::Counter(counted.collect()) }
    }
}
