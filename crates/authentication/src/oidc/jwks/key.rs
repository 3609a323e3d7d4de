//! One public key, bound to what it may verify.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::Algorithm;

/// A provider's public key with the algorithms it is bound to. Cheap to clone.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    kid: Option<Box<str>>,
    algorithms: Box<[Algorithm]>,
    material: Material,
    identity: [u8; 32],
}

/// Who verifies: `jsonwebtoken` wherever it knows the algorithm.
pub(super) enum Material {
    Jsonwebtoken(DecodingKey),
    /// P-521, which `jsonwebtoken` does not know: `aws-lc-rs` itself.
    P521(ParsedPublicKey),
}

/// The signature is not the key's over these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not the key's over these bytes")]
pub struct BadSignature;

impl Key {
    pub(super) fn new(
        kid: Option<Box<str>>,
        algorithms: Box<[Algorithm]>,
        material: Material,
        identity: [u8; 32],
    ) -> Self {
        Self(Arc::new(Inner { kid, algorithms, material, identity }))
    }

    /// Its `kid`, where the provider gave one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The algorithms that it is bound to, for the log.
    pub(super) fn algorithms(&self) -> String {
        self.0.algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join("/")
    }

    /// Whether the key is bound to `algorithm` by its type, curve and `alg`.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.0.algorithms.contains(&algorithm)
    }

    /// Checks `signature` (base64url as in a JWS) over `message` (the JWS signing input: header, dot,
    /// payload, as they came; RFC 7515, section 5.2).
    ///
    /// # Errors
    /// [`BadSignature`], also where the key is not bound to `algorithm` or the base64url is not canonical.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> Result<(), BadSignature> {
        if !mutant!(self.allows(algorithm), "key-under-every-algorithm" => true) {
            return Err(BadSignature);
        }
        match &self.0.material {
            Material::Jsonwebtoken(key) => verify_jsonwebtoken(key, algorithm, message, signature),
            Material::P521(key) => verify_p521(key, message, signature),
        }
    }

    /// Tells keys apart: a digest over name, material and algorithms.
    pub(super) fn identity(&self) -> &[u8; 32] {
        &self.0.identity
    }
}

fn verify_jsonwebtoken(
    key: &DecodingKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &str,
) -> Result<(), BadSignature> {
    let algorithm = algorithm.jsonwebtoken().ok_or(BadSignature)?;
    match jsonwebtoken::crypto::verify(signature, message, key, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(BadSignature),
    }
}

fn verify_p521(key: &ParsedPublicKey, message: &[u8], signature: &str) -> Result<(), BadSignature> {
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadSignature)?;
    key.verify_sig(message, &signature).map_err(|_| BadSignature)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.0.kid)
            .field("algorithms", &self.0.algorithms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
