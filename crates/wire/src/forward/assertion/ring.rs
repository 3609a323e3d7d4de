//! The keys that sign assertions in turn.

use jsonwebtoken::jwk::{Jwk, JwkSet};

use super::AssertionKey;
use crate::clock::Timestamp;

/// A key, and from when on it signs in place of the one before.
#[derive(Debug)]
pub struct ScheduledKey {
    /// The key.
    pub key: AssertionKey,
    /// Before, it is published alone, so that apps know it when it signs.
    pub signs_from: Timestamp,
}

/// Keys in the order in which they sign, and all of them as they are published.
#[derive(Debug)]
pub(super) struct SigningRing {
    /// Of the first key, which signs where the time of no other has come, or a clock is set back.
    first: AssertionKey,
    later: Vec<ScheduledKey>,
    /// A JWK Set (RFC 7517, section 5).
    pub(super) published: String,
}

impl SigningRing {
    /// Of these keys; `None` where there are none.
    pub(super) fn new(mut keys: Vec<ScheduledKey>) -> Option<Self> {
        // Stable: of two of one moment the later one signs.
        keys.sort_by_key(|key| key.signs_from);
        let public = keys.iter().map(|scheduled| scheduled.key.public.clone()).collect();
        let mut keys = keys.into_iter();
        let first = keys.next()?.key;
        Some(Self { first, later: keys.collect(), published: published(public) })
    }

    /// Of one key that signs.
    pub(super) fn of_one(key: AssertionKey) -> Self {
        let published = published(vec![key.public.clone()]);
        Self { first: key, later: Vec::new(), published }
    }

    /// The key that signs at `now`.
    pub(super) fn signing(&self, now: Timestamp) -> &AssertionKey {
        let signs = |scheduled: &&ScheduledKey| mutant!(scheduled.signs_from <= now, "key-signs-before-it-is-known" => true);
        self.later.iter().rev().find(signs).map_or(&self.first, |scheduled| &scheduled.key)
    }
}

fn published(keys: Vec<Jwk>) -> String {
    serde_json::to_string(&JwkSet { keys }).unwrap_or_else(|_| "{\"keys\":[]}".to_owned())
}
