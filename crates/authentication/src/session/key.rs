//! The key in the browser and the identifier in the store.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::secret::{Secret, fingerprint, random_bytes};

/// Characters of a key as base64url without padding (RFC 4648, section 5).
pub(super) const KEY_LENGTH: usize = 43;

/// 256 random bits that only the browser keeps. Neither printed nor stored.
///
/// Kept as bytes on the stack rather than as text, so that reading a cookie allocates nothing.
#[derive(Clone)]
pub struct SessionKey {
    bytes: Zeroizing<[u8; 32]>,
    id: SessionId,
}

impl SessionKey {
    /// A new key from the system's random generator.
    #[must_use]
    pub fn random() -> Self {
        Self::from_bytes(random_bytes())
    }

    /// Reads exactly 43 characters of canonical base64url; anything else is `None` (invariant 3).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != KEY_LENGTH {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
        if length != bytes.len() {
            return None;
        }
        let id = SessionId::of(&bytes);
        Some(Self { bytes, id })
    }

    /// The name under which the store knows it: SHA-256 of the key, so that a stolen store opens nothing.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// The 43 characters, for a cookie or a sealed ticket.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.bytes.as_slice()))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    fn from_bytes(bytes: [u8; 32]) -> Self {
        let id = SessionId::of(&bytes);
        Self { bytes: Zeroizing::new(bytes), id }
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// SHA-256 of a session's key. Prints as its first eight hex digits, enough to follow it in a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// The identifier with these bytes, as a store returns it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All of it, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes, for records.
    #[must_use]
    pub const fn first_bytes(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The session, as whoever ends another one by it is called in records.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("session {:016x}", self.first_bytes())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digits: [u8; 64] = text.chars().map(digit).collect::<Option<Vec<_>>>()?.try_into().ok()?;
        Some(Self(std::array::from_fn(|at| (digits[2 * at] << 4) | digits[2 * at + 1])))
    }

    /// All of it as 64 hexadecimal digits, lower-case.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn of(key: &[u8; 32]) -> Self {
        Self(mutant!(fingerprint(key), "store-knows-the-key" => *key))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_reads_back_and_prints_nothing_invariant_15() {
        let key = SessionKey::random();
        let text = key.to_secret();
        let again = SessionKey::parse(text.expose().as_bytes()).unwrap();
        assert_eq!(key.id(), again.id());
        assert!(!format!("{key:?}").contains(text.expose()));
        assert_eq!(key.id().to_string().len(), 8);
        assert_eq!(format!("{:?}", key.id()), format!("SessionId({})", key.id()));
    }

    #[test]
    fn an_id_is_the_sha_256_of_the_key() {
        let key = SessionKey::parse(&[b'A'; 43]).unwrap();
        assert_eq!(key.id().to_string(), "66687aad"); // SHA-256 of 32 zero bytes
    }

    #[test]
    fn two_keys_never_have_two_spellings_invariant_3() {
        assert!(SessionKey::parse(&[b'A'; 43]).is_some());
        let mut other_tail = [b'A'; 43];
        other_tail[42] = b'B';
        assert!(SessionKey::parse(&other_tail).is_none());
    }

    proptest! {
        #[test]
        fn only_canonical_base64url_is_a_key_invariant_3(text in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..80),
            "[A-Za-z0-9_+/=-]{40,46}".prop_map(String::into_bytes),
        ]) {
            let canonical = URL_SAFE_NO_PAD.decode(&text).ok().filter(|bytes| bytes.len() == 32);
            let key = SessionKey::parse(&text);
            prop_assert_eq!(key.map(|key| key.bytes().to_vec()), canonical);
        }
    }
}
