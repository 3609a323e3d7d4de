//! Keys that an operator changes while what the older ones sealed still has to open.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::SealingKey;

/// Sealing keys of one purpose, one for each of the operator's secrets: the first seals, all of them open. Not empty.
#[derive(Clone, Debug)]
pub struct KeyRing(Box<[SealingKey]>);

/// What was sealed, and whether the first key of the ring had done it.
#[derive(Debug)]
pub struct Opened {
    /// The text.
    pub plain: Zeroizing<Vec<u8>>,
    /// Whether an older key sealed it: it is to be sealed anew.
    pub by_an_older_key: bool,
}

impl KeyRing {
    /// Fewest bytes of a secret.
    pub const SECRET_LENGTH: usize = 32;

    /// The keys that follow from `secrets` for `purpose`, as [`SealingKey::derived`] does it. `None` where there is no
    /// secret, one is shorter than [`KeyRing::SECRET_LENGTH`], or the library cannot derive.
    #[must_use]
    pub fn derive<S: AsRef<[u8]>>(secrets: &[S], purpose: &[u8]) -> Option<Self> {
        let long = |secret: &&[u8]| secret.len() >= Self::SECRET_LENGTH;
        let key = |secret: &S| SealingKey::derived(Some(secret.as_ref()).filter(long)?, purpose);
        let keys = secrets.iter().map(key).collect::<Option<Box<[_]>>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The keys, the one that seals first.
    pub fn keys(&self) -> impl Iterator<Item = &SealingKey> {
        self.0.iter()
    }

    /// Seals `plain`, bound to `bound_to`. `None` where the system has no random bits for the nonce.
    #[must_use]
    pub fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        self.0.first()?.seal(bound_to, plain)
    }

    /// What one of the keys sealed for the same `bound_to`; `None` for everything else.
    #[must_use]
    pub fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Opened> {
        let open = |(index, key): (usize, &SealingKey)| {
            let plain = key.open(bound_to, sealed)?;
            Some(Opened { plain, by_an_older_key: index > 0 })
        };
        self.0.iter().enumerate().find_map(open)
    }

    /// Seals `value` as JSON.
    #[must_use]
    pub fn seal_json(&self, bound_to: &[u8], value: &impl Serialize) -> Option<Vec<u8>> {
        self.0.first()?.seal_json(bound_to, value)
    }

    /// The value that one of the keys sealed; `None` also where it is no such value.
    #[must_use]
    pub fn open_json<T: DeserializeOwned>(&self, bound_to: &[u8], sealed: &[u8]) -> Option<T> {
        serde_json::from_slice(&self.open(bound_to, sealed)?.plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(secrets: &[[u8; 32]]) -> KeyRing {
        KeyRing::derive(secrets, b"test").unwrap()
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let (old, new) = ([1; 32], [2; 32]);
        let (before, both, after) = (ring(&[old]), ring(&[new, old]), ring(&[new]));
        let by_old = before.seal(b"place", b"text").unwrap();
        let opened = both.open(b"place", &by_old).unwrap();
        assert!(opened.plain.as_slice() == b"text" && opened.by_an_older_key);
        assert!(after.open(b"place", &by_old).is_none());
        let by_new = both.seal(b"place", b"text").unwrap();
        assert!(before.open(b"place", &by_new).is_none());
        assert!(!after.open(b"place", &by_new).unwrap().by_an_older_key);
        assert!(both.open(b"elsewhere", &by_new).is_none());
    }

    #[test]
    fn no_secret_and_a_short_one_make_no_ring() {
        assert!(KeyRing::derive::<[u8; 32]>(&[], b"test").is_none());
        assert!(KeyRing::derive(&[&[1; 32][..], &[2; 31]], b"test").is_none());
        assert!(KeyRing::derive(&[&[1; 32][..], &[2; 32]], b"test").is_some());
    }
}
