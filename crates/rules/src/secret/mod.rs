//! Secrets as types: never printed, wiped when dropped, compared in constant time; and what seals.

mod key_ring;
mod seal;

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use key_ring::{KeyRing, Opened};
pub use seal::SealingKey;

/// Text that no `Debug`, log or report may show (invariant 15): a client secret, a token, a key.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// 256 bits from the system's random generator, as 43 characters of base64url.
    #[must_use]
    pub fn random() -> Self {
        Self::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
    }

    /// The text itself. Every call is a place to look at in a review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// SHA-256 (FIPS 180-4) of `text`: what stands for a secret where the secret itself must not be kept.
#[must_use]
pub fn fingerprint(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text).as_ref());
    bytes
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let equal = self.0.as_bytes().ct_eq(other.0.as_bytes()).into();
        mutant!(equal, "secret-by-its-beginning" => other.0.starts_with(self.0.as_str()))
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// `N` bytes from the system's random generator.
///
/// # Panics
/// Where the operating system offers no randomness: there is nothing safe to do without it.
#[must_use]
#[expect(clippy::expect_used, reason = "a gateway without randomness must not go on")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system's random generator answers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?} {secret}").contains("hunter"));
        assert_eq!(secret, Secret::new("hunter2"));
        assert_ne!(secret, Secret::new("hunter3"));
    }

    #[test]
    fn a_secret_is_equal_to_all_of_itself_alone() {
        let secret = Secret::new("hunter2");
        for other in ["", "h", "hunter", "hunter22", "hunter2 ", "Hunter2", "2retnuh"] {
            assert_ne!(secret, Secret::new(other));
            assert_ne!(Secret::new(other), secret);
        }
    }

    #[test]
    fn random_secrets_differ() {
        assert_ne!(Secret::random(), Secret::random());
        assert_eq!(Secret::random().expose().len(), 43);
    }
}
