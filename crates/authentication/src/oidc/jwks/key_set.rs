//! The keys of a provider at one moment.

use std::collections::HashSet;

use super::error::KeyRefusal;
use super::settings::MAX_TRIED;
use super::{Algorithm, JoseHeader, Jws, Key, KeyError};
use crate::clock::Timestamp;

/// The most keys that the log is told.
const MAX_TOLD: usize = 8;

/// Keys, and how long they are trusted. Never changes: a fetch makes another one.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    /// Those of the document that are not used, by their names.
    left_out: Vec<(Box<str>, KeyRefusal)>,
    pub(super) life: Life,
}

/// When a key set came and when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    /// When it was fetched; `None`: never yet.
    pub(super) fetched: Option<Timestamp>,
    /// When it should be fetched again.
    pub(super) refresh: Timestamp,
    /// From when on it is no longer trusted.
    pub(super) closed: Timestamp,
    /// Counts sets in which a key of the set before is missing.
    pub(super) generation: u64,
    /// Counts the sets that were fetched, whatever is in them.
    pub(super) serial: u64,
}

impl KeySet {
    pub(super) fn new(keys: Vec<Key>, left_out: Vec<(Box<str>, KeyRefusal)>) -> Self {
        Self { keys, left_out, life: Life::default() }
    }

    /// Checks the signature of `token` under every key that could be its own: those that it names by `kid` and
    /// those without a name, or all where it names none, as far as they are bound to its `alg` (OpenID Connect Core
    /// 1.0, section 10.1).
    ///
    /// # Errors
    /// [`KeyError`]: no key fits, too many do, or none of them made the signature.
    pub fn verify(&self, token: &Jws<'_>) -> Result<(), KeyError> {
        let JoseHeader { algorithm, ref kid, .. } = token.header;
        let fitting = self.fitting(kid.as_deref(), algorithm)?;
        let verifies = |key: &&Key| key.verify(algorithm, token.signed, token.signature).is_ok();
        fitting.into_iter().find(verifies).map(|_| ()).ok_or(KeyError::BadSignature)
    }

    /// The keys that could have signed a token of this header, 1 to 16 of them.
    pub(crate) fn fitting(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<&Key>, KeyError> {
        if self.is_empty() {
            return Err(KeyError::Unavailable);
        }
        let mut named: Vec<_> = self.named(kid).collect();
        let any = !named.is_empty();
        named.retain(|key| key.allows(algorithm));
        match named.len() {
            0 if any && kid.is_some() => Err(KeyError::WrongAlgorithm),
            0 => Err(KeyError::Unknown),
            1..=MAX_TRIED => Ok(named),
            _ => Err(KeyError::Ambiguous),
        }
    }

    fn named(&self, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| {
            kid.is_none() || key.kid().is_none() || mutant!(key.kid() == kid, "kid-not-compared" => true)
        })
    }

    /// What the log is told where no key fits: some of those that the provider publishes, called `kid` if there are
    /// such, and why one of that name is not used. What the token says is the caller's to tell.
    #[must_use]
    pub fn described(&self, kid: Option<&str>) -> String {
        if let Some((name, refusal)) = self.left_out.iter().find(|(name, _)| kid == Some(name)) {
            return format!("{name} (not used: {refusal})");
        }
        let named = |key: &Key| format!("{} ({})", key.kid().unwrap_or("no kid"), key.algorithms());
        let mut keys: Vec<_> = self.named(kid).take(MAX_TOLD).map(named).collect();
        if keys.is_empty() {
            keys = self.keys.iter().take(MAX_TOLD).map(named).collect();
        }
        keys.join(", ")
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

    /// From when on these keys are no longer trusted, unless they are fetched again.
    #[must_use]
    pub const fn trusted_until(&self) -> Timestamp {
        self.life.closed
    }

    /// The set that is left when nothing is trusted any more: no key, the same history.
    pub(super) fn closed(&self) -> Self {
        Self { life: self.life, ..Self::default() }
    }

    /// Whether a key of `before` is missing here. A key with new material under an old name is missing.
    pub(super) fn lacks_one_of(&self, before: &Self) -> bool {
        let here: HashSet<_> = self.keys.iter().map(Key::identity).collect();
        before.keys.iter().any(|key| !here.contains(key.identity()))
    }
}
