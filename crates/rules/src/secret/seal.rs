//! Sealing: what is handed to a browser or written to the state file, so that only this gateway opens it and finds it
//! unchanged (AES-256-GCM, NIST SP 800-38D).
//!
//! What is sealed is a nonce of 96 random bits, the ciphertext and its tag, in this order. A key serves one purpose,
//! and whatever it seals is bound to a text that stands beside it (the cookie's name, say), or else what was sealed
//! for one place could be put into another (invariant 7). Versions before sealed in the same form: what they sealed
//! opens (`tests/upgrade`).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::random_bytes;

/// Bytes of a key.
const KEY_LENGTH: usize = 32;

/// A key of one purpose. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; KEY_LENGTH]>);

impl SealingKey {
    /// A fresh one from the system's random generator.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// The key within the 512 bits that the state file keeps for a purpose: their second half. The first half is
    /// there because the library that sealed at first kept a key for signing in it.
    #[must_use]
    pub fn of_server_key(bits: &[u8; 64]) -> Self {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        key.copy_from_slice(&bits[KEY_LENGTH..]);
        Self(key)
    }

    /// The key that follows from a secret of at least 256 bits for `purpose` (HKDF with SHA-256 and no salt, RFC
    /// 5869). `None` where the library cannot derive one.
    #[must_use]
    pub fn derived(secret: &[u8], purpose: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        let pseudo_random = Salt::none(HKDF_SHA256).extract(secret);
        pseudo_random.expand(&[purpose], HKDF_SHA256).ok()?.fill(key.as_mut_slice()).ok()?;
        Some(Self(key))
    }

    /// Seals `plain`, bound to `bound_to`. `None` where the system has no random bits for the nonce.
    #[must_use]
    pub fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plain);
        let (head, text) = sealed.split_at_mut(NONCE_LEN);
        let (nonce, tag) = self.cipher()?.seal_in_place_separate_tag(associated(bound_to), text).ok()?;
        head.copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Some(sealed)
    }

    /// What [`SealingKey::seal`] sealed with this key for the same `bound_to`; `None` for everything else,
    /// without a reason.
    #[must_use]
    pub fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.cipher()?.open_in_place(nonce, associated(bound_to), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// Seals `value` as JSON.
    #[must_use]
    pub fn seal_json(&self, bound_to: &[u8], value: &impl Serialize) -> Option<Vec<u8>> {
        self.seal(bound_to, &Zeroizing::new(serde_json::to_vec(value).ok()?))
    }

    /// The value that [`SealingKey::seal_json`] sealed; `None` also where it is no such value.
    #[must_use]
    pub fn open_json<T: DeserializeOwned>(&self, bound_to: &[u8], sealed: &[u8]) -> Option<T> {
        serde_json::from_slice(&self.open(bound_to, sealed)?).ok()
    }

    /// Seals another key.
    #[must_use]
    pub fn wrap(&self, bound_to: &[u8], key: &Self) -> Option<Vec<u8>> {
        self.seal(bound_to, key.0.as_slice())
    }

    /// The key that [`SealingKey::wrap`] sealed.
    #[must_use]
    pub fn unwrap(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Self> {
        let opened = self.open(bound_to, sealed)?;
        <[u8; KEY_LENGTH]>::try_from(opened.as_slice()).ok().map(|key| Self(Zeroizing::new(key)))
    }

    /// The key itself. Every call is a place to look at in a review.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).ok()
    }
}

fn associated(bound_to: &[u8]) -> Aad<&[u8]> {
    Aad::from(mutant!(bound_to, "sealed-for-any-place" => b""))
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn invariant_7_what_is_sealed_opens_with_its_key_in_its_place_alone() {
        let (key, other) = (SealingKey::random(), SealingKey::random());
        let sealed = key.seal(b"flow", b"text").unwrap();
        assert_eq!(key.open(b"flow", &sealed).unwrap().as_slice(), b"text");
        assert!(other.open(b"flow", &sealed).is_none());
        for place in [&b"form"[..], b"", b"flow ", b"flo"] {
            assert!(key.open(place, &sealed).is_none());
        }
        assert_ne!(key.seal(b"flow", b"text").unwrap(), sealed, "each with a nonce of its own");
    }

    #[test]
    fn a_key_is_derived_for_one_purpose_and_wrapped_whole() {
        let derived = |purpose| *SealingKey::derived(&[7; 32], purpose).unwrap().expose();
        assert_eq!(derived(b"one"), derived(b"one"));
        assert_ne!(derived(b"one"), derived(b"other"));
        let (key, inner) = (SealingKey::random(), SealingKey::random());
        let wrapped = key.wrap(b"place", &inner).unwrap();
        assert_eq!(key.unwrap(b"place", &wrapped).unwrap().expose(), inner.expose());
        assert!(key.unwrap(b"place", &key.seal(b"place", b"short").unwrap()).is_none());
    }

    #[test]
    fn invariant_15_a_key_prints_nothing_of_itself() {
        let bits = [77; 64];
        assert_eq!(format!("{:?}", SealingKey::of_server_key(&bits)), "SealingKey(…)");
    }

    /// The test vector of the Galois/Counter Mode specification with a key of 256 bits and no text (case 13).
    #[test]
    fn it_is_aes_256_gcm() {
        let key = SealingKey::of_server_key(&[0; 64]);
        let tag = 0x530f_8afb_c745_36b9_a963_b4f1_c4cb_738b_u128.to_be_bytes();
        let sealed = [&[0; NONCE_LEN][..], &tag].concat();
        assert_eq!(key.open(b"", &sealed).unwrap().as_slice(), b"");
    }

    proptest! {
        #[test]
        fn invariant_7_nothing_else_than_what_was_sealed_opens(
            plain in proptest::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let key = SealingKey::random();
            let mut sealed = key.seal(b"place", &plain).unwrap();
            let at = at.index(sealed.len());
            prop_assert!(key.open(b"place", &sealed[..at]).is_none(), "a part of it");
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(key.open(b"place", &sealed).is_none(), "another one");
        }
    }
}
