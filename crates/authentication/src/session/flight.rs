//! One question to the store for all who ask it at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

type Answer<T> = BoxFuture<'static, T>;

/// Questions under way; an entry lives no longer than somebody waits for its answer.
pub(super) struct Flights<K, T: Clone>(Mutex<HashMap<K, WeakShared<Answer<T>>>>);

impl<K: Copy + Eq + Hash, T: Clone + Send + Sync + 'static> Flights<K, T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Joins the question under way for `key`, or asks it.
    pub(super) async fn join(&self, key: K, ask: impl FnOnce() -> Answer<T>) -> T {
        let passenger = self.board(key, ask);
        passenger.shared.clone().await
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.under_way().len()
    }

    fn board(&self, key: K, ask: impl FnOnce() -> Answer<T>) -> Passenger<'_, K, T> {
        let mut flights = self.under_way();
        let joined = flights.get(&key).and_then(WeakShared::upgrade).filter(|shared| shared.peek().is_none());
        let shared = joined.unwrap_or_else(|| {
            let shared = ask().shared();
            flights.extend(shared.downgrade().map(|weak| (key, weak)));
            shared
        });
        Passenger { flights: self, key, shared }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<K, WeakShared<Answer<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clears up when it leaves, answered or not: strangers who ask and hang up fill no map (invariant 14).
struct Passenger<'a, K: Copy + Eq + Hash, T: Clone + Send + Sync + 'static> {
    flights: &'a Flights<K, T>,
    key: K,
    shared: Shared<Answer<T>>,
}

impl<K: Copy + Eq + Hash, T: Clone + Send + Sync + 'static> Drop for Passenger<'_, K, T> {
    fn drop(&mut self) {
        let mut flights = self.flights.under_way();
        let last = self.shared.strong_count().is_none_or(|count| count <= 1);
        if last || self.shared.peek().is_some() {
            flights.remove(&self.key);
        }
    }
}
