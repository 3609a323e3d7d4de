//! The state of every key, within bounds however many keys come (invariant 14).

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

/// Parts with a lock of their own, so that workers seldom meet.
const SHARDS: usize = 16;
/// Shared places of a shard, for keys that find no place of their own.
const SHARED: usize = 64;
/// Entries that one request tidies at most: nobody pays for all the others.
const STEPS: usize = 32;

/// A theoretical arrival time for each digest of a key, for a bounded number of keys.
///
/// A key is *at rest* once that time has passed: its whole burst is there again. Only then it gives up its place,
/// for then it is as good as new, and whoever changes keys in turns gets rid of no debt. While no place is free,
/// newcomers share a fixed number of places and their rate, chosen by digest: a flood of keys slows down other
/// newcomers, not those who were there before. Whoever gets a place later takes along the debt of the shared one,
/// so that no key ever exceeds its own rate.
#[derive(Clone, Debug)]
pub(super) struct BoundedStore {
    shards: Arc<[Mutex<Shard>; SHARDS]>,
}

#[derive(Debug)]
struct Shard {
    most: usize,
    /// The time between two requests of the rate.
    interval: Nanos,
    /// By digest: when the key is back at rest.
    places: HashMap<u64, Nanos>,
    /// Each key of `places` once, with a time at which it was not yet at rest or just became so; the next
    /// candidate first.
    resting: BinaryHeap<Reverse<(Nanos, u64)>>,
    /// Empty until the shard is full for the first time.
    shared: Vec<Nanos>,
}

impl BoundedStore {
    /// At most `most` keys have a place of their own; `interval` is that of the quota.
    pub(super) fn new(most: usize, interval: Nanos) -> Self {
        let share = |shard: usize| most / SHARDS + usize::from(shard < most % SHARDS);
        let shards = std::array::from_fn(|shard| Mutex::new(Shard::new(share(shard), interval)));
        Self { shards: Arc::new(shards) }
    }

    fn shard(&self, digest: u64) -> MutexGuard<'_, Shard> {
        // A panic elsewhere leaves at worst one request uncounted behind.
        self.shards[digest as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys with a place of their own that are not at rest at `now`, and how many of these are further from it than
    /// `tolerance`.
    pub(super) fn usage(&self, now: Nanos, tolerance: Nanos) -> (usize, usize) {
        let shards = (0..SHARDS as u64).map(|shard| self.shard(shard).usage(now, tolerance));
        shards.fold((0, 0), |(keys, at_bound), (more, further)| (keys + more, at_bound + further))
    }

    /// Keys with a place of their own, entries to be tidied, and shared places.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 3] {
        let shards = self.shards.iter().map(|shard| shard.lock().unwrap());
        let sizes = shards.map(|shard| [shard.places.len(), shard.resting.len(), shard.shared.len()]);
        sizes.fold([0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z])
    }
}

impl StateStore for BoundedStore {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, digest: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.shard(*digest).measure_and_replace(*digest, measure)
    }
}

impl Shard {
    fn new(most: usize, interval: Nanos) -> Self {
        Self { most, interval, places: HashMap::new(), resting: BinaryHeap::new(), shared: Vec::new() }
    }

    fn measure_and_replace<T, E>(
        &mut self,
        digest: u64,
        measure: impl Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    ) -> Result<T, E> {
        if let Some(place) = self.places.get_mut(&digest) {
            let (value, next) = measure(Some(*place))?;
            *place = next;
            return Ok(value);
        }
        let (value, next) = measure(self.shared.get(shared(digest)).copied())?;
        // A key without history is at rest one interval after its first request.
        let (_, first) = measure(None)?;
        self.remember(digest, next, first.saturating_sub(self.interval));
        Ok(value)
    }

    fn usage(&self, now: Nanos, tolerance: Nanos) -> (usize, usize) {
        let busy = self.places.values().filter(|rest| **rest > now);
        busy.fold((0, 0), |(keys, at_bound), rest| {
            (keys + 1, at_bound + usize::from(rest.saturating_sub(tolerance) > now))
        })
    }

    fn remember(&mut self, digest: u64, next: Nanos, now: Nanos) {
        if self.has_room(now) {
            self.places.insert(digest, next);
            self.resting.push(Reverse((next, digest)));
        } else {
            self.shared.resize(SHARED, Nanos::default());
            self.shared[shared(digest)] = next;
        }
    }

    /// Whether there is a place, where need be that of a key that is back at rest.
    fn has_room(&mut self, now: Nanos) -> bool {
        self.places.len() < self.most || (0..STEPS).find_map(|_| self.free_next(now)).unwrap_or(false)
    }

    /// Looks at the next candidate: whether its place became free, or nobody's can, or it has to be asked again
    /// (`None`), since it was not idle in between.
    fn free_next(&mut self, now: Nanos) -> Option<bool> {
        let Some(mut next) = self.resting.peek_mut() else { return Some(false) };
        let Reverse((rest, digest)) = *next;
        if rest > now {
            return Some(false);
        }
        match self.places.get(&digest) {
            Some(&rest) if rest > now => {
                *next = Reverse((rest, digest));
                None
            }
            _ => {
                PeekMut::pop(next);
                self.places.remove(&digest);
                Some(true)
            }
        }
    }
}

/// Which shared place; from other bits than the shard.
const fn shared(digest: u64) -> usize {
    (digest >> 32) as usize % SHARED
}
