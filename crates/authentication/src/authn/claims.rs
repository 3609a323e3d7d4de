//! What an access token must be (RFC 9068, section 4), and how it is told what is wrong with one.

use serde_json::{Map, Value};

use super::error::{TokenError, TokenRefusal};
use crate::oidc::ProviderSettings;
use crate::oidc::http::printable;
use crate::oidc::jwks::Typ;
use crate::oidc::verifier::{Audience, TokenFault, TokenProfile};

type Claims = Map<String, Value>;

/// What an access token of `provider` must be.
pub(super) fn profile(provider: &ProviderSettings) -> TokenProfile<'_> {
    let types = match mutant!(provider.require_at_jwt, "required-token-type-not-checked" => false) {
        true => &[Typ::AccessToken][..],
        false => &[Typ::AccessToken, Typ::Plain],
    };
    TokenProfile {
        types,
        purpose,
        needed: &["iss", "aud", "exp"],
        issuer: provider.issuer.as_str(),
        audience: Audience::AnyOf(&provider.audiences),
        past: &["nbf", "iat"],
        strict_dates: true,
        leeway: provider.leeway,
    }
}

/// `iss`, wherever it leads; the caller finds the provider that has exactly this issuer.
pub(super) fn issuer(claims: &Claims) -> Result<&str, TokenError> {
    claims.get("iss").ok_or(TokenError::MissingClaim("iss"))?.as_str().ok_or(TokenError::BadClaim("iss"))
}

/// Claims that mark an ID token (RFC 8725, section 3.12), unless the token says that it is an access token: such a
/// one may have `nonce` and the like.
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Claims of Keycloak (`typ`) and Amazon Cognito (`token_use`), whose headers all say `typ: JWT`: what an access token
/// says there, and what others do.
const PURPOSES: [(&str, &str, &[&str]); 2] =
    [("typ", "Bearer", &["ID", "Refresh", "Offline", "Logout"]), ("token_use", "access", &["id", "refresh"])];

fn purpose(typ: Typ, claims: &Claims) -> Result<(), TokenFault> {
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
    if let Some(name) = of_id_tokens.or(of_events).or(of_others.map(|(name, ..)| *name)) {
        return Err(TokenFault::Purpose(name));
    }
    if mutant!(claims.contains_key("cnf"), "sender-constrained-token" => false) {
        return Err(TokenFault::SenderConstrained);
    }
    Ok(())
}

/// The refusal of a token of `provider` for a `fault` that is none of its key, with both values for the log.
pub(super) fn refusal(provider: &ProviderSettings, fault: TokenFault) -> TokenRefusal {
    let expected = || printable(&provider.audiences.join(", "));
    match fault {
        TokenFault::Key(error) => TokenError::from(error).into(),
        TokenFault::Type => TokenError::WrongType.into(),
        TokenFault::Purpose(name) => TokenError::WrongPurpose(name).into(),
        TokenFault::SenderConstrained => TokenError::SenderConstrained.into(),
        TokenFault::MissingClaim("aud") => TokenRefusal::new(
            TokenError::MissingClaim("aud"),
            format!(
                "expected {}; have the provider name the audience in access tokens for this API \
                 (at Keycloak an audience mapper, for lightweight tokens too)",
                expected()
            ),
        ),
        TokenFault::MissingClaim(name) => TokenError::MissingClaim(name).into(),
        TokenFault::BadClaim(name) => TokenError::BadClaim(name).into(),
        TokenFault::Issuer(_) => TokenError::UnknownIssuer.into(),
        TokenFault::Audience(got) | TokenFault::OtherAudience(got) => {
            TokenRefusal::new(TokenError::WrongAudience, format!("expected {}, got {got}", expected()))
        }
        TokenFault::AuthorizedParty => TokenError::BadClaim("azp").into(),
        TokenFault::Expired { exp, now } => {
            let told = format!("exp is {}, it is {} here", exp.rfc3339(), now.rfc3339());
            TokenRefusal::new(TokenError::Expired, told).holding_since(exp + provider.leeway)
        }
        TokenFault::Ahead { name, at, now } => {
            let told = format!("{name} is {}, it is {} here", at.rfc3339(), now.rfc3339());
            TokenRefusal::new(TokenError::NotYetValid, told)
        }
    }
}
