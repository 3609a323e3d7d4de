//! The keys of a provider at one moment.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Algorithm, Key, KeyError};
use crate::clock::Timestamp;

/// Keys by `kid`, and how long they are trusted. Never changes: a fetch makes another one.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    by_kid: HashMap<Box<str>, Vec<Key>>,
    document: Option<Arc<str>>,
    pub(super) life: Life,
}

/// When a key set came and when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    /// When it was fetched; `None`: never yet.
    pub(super) fetched: Option<Timestamp>,
    /// When it should be fetched again.
    pub(super) refresh: Timestamp,
    /// From when on it is trusted no more.
    pub(super) closed: Timestamp,
    /// Counts sets in which a key of the set before is missing.
    pub(super) generation: u64,
    /// Counts sets.
    pub(super) serial: u64,
}

impl KeySet {
    pub(super) fn new(keys: Vec<Key>, document: Arc<str>) -> Self {
        let mut by_kid: HashMap<Box<str>, Vec<Key>> = HashMap::new();
        for key in &keys {
            if let Some(kid) = key.kid() {
                by_kid.entry(kid.into()).or_default().push(key.clone());
            }
        }
        Self { keys, by_kid, document: Some(document), life: Life::default() }
    }

    /// The one key that `kid` names and that is bound to `algorithm`; without `kid`, the only key that
    /// is bound to it (OpenID Connect Core 1.0, section 10.1).
    ///
    /// # Errors
    /// [`KeyError`]: none, several, or one for another algorithm. No loop over keys is left to the caller.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, KeyError> {
        let named = match kid {
            _ if self.is_empty() => return Err(KeyError::Unavailable),
            Some(kid) => self.by_kid.get(kid).ok_or(KeyError::Unknown)?,
            None => &self.keys,
        };
        let mut fitting = named.iter().filter(|key| key.allows(algorithm));
        match (fitting.next(), fitting.next(), kid) {
            (Some(key), None, _) => Ok(key),
            (Some(_), Some(_), _) => Err(KeyError::Ambiguous),
            (None, _, Some(_)) => Err(KeyError::WrongAlgorithm),
            (None, _, None) => Err(KeyError::Unknown),
        }
    }

    /// Whether a key is called `kid`.
    pub(super) fn has(&self, kid: &str) -> bool {
        self.by_kid.contains_key(kid)
    }

    /// All usable keys, in the provider's order.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Changes whenever a key is gone; see [`super::JwksCache::generation`].
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.life.generation
    }

    /// From when on these keys are trusted no more unless they are fetched again.
    #[must_use]
    pub const fn trusted_until(&self) -> Timestamp {
        self.life.closed
    }

    /// The set that is left when nothing is trusted any more: no key, the same history.
    pub(super) fn closed(&self) -> Self {
        Self { life: self.life, ..Self::default() }
    }

    /// The usable keys as a JWK Set, with nothing else of what the provider sent.
    pub(super) const fn document(&self) -> Option<&Arc<str>> {
        self.document.as_ref()
    }

    /// Whether a key of `before` is missing here. A key with new material under an old name is missing.
    pub(super) fn lacks_one_of(&self, before: &Self) -> bool {
        let here: HashSet<_> = self.keys.iter().map(Key::identity).collect();
        before.keys.iter().any(|key| !here.contains(key.identity()))
    }
}
