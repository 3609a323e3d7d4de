//! What a browser sends to show that its device has the key of a session (Device Bound Session Credentials, W3C draft of
//! 2026, sections 9.3, 9.4 and 9.10).
//!
//! A proof has neither time nor audience: it is good for the challenge in it, and that is judged elsewhere. Here it is taken
//! apart, and its signature checked (invariant 5), under the key that it brings where the session has none yet, or under the one that the
//! session is bound to.

use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value};
use sfv::{BareItem, Item, Parser};

use crate::oidc::jwks::{Algorithm, Jws, JwsError, Key, Typ};
use crate::request::single;
use crate::session::DeviceKey;

/// The field of a proof.
const RESPONSE: HeaderName = HeaderName::from_static("secure-session-response");
/// The field of the session's identifier. Only the browser itself can write it: scripts can set no `Sec-` field.
const SESSION_ID: HeaderName = HeaderName::from_static("sec-secure-session-id");

/// The largest proof, in bytes: a key of 4096 bits takes a third of it.
const MAX_PROOF: usize = 8 * 1024;

/// The largest identifier of a session.
const MAX_ID: usize = 128;

/// What a device may sign with.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::RS256];

/// A proof, taken apart; its signature is not checked yet.
#[derive(Debug)]
pub struct DeviceProof<'a> {
    token: Jws<'a>,
    challenge: String,
}

/// Why a proof shows nothing. Nothing of it is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceProofError {
    /// There is no such field.
    #[error("there is no proof")]
    Missing,
    /// The field is there twice, is too long, or holds no text.
    #[error("the field of the proof cannot be read")]
    BadField,
    /// It is no JWT that is signed.
    #[error("{0}")]
    Malformed(#[from] JwsError),
    /// Its `typ` is not `dbsc+jwt`.
    #[error("its typ is not dbsc+jwt")]
    WrongType,
    /// Its `alg` is not one that was offered, or not that of the session's key.
    #[error("its alg is not that of the key")]
    WrongAlgorithm,
    /// It says no challenge (`jti`).
    #[error("it has no challenge (jti)")]
    NoChallenge,
    /// It brings no key, where the session has none.
    #[error("it brings no key (jwk)")]
    NoKey,
    /// It brings a key though the session has one.
    #[error("it brings a key (jwk) though the session has one")]
    UnexpectedKey,
    /// Its key is none that is safe to use.
    #[error("its key is no public key that can be used")]
    BadKey,
    /// Its signature is not the key's.
    #[error("its signature is not the key's")]
    BadSignature,
}

impl DeviceProofError {
    /// The word for metrics and the log.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing => "no-proof",
            Self::BadField => "bad-field",
            Self::Malformed(JwsError::UnsupportedAlgorithm(_)) | Self::WrongAlgorithm => "wrong-algorithm",
            Self::Malformed(_) => "malformed",
            Self::WrongType => "wrong-type",
            Self::NoChallenge => "no-challenge",
            Self::NoKey => "no-key",
            Self::UnexpectedKey => "unexpected-key",
            Self::BadKey => "bad-key",
            Self::BadSignature => "bad-signature",
        }
    }
}

/// The proof that a request brings. Browsers write it as a string, or bare.
///
/// # Errors
/// There is none, or none that can be read.
pub fn presented_proof(headers: &HeaderMap) -> Result<String, DeviceProofError> {
    if !headers.contains_key(RESPONSE) {
        return Err(DeviceProofError::Missing);
    }
    text(headers, &RESPONSE, MAX_PROOF).ok_or(DeviceProofError::BadField)
}

/// The identifier of the session that a browser speaks of; `None` where there is none that can be read.
#[must_use]
pub fn presented_session_id(headers: &HeaderMap) -> Option<String> {
    text(headers, &SESSION_ID, MAX_ID)
}

/// The text of a field that is there once: a string, or a token, which is how the same looks bare (RFC 9651, sections
/// 3.3.3 and 3.3.4).
fn text(headers: &HeaderMap, name: &HeaderName, most: usize) -> Option<String> {
    let value = single(headers, name)?.as_bytes();
    if value.len() > most {
        return None;
    }
    match Parser::new(value).parse::<Item>().ok()?.bare_item {
        BareItem::String(text) => Some(text.as_str().to_owned()),
        BareItem::Token(token) => Some(token.as_str().to_owned()),
        BareItem::Decimal(_)
        | BareItem::Integer(_)
        | BareItem::ByteSequence(_)
        | BareItem::Boolean(_)
        | BareItem::Date(_)
        | BareItem::DisplayString(_) => None,
    }
}

impl<'a> DeviceProof<'a> {
    /// Takes a proof apart.
    ///
    /// # Errors
    /// It is no such proof, or for an algorithm that no device was offered.
    pub fn parse(text: &'a str) -> Result<Self, DeviceProofError> {
        let token = Jws::parse(text)?;
        if mutant!(token.header.typ != Typ::DeviceProof, "any-token-as-proof" => false) {
            return Err(DeviceProofError::WrongType);
        }
        if mutant!(!ALGORITHMS.contains(&token.header.algorithm), "proof-by-any-algorithm" => false) {
            return Err(DeviceProofError::WrongAlgorithm);
        }
        let challenge = token.claims.get("jti").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { challenge: challenge.ok_or(DeviceProofError::NoChallenge)?, token })
    }

    /// The challenge that was signed (`jti`).
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The key that it brings, and has signed with.
    ///
    /// # Errors
    /// It brings none that is safe to use, or another one has signed.
    pub fn registered_key(&self) -> Result<DeviceKey, DeviceProofError> {
        let jwk = self.token.presented_key.as_ref().ok_or(DeviceProofError::NoKey)?;
        let key = Key::from_jwk(jwk).ok_or(DeviceProofError::BadKey)?;
        self.verify(&key)?;
        Ok(DeviceKey { algorithm: self.token.header.algorithm.name().to_owned(), jwk: bare(jwk) })
    }

    /// Checks that the holder of `key` has signed it.
    ///
    /// # Errors
    /// Somebody else has, with another algorithm, or it brings a key of its own.
    pub fn check(&self, key: &DeviceKey) -> Result<(), DeviceProofError> {
        if self.token.presented_key.is_some() {
            return Err(DeviceProofError::UnexpectedKey);
        }
        if mutant!(self.token.header.algorithm.name() != key.algorithm, "proof-by-another-algorithm" => false)
        {
            return Err(DeviceProofError::WrongAlgorithm);
        }
        self.verify(&Key::from_jwk(&key.jwk).ok_or(DeviceProofError::BadKey)?)
    }

    fn verify(&self, key: &Key) -> Result<(), DeviceProofError> {
        if mutant!(self.token.is_signed_by(key), "proof-of-anybody" => true) {
            Ok(())
        } else {
            Err(DeviceProofError::BadSignature)
        }
    }
}

/// The members that make it a key (RFC 7518, section 6), and none of what else a stranger wrote into it.
fn bare(jwk: &Value) -> Value {
    let members = ["kty", "crv", "x", "y", "n", "e"].into_iter();
    let kept = members.filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone())));
    Value::Object(kept.collect::<Map<_, _>>())
}
