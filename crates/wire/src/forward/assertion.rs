//! `Portcullis-Assertion`: a signed statement of who asks, which an app can verify without trusting
//! the network between (RFC 7519).

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::{BoxError, ForwardError, ForwardFault, identity};
use crate::clock::{Clock, Timestamp};
use crate::identity::{Gap, Principal};
use crate::secret::random_bytes;

mod ring;

pub use ring::ScheduledKey;
use ring::SigningRing;

/// The header an assertion travels in.
pub const ASSERTION: HeaderName = HeaderName::from_static("portcullis-assertion");

/// How long apps may keep the published keys (`max-age`).
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);

/// How long an assertion holds.
pub const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// How long an assertion is handed out again before another one is signed.
const REUSE: Duration = Duration::from_secs(30);

/// Seconds that an app's clock may be behind ours: `nbf` lies so far back.
const LEEWAY: u64 = 5;

/// Assertions remembered: more principals and hosts at once only cost more signatures.
const SLOTS: usize = 4096;

/// Groups in an assertion, as bytes: the token must fit into a header.
const MAX_GROUPS: usize = 4096;

/// An ES256 key pair that signs assertions.
pub struct AssertionKey {
    pkcs8: Vec<u8>,
    signing: EncodingKey,
    public: Jwk,
    header: Header,
}

/// Why a key cannot sign assertions.
#[derive(Debug, thiserror::Error)]
#[error("the assertion key cannot be used: expected an unencrypted PKCS#8 document with a P-256 key")]
pub struct AssertionKeyError(#[source] BoxError);

impl AssertionKey {
    /// Makes a new key pair.
    ///
    /// # Errors
    /// Where the cryptographic library cannot make one.
    pub fn generate() -> Result<Self, AssertionKeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|error| AssertionKeyError(error.to_string().into()))?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads what [`AssertionKey::pkcs8`] gave (DER).
    ///
    /// # Errors
    /// Where that is no P-256 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, AssertionKeyError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map_err(|error| AssertionKeyError(error.to_string().into()))?;
        let signing = EncodingKey::from_ec_der(der);
        let public = public(&signing).map_err(|error| AssertionKeyError(error.into()))?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("assertion+jwt".to_owned());
        header.kid.clone_from(&public.common.key_id);
        Ok(Self { pkcs8: der.to_vec(), signing, public, header })
    }

    /// The private key, to be stored where only the gateway can read it.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Its RFC 7638 thumbprint, the `kid` of what it signs.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public.common.key_id.as_deref().unwrap_or_default()
    }
}

fn public(signing: &EncodingKey) -> Result<Jwk, jsonwebtoken::errors::Error> {
    let mut jwk = Jwk::from_encoding_key(signing, Algorithm::ES256)?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256)?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    jwk.common.key_operations = Some(vec![KeyOperations::Verify]);
    Ok(jwk)
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssertionKey({})", self.kid())
    }
}

impl Drop for AssertionKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.pkcs8);
    }
}

/// Signs assertions, and remembers them so that a signature is not made for every request.
pub struct Asserter {
    issuer: Box<str>,
    ring: ArcSwap<SigningRing>,
    clock: Clock,
    slots: Box<[Mutex<Option<Signed>>]>,
    hasher: RandomState,
}

/// An assertion, what it was signed for, and when.
struct Signed {
    principal: Arc<Principal>,
    audience: Box<str>,
    token: HeaderValue,
    at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: String,
    provider: &'a str,
    provider_issuer: &'a str,
    preferred_username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [String]>,
    #[serde(skip_serializing_if = "is_zero")]
    groups_truncated: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Asserter {
    /// `issuer` is the gateway's public URL. `signing` signs, until others follow it.
    #[must_use]
    pub fn new(issuer: &str, signing: AssertionKey, clock: Clock) -> Self {
        let slots = std::iter::repeat_with(|| Mutex::new(None)).take(SLOTS).collect();
        let ring = ArcSwap::from_pointee(SigningRing::of_one(signing));
        Self { issuer: issuer.into(), ring, clock, slots, hasher: RandomState::new() }
    }

    /// From now on these keys are published, and sign each from its time on: the next one is among them before it
    /// signs, the last one until what it signed has expired. Changes nothing where there are none.
    pub fn follow(&self, keys: Vec<ScheduledKey>) {
        if let Some(ring) = SigningRing::new(keys) {
            self.ring.store(Arc::new(ring));
        }
    }

    /// The public keys as a JWK Set (RFC 7517, section 5), which may be kept for [`JWKS_MAX_AGE`].
    #[must_use]
    pub fn jwks(&self) -> String {
        self.ring.load().published.clone()
    }

    /// An assertion about `principal` for the host `audience`; it holds for at least 30 seconds more.
    ///
    /// # Errors
    /// [`ForwardFault::Internal`] where signing fails: the app must not get a request without its assertion.
    pub fn assertion(&self, principal: &Arc<Principal>, audience: &str) -> Result<HeaderValue, ForwardError> {
        let now = self.clock.now();
        let mut slot = self.slot(principal, audience).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = slot.as_ref().filter(|signed| signed.fits(principal, audience, now)) {
            return Ok(signed.token.clone());
        }
        let token = self.sign(principal, audience, now)?;
        let principal = Arc::clone(principal);
        *slot = Some(Signed { principal, audience: audience.into(), token: token.clone(), at: now });
        Ok(token)
    }

    fn slot(&self, principal: &Principal, audience: &str) -> &Mutex<Option<Signed>> {
        let key = (principal.issuer.as_str(), principal.subject.as_str(), audience);
        let index = self.hasher.hash_one(key) % self.slots.len() as u64;
        &self.slots[usize::try_from(index).unwrap_or_default()]
    }

    fn sign(&self, principal: &Principal, aud: &str, now: Timestamp) -> Result<HeaderValue, ForwardError> {
        let groups = fitting(&principal.groups);
        let claims = Claims {
            iss: &self.issuer,
            sub: principal.subject.as_str(),
            aud,
            iat: now.seconds(),
            nbf: now.seconds().saturating_sub(LEEWAY),
            exp: (now + ASSERTION_LIFETIME).seconds(),
            jti: URL_SAFE_NO_PAD.encode(random_bytes::<16>()),
            provider: principal.provider.as_str(),
            provider_issuer: principal.issuer.as_str(),
            preferred_username: &principal.user,
            email: identity::email(principal),
            // An empty list would say that there is none.
            groups: Some(groups).filter(|_| !principal.groups.is_empty() || !principal.gaps.has(Gap::Groups)),
            groups_truncated: principal.groups.len() - groups.len(),
        };
        let ring = self.ring.load();
        let AssertionKey { header, signing, .. } = ring.signing(now);
        let token = jsonwebtoken::encode(header, &claims, signing)
            .map_err(|error| ForwardError::new(ForwardFault::Internal, error))?;
        let mut value = HeaderValue::from_maybe_shared(Bytes::from(token))
            .map_err(|error| ForwardError::new(ForwardFault::Internal, error))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The first groups that fit: less identity is safe.
fn fitting(groups: &[String]) -> &[String] {
    let mut bytes = 0;
    let end = groups.iter().position(|group| {
        bytes += group.len() + 3;
        bytes > MAX_GROUPS
    });
    &groups[..end.unwrap_or(groups.len())]
}

impl Signed {
    /// Whether it says of the same principal, claim by claim, what would be said now (invariant 4).
    fn fits(&self, principal: &Arc<Principal>, audience: &str, now: Timestamp) -> bool {
        // A clock that is set back makes no assertion last longer.
        now >= self.at
            && now.since(self.at) < REUSE
            && mutant!(*self.audience == *audience, "assertion-for-another-host" => true)
            && mutant!(
                Arc::ptr_eq(&self.principal, principal) || self.principal == *principal,
                "assertion-of-former-groups" => self.principal.subject == principal.subject,
            )
    }
}

impl fmt::Debug for Asserter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asserter").field("issuer", &self.issuer).field("ring", &self.ring.load()).finish()
    }
}

#[cfg(test)]
mod tests;
