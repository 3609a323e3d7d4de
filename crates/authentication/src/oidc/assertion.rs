//! `private_key_jwt`: the client proves who it is with a signed assertion (RFC 7523, section 3).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;

use super::settings::AssertionSettings;
use crate::clock::Timestamp;
use crate::secret::{Secret, fingerprint};

/// How long an assertion is good, in seconds.
const LIFETIME_SECONDS: u64 = 60;

/// `client_assertion_type` of [`AssertionKey::assertion`].
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A private key of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the private key cannot be used; expected PEM (PKCS #8) with a P-256, P-384, RSA (2048 bits up) or Ed25519 key"
)]
pub struct UnusableKey;

/// The key that assertions are signed with, and the algorithms it can, best known first.
pub(super) struct AssertionKey {
    key: EncodingKey,
    algorithms: Vec<Algorithm>,
    /// How the provider finds the key among those that it was given.
    kid: Option<String>,
    certificate_digest: Option<String>,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    iat: u64,
    exp: u64,
}

impl AssertionKey {
    pub(super) fn new(pem: &Secret, settings: &AssertionSettings) -> Result<Self, UnusableKey> {
        let pem = pem.expose().as_bytes();
        let (key, candidates): (_, &[Algorithm]) = None
            .or_else(|| Some((EncodingKey::from_rsa_pem(pem).ok()?, RSA)))
            .or_else(|| Some((EncodingKey::from_ec_pem(pem).ok()?, EC)))
            .or_else(|| Some((EncodingKey::from_ed_pem(pem).ok()?, &[Algorithm::EdDSA][..])))
            .ok_or(UnusableKey)?;
        let can = |algorithm: &Algorithm| encode(&Header::new(*algorithm), &(), &key).is_ok();
        let algorithms: Vec<_> = candidates.iter().copied().filter(can).collect();
        let first = *algorithms.first().ok_or(UnusableKey)?;
        let kid = settings.kid.clone().or_else(|| thumbprint(&key, first)).filter(|kid| !kid.is_empty());
        let certificate_digest = settings.certificate.as_deref().and_then(certificate_digest);
        Ok(Self { key, algorithms, kid, certificate_digest })
    }

    /// A fresh assertion for `audience`, good for a minute and, by its `jti`, for one use. Of the key's
    /// algorithms the first among `supported` signs.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
        supported: Option<&[String]>,
    ) -> Result<Secret, UnusableKey> {
        let jti = Secret::random();
        let (iat, exp) = (now.seconds(), now.seconds() + LIFETIME_SECONDS);
        let claims = Assertion { iss: client_id, sub: client_id, aud: audience, jti: jti.expose(), iat, exp };
        let signed = encode(&self.header(supported), &claims, &self.key);
        signed.map(Secret::new).map_err(|_| UnusableKey)
    }

    /// How the key is named towards the provider; `none` where it cannot be.
    pub(super) fn kid(&self) -> &str {
        self.kid.as_deref().unwrap_or("none")
    }

    fn header(&self, supported: Option<&[String]>) -> Header {
        let mut header = Header::new(self.choose(supported));
        header.kid.clone_from(&self.kid);
        header.x5t_s256.clone_from(&self.certificate_digest);
        header
    }

    fn choose(&self, supported: Option<&[String]>) -> Algorithm {
        let named = |algorithm: &&Algorithm| {
            supported.is_some_and(|names| names.iter().any(|name| *name == format!("{algorithm:?}")))
        };
        let first = self.algorithms.first().copied().unwrap_or_default();
        self.algorithms.iter().find(named).copied().unwrap_or(first)
    }
}

/// The public key's RFC 7638 thumbprint.
fn thumbprint(key: &EncodingKey, algorithm: Algorithm) -> Option<String> {
    Jwk::from_encoding_key(key, algorithm).ok()?.thumbprint(ThumbprintHash::SHA256).ok()
}

/// `x5t#S256` of the first certificate in `pem`.
fn certificate_digest(pem: &[u8]) -> Option<String> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    Some(URL_SAFE_NO_PAD.encode(fingerprint(&certificate)))
}

const RSA: &[Algorithm] = &[Algorithm::RS256, Algorithm::PS256, Algorithm::RS512, Algorithm::PS512];
const EC: &[Algorithm] = &[Algorithm::ES256, Algorithm::ES384];

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}
