//! Remembering the answer for a token under a digest of the whole of it (invariant 4).

use std::fmt;
use std::time::Duration;

use moka::sync::Cache;

use crate::clock::Timestamp;
use crate::secret::fingerprint;

/// SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Of the whole token, signature included: a part of it would answer for tokens nobody checked.
    pub(super) fn of(token: &str) -> Self {
        Self(fingerprint(token.as_bytes()))
    }
}

/// Under which circumstances an answer stays right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    /// Whose keys it hangs on: the issuer's place among the verifier's.
    pub(super) issuer: usize,
    /// The keys' generation when it was made.
    pub(super) generation: u64,
    /// From when on it is forgotten.
    pub(super) until: Timestamp,
}

/// A bounded cache of answers. What is over is never given out, even while it still takes up room.
pub(super) struct DigestCache<T>(Cache<TokenDigest, Entry<T>>);

#[derive(Clone)]
struct Entry<T> {
    answer: T,
    validity: Validity,
    weight: u32,
}

impl<T: Clone + Send + Sync + 'static> DigestCache<T> {
    /// Holds at most `capacity` in sum of the weights given to [`DigestCache::insert`]. After `longest`
    /// entries make room for others; whether they are still right is for [`DigestCache::get`] to say.
    pub(super) fn new(capacity: u64, longest: Duration) -> Self {
        let weigher = |_: &TokenDigest, entry: &Entry<T>| entry.weight;
        Self(Cache::builder().max_capacity(capacity).weigher(weigher).time_to_live(longest).build())
    }

    /// The answer for exactly this token, where `holds` says that it still is right, and how long it will be.
    pub(super) fn get(
        &self,
        token: &TokenDigest,
        holds: impl FnOnce(&Validity) -> bool,
    ) -> Option<(T, Validity)> {
        let entry = self.0.get(token)?;
        if holds(&entry.validity) {
            return Some((entry.answer, entry.validity));
        }
        self.0.invalidate(token);
        None
    }

    pub(super) fn insert(&self, token: TokenDigest, answer: T, validity: Validity, weight: u32) {
        self.0.insert(token, Entry { answer, validity, weight });
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.weighted_size()
    }
}

impl<T> fmt::Debug for DigestCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestCache")
    }
}
