//! Validation of ID tokens (OpenID Connect Core 1.0, sections 3.1.3.7, 3.1.3.8 and 12.2).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Alg,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, NonceVerifier,
    SignatureVerificationError,
};
use serde_json::{Map, Value};

use super::error::{ProviderError, SignInError};
use super::http::printable;
use super::jwks::json;
use super::provider::Provider;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// Why an ID token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The token response holds none.
    #[error("the token response holds no ID token; is `openid` among the scopes?")]
    Missing,
    /// It is no signed JWT.
    #[error("it cannot be read as a signed JWT with the claims of an ID token")]
    Unreadable,
    /// No key of the provider's fits its header.
    #[error("the provider has no key for kid {0}")]
    UnknownKey(String),
    /// Its signature is not by the provider's key, or by an algorithm that is not that key's.
    #[error("signature: {0}")]
    Signature(String),
    /// `iss`, `aud`, `exp`, `iat`, `nonce` or the header do not hold; says which.
    #[error("{0}")]
    Claims(String),
    /// `azp` names somebody else, or is missing beside several audiences.
    #[error("azp: expected our client_id, which must be there beside several audiences")]
    AuthorizedParty,
    /// `at_hash` is another access token's.
    #[error("at_hash is not that of the access token")]
    AccessTokenHash,
    /// `nbf` or `auth_time` lies ahead.
    #[error("{0} lies ahead by more than the leeway; compare the provider's clock with this machine's")]
    Ahead(&'static str),
    /// It is a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    #[error("it carries `events`: a token made for another purpose")]
    OtherPurpose,
    /// `max_age` was asked for, `auth_time` is missing.
    #[error("auth_time is missing though max_age was asked for")]
    NoAuthTime,
    /// `auth_time` is longer ago than `max_age` allows.
    #[error("the person signed in at the provider longer ago than max_age allows")]
    AuthenticationTooOld,
    /// None of the required `acr` values.
    #[error("acr: got {0}, which is none of those required")]
    OtherAcr(String),
    /// A refreshed token is about somebody or something else than the one before.
    #[error("the refreshed token's {0} is not that of the token before")]
    Changed(&'static str),
}

/// What the ID token must agree with, beyond the provider's settings.
pub(super) struct Expected<'a, N> {
    pub(super) nonce: N,
    pub(super) access_token: &'a AccessToken,
    pub(super) max_age: Option<Duration>,
    pub(super) acr: &'a [String],
}

/// Only signatures by a key pair: `none` proves nothing, and an HMAC's key could be taken from what is
/// public (invariant 5). Which of them a key may make is the key's own `kty`, `crv`, `use` and `alg`.
const ALGORITHMS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

impl Provider {
    /// The claims of `token`, once everything about it holds. An unknown key is looked for once.
    pub(super) async fn verified_claims<N>(
        &self,
        token: &CoreIdToken,
        expected: Expected<'_, N>,
    ) -> Result<Map<String, Value>, SignInError>
    where
        N: NonceVerifier + Clone,
    {
        let raw = token.to_string();
        match self.verify_with_known_keys(token, &raw, &expected) {
            Err(
                SignInError::IdToken(IdTokenError::UnknownKey(_))
                | SignInError::Provider(ProviderError::NoKeys),
            ) => {
                // A first fetch that another caller made meanwhile says `false` here: look again anyway.
                self.keys()?.refresh_for_unknown_kid(&kid(&raw)).await;
                self.verify_with_known_keys(token, &raw, &expected)
            }
            other => other,
        }
    }

    fn verify_with_known_keys<N>(
        &self,
        token: &CoreIdToken,
        raw: &str,
        expected: &Expected<'_, N>,
    ) -> Result<Map<String, Value>, SignInError>
    where
        N: NonceVerifier + Clone,
    {
        let document = self.keys()?.document().ok_or(ProviderError::NoKeys)?;
        let keys = serde_json::from_str(&document).map_err(|_| ProviderError::NoKeys)?;
        let verifier = self.id_token_verifier(keys)?;
        let claims = token.claims(&verifier, expected.nonce.clone()).map_err(|cause| told(&cause, raw))?;
        check_hash(token, &verifier, claims.access_token_hash(), expected.access_token)?;
        let claims = payload(raw).ok_or(IdTokenError::Unreadable)?;
        self.check_claims(&claims, expected)?;
        Ok(claims)
    }

    fn id_token_verifier(&self, keys: CoreJsonWebKeySet) -> Result<CoreIdTokenVerifier<'_>, ProviderError> {
        let (client, _) = self.client()?;
        let (now, leeway) = (self.now(), self.settings().leeway);
        let earliest = now.system() - leeway.min(Duration::from_secs(now.seconds()));
        let latest = i64::try_from((now + leeway).seconds()).unwrap_or(i64::MAX);
        let on_time =
            move |seconds| if seconds <= latest { Ok(()) } else { Err("iat lies ahead".to_owned()) };
        let verifier = CoreIdTokenVerifier::new_public_client(
            ClientId::new(client.id.clone()),
            self.issuer_url()?,
            keys,
        )
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || earliest.into())
        .set_issue_time_verifier_fn(move |iat| on_time(iat.timestamp()))
        .set_other_audience_verifier_fn(|audience| self.settings().audiences.contains(audience));
        Ok(verifier)
    }

    fn check_claims<N>(
        &self,
        claims: &Map<String, Value>,
        expected: &Expected<'_, N>,
    ) -> Result<(), SignInError> {
        let (client, _) = self.client()?;
        let (now, leeway) = (self.now(), self.settings().leeway);
        check_authorized_party(claims, &client.id)?;
        if claims.contains_key("events") {
            return Err(IdTokenError::OtherPurpose.into());
        }
        // An authentication to come would stay fresh for as long as it is ahead.
        for name in ["nbf", "auth_time"] {
            if numeric_date(claims, name).is_some_and(|moment| moment > now + leeway) {
                return Err(IdTokenError::Ahead(name).into());
            }
        }
        check_auth_time(claims, now, leeway, expected.max_age)?;
        Ok(check_acr(claims, expected.acr)?)
    }
}

/// `kid` of an unverified token: only ever a question to the key source, never an address (invariant 5).
fn kid(raw: &str) -> String {
    jsonwebtoken::decode_header(raw).ok().and_then(|header| header.kid).unwrap_or_default()
}

fn told(cause: &ClaimsVerificationError, raw: &str) -> SignInError {
    let ClaimsVerificationError::SignatureVerification(cause) = cause else {
        return IdTokenError::Claims(printable(&cause.to_string())).into();
    };
    if matches!(cause, SignatureVerificationError::NoMatchingKey) {
        return IdTokenError::UnknownKey(printable(&kid(raw))).into();
    }
    IdTokenError::Signature(printable(&cause.to_string())).into()
}

fn check_hash(
    token: &CoreIdToken,
    verifier: &CoreIdTokenVerifier<'_>,
    found: Option<&AccessTokenHash>,
    access_token: &AccessToken,
) -> Result<(), IdTokenError> {
    let Some(found) = found else { return Ok(()) };
    let key = token.signing_key(verifier).map_err(|cause| IdTokenError::Signature(cause.to_string()))?;
    let algorithm = token.signing_alg().map_err(|cause| IdTokenError::Signature(cause.to_string()))?;
    let right = AccessTokenHash::from_token(access_token, algorithm, key);
    let equal = right.is_ok_and(|right| Secret::new(right.as_str()) == Secret::new(found.as_str()));
    if equal { Ok(()) } else { Err(IdTokenError::AccessTokenHash) }
}

fn check_authorized_party(claims: &Map<String, Value>, client_id: &str) -> Result<(), IdTokenError> {
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1);
    match claims.get("azp") {
        None if several => Err(IdTokenError::AuthorizedParty),
        Some(party) if party.as_str() != Some(client_id) => Err(IdTokenError::AuthorizedParty),
        _ => Ok(()),
    }
}

fn check_auth_time(
    claims: &Map<String, Value>,
    now: Timestamp,
    leeway: Duration,
    max_age: Option<Duration>,
) -> Result<(), IdTokenError> {
    let Some(max_age) = max_age else { return Ok(()) };
    let auth_time = numeric_date(claims, "auth_time").ok_or(IdTokenError::NoAuthTime)?;
    if now.since(auth_time) > max_age + leeway { Err(IdTokenError::AuthenticationTooOld) } else { Ok(()) }
}

fn check_acr(claims: &Map<String, Value>, required: &[String]) -> Result<(), IdTokenError> {
    let acr = claims.get("acr").and_then(Value::as_str);
    let met = required.is_empty() || acr.is_some_and(|acr| required.iter().any(|wanted| wanted == acr));
    if met { Ok(()) } else { Err(IdTokenError::OtherAcr(printable(acr.unwrap_or("none")))) }
}

/// A `NumericDate` (RFC 7519, section 2), whole or with a fraction.
pub(super) fn numeric_date(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let value = claims.get(name)?;
    let fraction = || value.as_f64().filter(|seconds| *seconds >= 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; not negative")]
    value.as_u64().or_else(|| fraction().map(|seconds| seconds as u64)).map(Timestamp::from_seconds)
}

/// The claims of a token whose signature has been, or had been, verified. None stands twice: another reader
/// than the one that checked them could take the other (RFC 7519, section 4).
pub(super) fn payload(raw: &str) -> Option<Map<String, Value>> {
    let payload = URL_SAFE_NO_PAD.decode(raw.split('.').nth(1)?).ok()?;
    json::object(&payload).ok()
}
