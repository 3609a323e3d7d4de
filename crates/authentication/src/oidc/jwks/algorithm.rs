//! The signature algorithms we accept: asymmetric ones only.

use std::fmt;

/// A JWS signature algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2).
///
/// `none` and the `HS` family have no variant: what cannot be named cannot be accepted (invariant 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// Ed25519, called `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864).
    EdDSA,
}

impl Algorithm {
    /// Every algorithm that a key may be bound to.
    pub const ALL: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// What an RSA key may do where its JWK names no `alg`.
    pub(super) const RSA: [Self; 6] =
        [Self::RS256, Self::RS384, Self::RS512, Self::PS256, Self::PS384, Self::PS512];

    /// The algorithm of this exact name; `None` for any other, `none` and `HS256` included.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDSA);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name, for `EdDSA` the one of RFC 8037.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// What `jsonwebtoken` calls it; `None` for ES512, which it does not know.
    pub(super) const fn jsonwebtoken(self) -> Option<jsonwebtoken::Algorithm> {
        match self {
            Self::RS256 => Some(jsonwebtoken::Algorithm::RS256),
            Self::RS384 => Some(jsonwebtoken::Algorithm::RS384),
            Self::RS512 => Some(jsonwebtoken::Algorithm::RS512),
            Self::PS256 => Some(jsonwebtoken::Algorithm::PS256),
            Self::PS384 => Some(jsonwebtoken::Algorithm::PS384),
            Self::PS512 => Some(jsonwebtoken::Algorithm::PS512),
            Self::ES256 => Some(jsonwebtoken::Algorithm::ES256),
            Self::ES384 => Some(jsonwebtoken::Algorithm::ES384),
            Self::ES512 => None,
            Self::EdDSA => Some(jsonwebtoken::Algorithm::EdDSA),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
