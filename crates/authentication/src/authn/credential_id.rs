//! What a credential is called where it must not be named itself.

use std::fmt;

use crate::secret::fingerprint;

/// Names a credential without giving anything of it away: SHA-256 of a session's key or of a whole token. Prints as
/// its first eight hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CredentialId([u8; 32]);

impl CredentialId {
    /// The name of this credential.
    #[must_use]
    pub fn of(credential: &[u8]) -> Self {
        Self(fingerprint(credential))
    }

    /// The first eight bytes of the digest, for records.
    #[must_use]
    pub const fn first_bytes(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    pub(super) const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
