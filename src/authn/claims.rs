//! Checking the claims of a token whose signature holds (RFC 7519, section 4.1; RFC 9068, section 4).

use std::time::Duration;

use serde_json::{Map, Value};

use super::TokenError;
use crate::clock::Timestamp;
use crate::oidc::ProviderSettings;

type Claims = Map<String, Value>;

/// `iss`, wherever it leads; the caller finds the provider that has exactly this issuer.
pub(super) fn issuer(claims: &Claims) -> Result<&str, TokenError> {
    claims.get("iss").ok_or(TokenError::MissingClaim("iss"))?.as_str().ok_or(TokenError::BadClaim("iss"))
}

/// Whether one of `aud` is one of the provider's `audiences`; nothing but equality counts.
pub(super) fn is_for(provider: &ProviderSettings, claims: &Claims) -> Result<bool, TokenError> {
    let ours = |audience: &str| provider.audiences.iter().any(|accepted| accepted == audience);
    let text = |item: &Value| item.as_str().map(ours).ok_or(TokenError::BadClaim("aud"));
    let aud = claims.get("aud").ok_or(TokenError::MissingClaim("aud"))?;
    let items = aud.as_array().map_or(std::slice::from_ref(aud), Vec::as_slice);
    items.iter().try_fold(false, |any, item| Ok(any | text(item)?))
}

/// All of RFC 7519 and RFC 9068 that is said by claims; returns from when on the token is not accepted.
pub(super) fn check(
    provider: &ProviderSettings,
    is_at_jwt: bool,
    claims: &Claims,
    now: Timestamp,
) -> Result<Timestamp, TokenError> {
    check_purpose(provider, is_at_jwt, claims)?;
    if claims.contains_key("cnf") {
        return Err(TokenError::SenderConstrained);
    }
    if !is_for(provider, claims)? {
        return Err(TokenError::WrongAudience);
    }
    check_time(claims, provider.leeway, now)
}

/// Claims that only other kinds of token have. What `typ: at+jwt` says is an access token may have
/// `nonce` and the like; without it they mark an ID token (RFC 8725, section 3.12).
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Claims of Keycloak (`typ`) and Amazon Cognito (`token_use`), whose tokens all say `typ: JWT`.
const PURPOSES: [(&str, &[&str]); 2] =
    [("typ", &["ID", "Refresh", "Offline", "Logout"]), ("token_use", &["id", "refresh"])];

fn check_purpose(provider: &ProviderSettings, is_at_jwt: bool, claims: &Claims) -> Result<(), TokenError> {
    if provider.require_at_jwt && !is_at_jwt {
        return Err(TokenError::WrongType);
    }
    let of_id_tokens = OF_ID_TOKENS.into_iter().find(|name| !is_at_jwt && claims.contains_key(*name));
    // `events` makes it a Security Event or logout token, whatever its type says (RFC 8417, section 2.2).
    let of_events = claims.contains_key("events").then_some("events");
    let said = PURPOSES.into_iter().find(|(name, others)| {
        claims.get(*name).and_then(Value::as_str).is_some_and(|purpose| others.contains(&purpose))
    });
    match of_id_tokens.or(of_events).or(said.map(|(name, _)| name)) {
        Some(name) => Err(TokenError::WrongPurpose(name)),
        None => Ok(()),
    }
}

fn check_time(claims: &Claims, leeway: Duration, now: Timestamp) -> Result<Timestamp, TokenError> {
    let expires = moment(claims, "exp", f64::floor)?.ok_or(TokenError::MissingClaim("exp"))? + leeway;
    if now >= expires {
        return Err(TokenError::Expired);
    }
    for name in ["nbf", "iat"] {
        if moment(claims, name, f64::ceil)?.is_some_and(|begin| now + leeway < begin) {
            return Err(TokenError::NotYetValid);
        }
    }
    Ok(expires)
}

/// A `NumericDate` (RFC 7519, section 2), its fraction rounded to the strict side.
fn moment(
    claims: &Claims,
    name: &'static str,
    round: fn(f64) -> f64,
) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_u64().or_else(|| value.as_f64().map(round).and_then(whole));
    seconds.map(|seconds| Some(Timestamp::from_seconds(seconds))).ok_or(TokenError::BadClaim(name))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(seconds: f64) -> Option<u64> {
    (0.0..=9_007_199_254_740_992.0).contains(&seconds).then_some(seconds as u64)
}
