//! Validation of ID tokens (OpenID Connect Core 1.0, sections 3.1.3.7, 3.1.3.8 and 12.2). Only what is needed is
//! looked at: claims that nobody asks for may be what they like.

use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::{AccessToken, Nonce, NonceVerifier};
use serde_json::{Map, Value};

use super::error::{ProviderError, SignInError};
use super::http::printable;
use super::jwks::{Algorithm, JoseHeader, Jws, JwsError, KeyError, Typ, json};
use super::provider::Provider;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// Why an ID token is not accepted. It came in a body that holds tokens, and until its signature holds it may be
/// anything: of an unverified one only words of a fixed list are told (invariant 24).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The token response holds none.
    #[error("the token response holds no ID token; is `openid` among the scopes?")]
    Missing,
    /// It is no signed JWT.
    #[error(transparent)]
    Unreadable(#[from] JwsError),
    /// No key of the provider's fits its header; those that it has.
    #[error("the key that it names is none of the provider's: {0}")]
    UnknownKey(String),
    /// Its signature is not by the provider's key, or by an algorithm that is not that key's.
    #[error("signature: {0}")]
    Signature(String),
    /// `typ` of its header says that it is something else.
    #[error("typ of its header is not JWT: a token made for another purpose")]
    OtherType,
    /// A claim that must be there is not.
    #[error("it has no claim {0}")]
    MissingClaim(&'static str),
    /// A claim that is needed has a type that it must not have.
    #[error("its claim {0} is not of the type it must be")]
    BadClaim(&'static str),
    /// `iss` is not the provider's issuer.
    #[error("iss: expected the issuer {expected}, got {got}{}", slash(expected, got))]
    Issuer {
        /// The provider's.
        expected: String,
        /// Made printable.
        got: String,
    },
    /// `aud` does not name us.
    #[error("aud: expected our client_id {expected}, got {got}: it is for another audience")]
    Audience {
        /// Our `client_id`.
        expected: String,
        /// Made printable.
        got: String,
    },
    /// `aud` names somebody else beside us.
    #[error(
        "aud names another audience beside us: {0}; if it is trusted, add it to the provider's `trusted_audiences`"
    )]
    OtherAudience(String),
    /// `nonce` is not what was sent.
    #[error("nonce is not that of this sign-in")]
    Nonce,
    /// `exp` is over.
    #[error("expired: exp is {exp}, it is {now} here; compare the clocks", exp = exp.rfc3339(), now = now.rfc3339())]
    Expired {
        /// What it says.
        exp: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// `azp` names somebody else, or is missing beside several audiences.
    #[error("azp: expected our client_id, which must be there beside several audiences")]
    AuthorizedParty,
    /// `at_hash` is another access token's.
    #[error("at_hash is not that of the access token")]
    AccessTokenHash,
    /// `iat`, `nbf` or `auth_time` lies ahead.
    #[error("{name} lies ahead: it is {at}, and {now} here; compare the clocks", at = at.rfc3339(), now = now.rfc3339())]
    Ahead {
        /// The claim.
        name: &'static str,
        /// What it says.
        at: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
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

type Claims = Map<String, Value>;

impl Provider {
    /// The claims of `token`, once everything about it holds.
    pub(super) async fn verified_claims<N: NonceVerifier>(
        &self,
        token: &Secret,
        expected: Expected<'_, N>,
    ) -> Result<Claims, SignInError> {
        let token = Jws::parse(token.expose()).map_err(IdTokenError::from)?;
        mutant!(self.check_signature(&token).await?, "id-token-signature-not-checked" => ());
        if mutant!(token.header.typ != Typ::Plain, "id-token-type-not-checked" => false) {
            return Err(IdTokenError::OtherType.into());
        }
        self.check_claims(&token.claims, expected.nonce)?;
        check_hash(&token.header, &token.claims, expected.access_token)?;
        check_auth_time(&token.claims, self.now(), self.settings().leeway, expected.max_age)?;
        check_acr(&token.claims, expected.acr)?;
        Ok(token.claims)
    }

    /// The one verifier of all that the provider signs for us.
    pub(super) async fn check_signature(&self, token: &Jws<'_>) -> Result<(), SignInError> {
        let keys = self.keys()?;
        let Err(error) = keys.verify(token).await else { return Ok(()) };
        let JoseHeader { algorithm, ref kid, .. } = token.header;
        Err(match error {
            KeyError::Unavailable => ProviderError::NoKeys.into(),
            KeyError::Unknown => {
                let theirs = printable(&keys.current().described(kid.as_deref()));
                IdTokenError::UnknownKey(theirs).into()
            }
            KeyError::WrongAlgorithm => {
                let theirs = printable(&keys.current().described(kid.as_deref()));
                IdTokenError::Signature(format!(
                    "its alg is {algorithm}, and the key that it names is {theirs}"
                ))
                .into()
            }
            KeyError::Ambiguous | KeyError::BadSignature => IdTokenError::Signature(error.to_string()).into(),
        })
    }

    /// All of section 3.1.3.7 that is said by claims and asked of every ID token.
    fn check_claims<N: NonceVerifier>(&self, claims: &Claims, nonce: N) -> Result<(), SignInError> {
        let (client, _) = self.client()?;
        if mutant!(claims.contains_key("events"), "logout-token-as-id-token" => false) {
            return Err(IdTokenError::OtherPurpose.into());
        }
        needed(claims, "sub")?;
        check_issuer(claims, self.issuer().as_str())?;
        mutant!(self.check_audience(claims, &client.id)?, "id-token-audience-not-checked" => ());
        mutant!(check_authorized_party(claims, &client.id)?, "azp-not-checked" => ());
        check_time(claims, self.now(), self.settings().leeway)?;
        Ok(check_nonce(claims, nonce)?)
    }

    /// Beside us, only audiences that the operator trusts with what is meant for us.
    fn check_audience(&self, claims: &Claims, client_id: &str) -> Result<(), IdTokenError> {
        let named = audiences(needed(claims, "aud")?)?;
        if !named.contains(&client_id) {
            let got = printable(&named.join(", "));
            return Err(IdTokenError::Audience { expected: client_id.to_owned(), got });
        }
        let settings = self.settings();
        let trusted =
            |name: &str| settings.audiences.iter().chain(&settings.trusted_audiences).any(|it| it == name);
        let mut named = named.into_iter().filter(|name| *name != client_id);
        let other = named.find(|name| !mutant!(trusted(name), "every-audience-trusted" => true));
        other.map_or(Ok(()), |other| Err(IdTokenError::OtherAudience(printable(other))))
    }
}

fn needed<'a>(claims: &'a Claims, name: &'static str) -> Result<&'a Value, IdTokenError> {
    claims.get(name).ok_or(IdTokenError::MissingClaim(name))
}

pub(super) fn check_issuer(claims: &Claims, expected: &str) -> Result<(), IdTokenError> {
    let got = needed(claims, "iss")?.as_str().ok_or(IdTokenError::BadClaim("iss"))?;
    if mutant!(got == expected, "id-token-issuer-not-checked" => true) {
        return Ok(());
    }
    Err(IdTokenError::Issuer { expected: expected.to_owned(), got: printable(got) })
}

/// What to do where two issuers differ by a slash at their end alone.
pub(super) fn slash(expected: &str, got: &str) -> &'static str {
    let only = expected != got && expected.trim_end_matches('/') == got.trim_end_matches('/');
    if only {
        " (they differ by the slash at the end alone; write `issuer` as the provider does)"
    } else {
        ""
    }
}

/// One text or several.
pub(super) fn audiences(aud: &Value) -> Result<Vec<&str>, IdTokenError> {
    let items = aud.as_array().map_or(std::slice::from_ref(aud), Vec::as_slice);
    items.iter().map(|item| item.as_str().ok_or(IdTokenError::BadClaim("aud"))).collect()
}

fn check_time(claims: &Claims, now: Timestamp, leeway: Duration) -> Result<(), IdTokenError> {
    let moment = |name| {
        needed(claims, name)?;
        numeric_date(claims, name).ok_or(IdTokenError::BadClaim(name))
    };
    let exp = moment("exp")?;
    if mutant!(now >= exp + leeway, "id-token-expired" => false) {
        return Err(IdTokenError::Expired { exp, now });
    }
    moment("iat")?;
    // An authentication to come would stay fresh for as long as it is ahead.
    for name in ["iat", "nbf", "auth_time"] {
        if let Some(at) = numeric_date(claims, name)
            .filter(|at| mutant!(*at > now + leeway, "id-token-from-the-future" => false))
        {
            return Err(IdTokenError::Ahead { name, at, now });
        }
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

fn check_authorized_party(claims: &Claims, client_id: &str) -> Result<(), IdTokenError> {
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
    let old = mutant!(now.since(auth_time) > max_age + leeway, "max-age-not-checked" => false);
    if old { Err(IdTokenError::AuthenticationTooOld) } else { Ok(()) }
}

fn check_acr(claims: &Map<String, Value>, required: &[String]) -> Result<(), IdTokenError> {
    let acr = claims.get("acr").and_then(Value::as_str);
    let met = required.is_empty() || acr.is_some_and(|acr| required.iter().any(|wanted| wanted == acr));
    let met = mutant!(met, "acr-not-checked" => true);
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
