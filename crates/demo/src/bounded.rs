//! What a server remembers: never more than it has room for, never longer than it should.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use portcullis_rules::clock::{Clock, Timestamp};

type Fingerprint = Vec<u8>;
type Entries<V> = HashMap<Fingerprint, (Timestamp, V)>;

/// Values under secret keys, each until its time is over. Where there is no room for another one, the one
/// that would end first makes way: strangers cannot fill the memory (invariant 14).
///
/// Keys are kept as digests: a look-up tells nothing of them by the time it takes.
pub(super) struct Bounded<V> {
    capacity: usize,
    clock: Clock,
    entries: Mutex<Entries<V>>,
}

impl<V> Bounded<V> {
    /// Room for `capacity` values.
    pub(super) fn new(capacity: usize, clock: &Clock) -> Self {
        Self { capacity, clock: clock.clone(), entries: Mutex::default() }
    }

    /// Keeps `value` for `lifetime`.
    pub(super) fn put(&self, key: &str, lifetime: Duration, value: V) {
        let now = self.clock.now();
        let mut entries = self.lock();
        if entries.len() >= self.capacity {
            make_room(&mut entries, self.capacity, now);
        }
        entries.insert(fingerprint(key), (now + lifetime, value));
    }

    /// A copy of the value.
    pub(super) fn get(&self, key: &str) -> Option<V>
    where
        V: Clone,
    {
        self.with(key, |value| value.clone())
    }

    /// What `act` makes of the value, while nobody else can look at it.
    pub(super) fn with<R>(&self, key: &str, act: impl FnOnce(&mut V) -> R) -> Option<R> {
        let now = self.clock.now();
        let mut entries = self.lock();
        let (end, value) = entries.get_mut(fingerprint(key).as_slice())?;
        (now < *end).then(|| act(value))
    }

    /// The value, which is gone afterwards: of all who ask at once, one gets it.
    pub(super) fn take(&self, key: &str) -> Option<V> {
        let (end, value) = self.lock().remove(fingerprint(key).as_slice())?;
        (self.clock.now() < end).then_some(value)
    }

    /// Drops what `keep` does not want.
    pub(super) fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.lock().retain(|_, (_, value)| keep(value));
    }

    fn lock(&self) -> MutexGuard<'_, Entries<V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room<V>(entries: &mut Entries<V>, capacity: usize, now: Timestamp) {
    entries.retain(|_, (end, _)| now < *end);
    while entries.len() >= capacity {
        let first = entries.iter().min_by_key(|(_, (end, _))| *end).map(|(key, _)| key.clone());
        let Some(first) = first else { return };
        entries.remove(&first);
    }
}

fn fingerprint(key: &str) -> Fingerprint {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}

impl<V> fmt::Debug for Bounded<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bounded({} of {})", self.lock().len(), self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn clock() -> Clock {
        Clock::manual(Timestamp::from_seconds(1_800_000_000))
    }

    #[test]
    fn a_value_is_gone_when_its_time_is_over() {
        let clock = clock();
        let kept = Bounded::new(4, &clock);
        kept.put("a", MINUTE, 1);
        clock.advance(Duration::from_secs(59));
        assert_eq!(kept.get("a"), Some(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!((kept.get("a"), kept.take("a")), (None, None));
    }

    #[test]
    fn a_value_is_taken_once() {
        let kept = Bounded::new(4, &clock());
        kept.put("a", MINUTE, 1);
        assert_eq!((kept.take("a"), kept.take("a")), (Some(1), None));
    }

    #[test]
    fn however_many_come_no_more_are_kept_than_there_is_room_for() {
        let kept = Bounded::new(3, &clock());
        for n in 0..100_u64 {
            kept.put(&n.to_string(), MINUTE + Duration::from_secs(n), n);
        }
        assert_eq!(kept.lock().len(), 3);
        assert_eq!((kept.get("99"), kept.get("97"), kept.get("96")), (Some(99), Some(97), None));
    }
}
