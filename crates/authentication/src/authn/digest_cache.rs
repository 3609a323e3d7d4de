//! Remembering the answer for a token under a digest of the whole of it (invariant 4).

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::credential_id::CredentialId;
use crate::clock::Timestamp;
use crate::secret::fingerprint;

/// The number of answers that room is made for at the start; the cache grows up to its capacity.
const ENTRIES: usize = 1_000;

/// SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Of the whole token, signature included: a part of it would answer for tokens nobody checked.
    pub(super) fn of(token: &str) -> Self {
        Self(fingerprint(mutant!(
            token.as_bytes(),
            "remembered-without-signature" => token.rsplit_once('.').map_or("", |(signed, _)| signed).as_bytes(),
        )))
    }

    pub(super) const fn id(&self) -> CredentialId {
        CredentialId::from_digest(self.0)
    }
}

/// Under which circumstances an answer stays right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    /// Whose keys it hangs on: the issuer's place among the verifier's.
    pub(super) issuer: usize,
    /// The keys' generation when it was made.
    pub(super) generation: u64,
    /// When it is right, by the wall clock.
    pub(super) wall: Range<Timestamp>,
    /// From when on it is forgotten, by [`Clock::monotonic`](crate::clock::Clock::monotonic): a wall clock that was
    /// ahead and is set right would keep it for longer.
    pub(super) until: Duration,
}

/// A bounded cache of answers. What is over is never given out, even while it still takes up room.
pub(super) struct DigestCache<T> {
    answers: Cache<TokenDigest, Entry<T>, Weight>,
    /// The weight at which what is over is cleared away.
    sweep_at: AtomicU64,
}

#[derive(Clone)]
struct Entry<T> {
    answer: T,
    validity: Validity,
    weight: u32,
}

#[derive(Clone)]
struct Weight;

impl<T> Weighter<TokenDigest, Entry<T>> for Weight {
    fn weight(&self, _: &TokenDigest, entry: &Entry<T>) -> u64 {
        entry.weight.into()
    }
}

impl<T: Clone + Send + Sync + 'static> DigestCache<T> {
    /// Holds at most `capacity` in sum of the weights given to [`DigestCache::insert`].
    pub(super) fn new(capacity: u64) -> Self {
        let shards = Cache::<_, Entry<T>, _>::with_weighter(ENTRIES, 0, Weight).num_shards() as u64;
        // The cache rounds what a shard may hold up, so that all of them would hold more than was allowed.
        let answers = Cache::with_weighter(ENTRIES, capacity.saturating_sub(shards), Weight);
        Self { answers, sweep_at: AtomicU64::new(capacity / 64) }
    }

    /// The answer for exactly this token, where `holds` says that it still is right, and how long it will be.
    pub(super) fn get(
        &self,
        token: &TokenDigest,
        holds: impl FnOnce(&Validity) -> bool,
    ) -> Option<(T, Validity)> {
        let entry = self.answers.get(token)?;
        if holds(&entry.validity) {
            return Some((entry.answer, entry.validity));
        }
        self.answers.remove(token);
        None
    }

    /// Keeps an answer. Whenever their weight may have doubled, those of which `holds` is false are cleared away.
    pub(super) fn insert(
        &self,
        token: TokenDigest,
        answer: T,
        (validity, weight): (Validity, u32),
        holds: impl Fn(&Validity) -> bool,
    ) {
        self.answers.insert(token, Entry { answer, validity, weight });
        let due = self.sweep_at.load(Ordering::Relaxed);
        // One sweeps; the others need not wait for it.
        if self.answers.weight() < due
            || self.sweep_at.compare_exchange(due, u64::MAX, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        self.answers.retain(|_, entry| holds(&entry.validity));
        self.sweep_at.store(due.max(2 * self.answers.weight()), Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> u64 {
        self.answers.weight()
    }
}

impl<T> fmt::Debug for DigestCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestCache")
    }
}
