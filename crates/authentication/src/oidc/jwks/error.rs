//! What can be wrong with keys.

use super::settings::{MAX_BYTES, MAX_KEYS, MAX_TRIED};
use crate::oidc::json::JsonError;

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There are no trusted keys at all: never fetched, or the provider has been away for too long.
    #[error("no trusted keys of the provider are at hand; its jwks_uri must answer with usable keys")]
    Unavailable,
    /// No key has this `kid`, or, without one, none fits the algorithm.
    #[error("none of the provider's keys is the one the token names")]
    Unknown,
    /// The key exists and is bound to another algorithm.
    #[error("the key that the token names is not for the token's algorithm")]
    WrongAlgorithm,
    /// More than 16 keys fit; trying them all would let a stranger multiply our work.
    #[error(
        "more than {MAX_TRIED} of the provider's keys fit the token; it must name one by a kid of its own"
    )]
    Ambiguous,
    /// The signature is that of none of the keys that fit.
    #[error("the token's signature does not verify under the provider's key")]
    BadSignature,
}

/// Why a key set document is refused as a whole; the keys at hand stay.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// More than 512 KiB.
    #[error("the JWK Set has {0} bytes, more than the {max} allowed", max = MAX_BYTES)]
    TooLarge(usize),
    /// A page for people in its place.
    #[error("HTML came instead of the JWK Set; is jwks_uri right, or a page of a proxy in the way?")]
    Html,
    /// No JSON object, or one with a member twice.
    #[error("the JWK Set is not the JSON object it should be: {0}")]
    Json(#[from] JsonError),
    /// No array `keys` (RFC 7517, section 5.1).
    #[error("the JWK Set has no array `keys`")]
    NoKeys,
    /// More than 1,000 keys.
    #[error("the JWK Set has {0} keys, more than the {max} allowed", max = MAX_KEYS)]
    TooMany(usize),
}

/// Why one key of a document is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyRefusal {
    #[error("it is no JSON object")]
    NotAnObject,
    #[error("it has private members: a provider must never publish them, the key is burnt")]
    Private,
    #[error("its type or curve is none that is supported: RSA, EC on P-256, P-384 or P-521, Ed25519")]
    UnsupportedType,
    #[error("its `use` or `key_ops` is not for verifying signatures")]
    OtherUse,
    #[error("its `alg` does not fit its type and curve")]
    OtherAlgorithm,
    #[error("its `kid` is no string of at most 1,024 bytes")]
    BadKid,
    #[error("its RSA modulus is shorter than 2,048 or longer than 8,192 bits")]
    ModulusSize,
    #[error("its public members are missing or no point of the curve")]
    BadMaterial,
}
