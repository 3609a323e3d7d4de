//! Validation of ID tokens (OpenID Connect Core 1.0, sections 3.1.3.7, 3.1.3.8 and 12.2). Only what is needed is
//! looked at: claims that nobody asks for may be what they like.

use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::{AccessToken, Nonce, NonceVerifier};
use serde_json::{Map, Value};

use super::error::SignInError;
use super::http::printable;
use super::id_token_error::IdTokenError;
use super::json;
use super::jwks::{Algorithm, JoseHeader, Jws, KeyError, Typ};
use super::numeric_date::numeric_date;
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::verifier::{Audience, TokenFault, TokenProfile, verify};
use crate::clock::Timestamp;
use crate::secret::Secret;

/// What the ID token must agree with, beyond the provider's settings.
pub(super) struct Expected<'a, N> {
    pub(super) nonce: N,
    pub(super) access_token: &'a AccessToken,
    pub(super) max_age: Option<Duration>,
}

type Claims = Map<String, Value>;

impl Provider {
    /// The claims of `token`, once everything about it holds.
    pub(super) async fn verified_claims<N: NonceVerifier>(
        &self,
        token: &Secret,
        expected: Expected<'_, N>,
    ) -> Result<Claims, SignInError> {
        let token = Jws::parse(token.expose()).map_err(IdTokenError::from)?;
        let (client, _) = self.client()?;
        let settings = self.settings();
        let profile = TokenProfile {
            types: &[Typ::Plain],
            purpose: is_no_event,
            needed: &["sub", "iss", "aud", "exp", "iat"],
            issuer: settings.issuer.as_str(),
            audience: Audience::Client {
                id: &client.id,
                trusted: [&settings.audiences, &settings.trusted_audiences],
            },
            // An `auth_time` in the future would pass every `max_age` until that time has come.
            past: &["iat", "nbf", "auth_time"],
            strict_dates: false,
            leeway: settings.leeway,
        };
        self.verify(&token, &profile).await?;
        check_nonce(&token.claims, expected.nonce)?;
        check_hash(&token.header, &token.claims, expected.access_token)?;
        check_auth_time(&token.claims, self.now(), settings.leeway, expected.max_age)?;
        Ok(token.claims)
    }

    /// Checks what the provider signs for us, and says what is wrong with it.
    pub(super) async fn verify(
        &self,
        token: &Jws<'_>,
        profile: &TokenProfile<'_>,
    ) -> Result<(), SignInError> {
        let keys = self.keys()?;
        let Err(fault) = verify(token, keys, profile, self.clock()).await else { return Ok(()) };
        let JoseHeader { algorithm, ref kid, .. } = token.header;
        let theirs = || printable(&keys.current().described(kid.as_deref()));
        let expected = || profile.issuer.to_owned();
        Err(match fault {
            TokenFault::Key(KeyError::Unavailable) => return Err(ProviderError::NoKeys.into()),
            TokenFault::Key(KeyError::Unknown) => IdTokenError::UnknownKey(theirs()),
            TokenFault::Key(KeyError::WrongAlgorithm) => IdTokenError::Signature(format!(
                "its alg is {algorithm}, and the key that it names is {}",
                theirs()
            )),
            TokenFault::Key(error @ (KeyError::Ambiguous | KeyError::BadSignature)) => {
                IdTokenError::Signature(error.to_string())
            }
            TokenFault::Type => IdTokenError::OtherType,
            TokenFault::Purpose(_) | TokenFault::SenderConstrained => IdTokenError::OtherPurpose,
            TokenFault::MissingClaim(name) => IdTokenError::MissingClaim(name),
            TokenFault::BadClaim(name) => IdTokenError::BadClaim(name),
            TokenFault::Issuer(got) => IdTokenError::Issuer { expected: expected(), got },
            TokenFault::Audience(got) => {
                IdTokenError::Audience { expected: self.client()?.0.id.clone(), got }
            }
            TokenFault::OtherAudience(other) => IdTokenError::OtherAudience(other),
            TokenFault::AuthorizedParty => IdTokenError::AuthorizedParty,
            TokenFault::Expired { exp, now } => IdTokenError::Expired { exp, now },
            TokenFault::Ahead { name, at, now } => IdTokenError::Ahead { name, at, now },
        }
        .into())
    }
}

/// `events` makes a token a Security Event or logout token, whatever its type says (RFC 8417, section 2.2).
pub(super) fn is_no_event(_: Typ, claims: &Claims) -> Result<(), TokenFault> {
    if mutant!(claims.contains_key("events"), "logout-token-as-id-token" => false) {
        return Err(TokenFault::Purpose("events"));
    }
    Ok(())
}

fn check_nonce<N: NonceVerifier>(claims: &Claims, verifier: N) -> Result<(), IdTokenError> {
    let text = |nonce: &Value| nonce.as_str().map(|text| Nonce::new(text.to_owned()));
    let nonce = match claims.get("nonce") {
        None | Some(Value::Null) => None,
        Some(nonce) => Some(text(nonce).ok_or(IdTokenError::BadClaim("nonce"))?),
    };
    mutant!(
        verifier.verify(nonce.as_ref()).map_err(|_| IdTokenError::Nonce),
        "nonce-not-compared" => Ok(()),
    )
}

/// The left half of the hash that goes with `alg` (section 3.1.3.6); Ed25519 has SHA-512 in it.
fn check_hash(header: &JoseHeader, claims: &Claims, access_token: &AccessToken) -> Result<(), IdTokenError> {
    let Some(found) = claims.get("at_hash").filter(|hash| !hash.is_null()) else { return Ok(()) };
    let hash = match header.algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &SHA256,
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::ES512 | Algorithm::EdDSA => &SHA512,
    };
    let right = digest::digest(hash, access_token.secret().as_bytes());
    let right = URL_SAFE_NO_PAD.encode(right.as_ref().get(..hash.output_len() / 2).unwrap_or_default());
    let equal =
        found.as_str().is_some_and(|found| Secret::new(found.trim_end_matches('=')) == Secret::new(&right));
    let equal = mutant!(equal, "access-token-swapped" => true);
    if equal { Ok(()) } else { Err(IdTokenError::AccessTokenHash) }
}

fn check_auth_time(
    claims: &Map<String, Value>,
    now: Timestamp,
    leeway: Duration,
    max_age: Option<Duration>,
) -> Result<(), IdTokenError> {
    let Some(max_age) = max_age else { return Ok(()) };
    let auth_time = numeric_date(claims, "auth_time").ok_or(IdTokenError::NoAuthTime)?;
    let old = mutant!(now.since(auth_time) > max_age + leeway, "max-age-not-checked" => false);
    if old { Err(IdTokenError::AuthenticationTooOld) } else { Ok(()) }
}

/// The claims of a token whose signature has been, or had been, verified. None stands twice: another reader
/// than the one that checked them could take the other (RFC 7519, section 4).
pub(super) fn payload(raw: &str) -> Option<Map<String, Value>> {
    let payload = URL_SAFE_NO_PAD.decode(raw.split('.').nth(1)?).ok()?;
    json::object(&payload).ok()
}
