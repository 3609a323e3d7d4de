//! Checking the claims of a token whose signature holds (RFC 7519, section 4.1; RFC 9068, section 4).

use std::time::Duration;

use serde_json::{Map, Value};

use super::error::{TokenError, TokenRefusal};
use crate::clock::Timestamp;
use crate::identity::texts;
use crate::oidc::ProviderSettings;
use crate::oidc::http::printable;
use crate::oidc::jwks::Typ;

type Claims = Map<String, Value>;

/// `iss`, wherever it leads; the caller finds the provider that has exactly this issuer.
pub(super) fn issuer(claims: &Claims) -> Result<&str, TokenError> {
    claims.get("iss").ok_or(TokenError::MissingClaim("iss"))?.as_str().ok_or(TokenError::BadClaim("iss"))
}

/// Whether one of `aud` is one of the provider's `audiences`; nothing but equality counts.
pub(super) fn is_for(provider: &ProviderSettings, claims: &Claims) -> Result<bool, TokenError> {
    let ours = |audience: &str| {
        provider.audiences.iter().any(|accepted| {
            mutant!(accepted == audience, "audience-by-its-beginning" => audience.starts_with(accepted))
        })
    };
    let text = |item: &Value| item.as_str().map(ours).ok_or(TokenError::BadClaim("aud"));
    let aud = claims.get("aud").ok_or(TokenError::MissingClaim("aud"))?;
    let items = aud.as_array().map_or(std::slice::from_ref(aud), Vec::as_slice);
    items.iter().try_fold(false, |any, item| Ok(any | text(item)?))
}

/// All of RFC 7519 and RFC 9068 that is said by claims; returns from when on the token is not accepted.
pub(super) fn check(
    provider: &ProviderSettings,
    typ: Typ,
    claims: &Claims,
    now: Timestamp,
) -> Result<Timestamp, TokenRefusal> {
    check_purpose(provider, typ, claims)?;
    if mutant!(claims.contains_key("cnf"), "sender-constrained-token" => false) {
        return Err(TokenError::SenderConstrained.into());
    }
    mutant!(check_audience(provider, claims)?, "audience-not-checked" => ());
    check_time(claims, provider.leeway, now)
}

fn check_audience(provider: &ProviderSettings, claims: &Claims) -> Result<(), TokenRefusal> {
    let expected = printable(&provider.audiences.join(", "));
    match is_for(provider, claims) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let got = claims.get("aud").map(texts).unwrap_or_default().join(", ");
            Err(TokenRefusal::new(
                TokenError::WrongAudience,
                format!("expected {expected}, got {}", printable(&got)),
            ))
        }
        Err(error @ TokenError::MissingClaim(_)) => {
            let told = format!(
                "expected {expected}; have the provider name the audience in access tokens for this API \
                 (at Keycloak an audience mapper, for lightweight tokens too)"
            );
            Err(TokenRefusal::new(error, told))
        }
        Err(error) => Err(error.into()),
    }
}

/// Claims that only other kinds of token have, unless the token says that it is an access token: then it may
/// have `nonce` and the like; without that they mark an ID token (RFC 8725, section 3.12).
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Claims of Keycloak (`typ`) and Amazon Cognito (`token_use`), whose headers all say `typ: JWT`: what an access token
/// says there, and what others do.
const PURPOSES: [(&str, &str, &[&str]); 2] =
    [("typ", "Bearer", &["ID", "Refresh", "Offline", "Logout"]), ("token_use", "access", &["id", "refresh"])];

fn check_purpose(provider: &ProviderSettings, typ: Typ, claims: &Claims) -> Result<(), TokenError> {
    let wanted = provider.require_at_jwt && typ != Typ::AccessToken;
    if mutant!(
        typ == Typ::Other || wanted,
        "token-type-not-checked" => wanted,
        "required-token-type-not-checked" => typ == Typ::Other,
    ) {
        return Err(TokenError::WrongType);
    }
    let said = |name: &str| claims.get(name).and_then(Value::as_str);
    let of_access = typ == Typ::AccessToken || PURPOSES.iter().any(|(name, own, _)| said(name) == Some(*own));
    let of_id_tokens = OF_ID_TOKENS
        .into_iter()
        .find(|name| mutant!(!of_access && claims.contains_key(*name), "id-token-as-access-token" => false));
    // `events` makes it a Security Event or logout token, whatever its type says (RFC 8417, section 2.2).
    let of_events =
        mutant!(claims.contains_key("events"), "logout-token-as-access-token" => false).then_some("events");
    let of_others =
        PURPOSES.iter().find(|(name, _, others)| said(name).is_some_and(|it| others.contains(&it)));
    match of_id_tokens.or(of_events).or(of_others.map(|(name, ..)| *name)) {
        Some(name) => Err(TokenError::WrongPurpose(name)),
        None => Ok(()),
    }
}

fn check_time(claims: &Claims, leeway: Duration, now: Timestamp) -> Result<Timestamp, TokenRefusal> {
    let exp = moment(claims, "exp", f64::floor)?;
    let exp = mutant!(
        exp.ok_or(TokenError::MissingClaim("exp"))?,
        "exp-may-be-missing" => exp.unwrap_or(now + Duration::from_secs(3600)),
    );
    let here = || format!("it is {} here", now.rfc3339());
    if mutant!(now >= exp + leeway, "exp-one-second-late" => now > exp + leeway) {
        let refusal = TokenRefusal::new(TokenError::Expired, format!("exp is {}, {}", exp.rfc3339(), here()));
        return Err(refusal.holding_since(exp + leeway));
    }
    for name in ["nbf", "iat"] {
        if let Some(begin) = moment(claims, name, f64::ceil)?
            .filter(|begin| mutant!(now + leeway < *begin, "nbf-not-checked" => false))
        {
            let told = format!("{name} is {}, {}", begin.rfc3339(), here());
            return Err(TokenRefusal::new(TokenError::NotYetValid, told));
        }
    }
    Ok(exp + leeway)
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
