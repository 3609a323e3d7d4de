//! The provider's key, and the JWTs it signs (RFC 7519).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value};

use super::fault::Fault;
use portcullis_rules::secret::Secret;

/// An ES256 key made at start.
pub(super) struct Signer {
    issuer: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    public: Jwk,
}

/// What a token is for. A token made for one purpose is not good for another (RFC 8725, section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Tells a client who signed in (OpenID Connect Core 1.0, section 2).
    IdToken,
    /// Opens an API (RFC 9068).
    AccessToken,
}

impl Purpose {
    const fn typ(self) -> &'static str {
        match self {
            Self::IdToken => "JWT",
            Self::AccessToken => "at+jwt",
        }
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[error("the demo's provider could not make its signing key: {0}")]
pub(super) struct KeyError(String);

impl Signer {
    /// A new key; its tokens carry `issuer`.
    pub(super) fn generate(issuer: &str) -> Result<Self, KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|error| KeyError(error.to_string()))?;
        let signing = EncodingKey::from_ec_der(document.as_ref());
        let public = public(&signing).map_err(|error| KeyError(error.to_string()))?;
        let verifying = DecodingKey::from_jwk(&public).map_err(|error| KeyError(error.to_string()))?;
        Ok(Self { issuer: issuer.to_owned(), signing, verifying, public })
    }

    /// The public key (RFC 7517, section 5).
    pub(super) fn jwks(&self) -> JwkSet {
        JwkSet { keys: vec![self.public.clone()] }
    }

    /// Signs `claims` and adds `iss`.
    pub(super) fn sign(&self, purpose: Purpose, mut claims: Map<String, Value>) -> Result<Secret, Fault> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(purpose.typ().to_owned());
        header.kid.clone_from(&self.public.common.key_id);
        claims.insert("iss".into(), self.issuer.clone().into());
        let token = jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|error| {
            tracing::error!(%error, "the demo's provider cannot sign");
            Fault::server_error()
        })?;
        Ok(Secret::new(token))
    }

    /// The claims of a token that this key signed for this purpose. Times and audience are the caller's to
    /// check: an ID token is a good hint at sign-out long after it expired.
    pub(super) fn verified(&self, purpose: Purpose, token: &str) -> Option<Map<String, Value>> {
        let mut validation = Validation::new(Algorithm::ES256);
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.set_issuer(&[&self.issuer]);
        let data = jsonwebtoken::decode::<Map<String, Value>>(token, &self.verifying, &validation).ok()?;
        (data.header.typ.as_deref() == Some(purpose.typ())).then_some(data.claims)
    }
}

fn public(signing: &EncodingKey) -> Result<Jwk, jsonwebtoken::errors::Error> {
    let mut jwk = Jwk::from_encoding_key(signing, Algorithm::ES256)?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256)?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(jwk)
}

/// `at_hash`: the left half of the access token's SHA-256 (OpenID Connect Core 1.0, section 3.1.3.6).
pub(super) fn at_hash(access_token: &Secret) -> String {
    let whole = digest(&SHA256, access_token.expose().as_bytes());
    let (left, _) = whole.as_ref().split_at(whole.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.common.key_id.as_deref().unwrap_or_default())
    }
}
