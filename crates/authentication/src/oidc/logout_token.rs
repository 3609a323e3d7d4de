//! Validation of logout tokens (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::http::printable;
use super::id_token_error::slash;
use super::jwks::{JoseHeader, Jws, KeyError, Typ};
use super::logout_token_error::LogoutTokenError;
use super::numeric_date::strict;
use super::provider::Provider;
use super::providers::Providers;
use super::settings::ClientSettings;
use super::verifier::{Audience, TokenFault, TokenProfile, is_issuer, verify};
use crate::clock::Timestamp;

/// The longest logout token, in bytes.
pub const MAX_LOGOUT_TOKEN: usize = 16 * 1024;

/// The member of `events` that makes a token a logout token; `http`, as the specification has it.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

type Claims = Map<String, Value>;

/// What a logout token says about which everything holds. At least one of `sid` and `subject` is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    /// The provider's session that is over (`sid`), unique at its issuer.
    pub sid: Option<String>,
    /// Whose session it was (`sub`).
    pub subject: Option<String>,
    /// Its own identifier (`jti`), unique at its issuer.
    pub id: String,
    /// From when on the token is not accepted any more.
    pub good_until: Timestamp,
}

impl Providers {
    /// The provider that `token` says it is from, by its issuer; of several registrations there, the one that it is
    /// for. Nothing of the token is verified.
    #[must_use]
    pub fn sender(&self, token: &Jws<'_>) -> Option<&Arc<Provider>> {
        let iss = token.claims.get("iss").and_then(Value::as_str)?;
        let theirs = || {
            self.iter().filter(|it| it.settings().client.is_some() && is_issuer(it.issuer().as_str(), iss))
        };
        let id = |client: &ClientSettings| Audience::Includes(&client.id).is_of(&token.claims);
        let meant = theirs().find(|provider| provider.settings().client.as_ref().is_some_and(id));
        meant.or_else(|| theirs().next())
    }
}

impl Provider {
    /// How many of the provider's keys could have signed `token`, and are tried in turn; 0 where it is refused untried.
    #[must_use]
    pub fn keys_to_try(&self, token: &Jws<'_>) -> usize {
        let JoseHeader { algorithm, ref kid, .. } = token.header;
        let current = self.keys().ok().map(|keys| keys.current());
        current.and_then(|keys| Some(keys.fitting(kid.as_deref(), algorithm).ok()?.len())).unwrap_or_default()
    }

    /// Checks everything about `token` but whether it has come before. May wait for the provider's keys.
    ///
    /// # Errors
    /// [`LogoutTokenError`], by cause; [`LogoutTokenError::KeysUnavailable`] where it could not be checked.
    pub async fn verified_logout(&self, token: &Jws<'_>) -> Result<LogoutToken, LogoutTokenError> {
        let (client, _) = self.client().map_err(|_| LogoutTokenError::UnknownIssuer)?;
        let settings = self.settings();
        let by_age =
            mutant!(client.logout.without_exp, "logout-token-needs-no-exp" => Some(settings.timeout));
        let by_age = by_age.filter(|_| !token.claims.contains_key("exp"));
        let needed: &[&str] = match by_age {
            None => &["iss", "aud", "iat", "exp"],
            Some(_) => &["iss", "aud", "iat"],
        };
        let profile = TokenProfile {
            types: &[Typ::Logout, Typ::Plain],
            purpose: is_of_logout,
            needed,
            issuer: settings.issuer.as_str(),
            audience: Audience::Includes(&client.id),
            past: &["iat", "nbf"],
            strict_dates: true,
            leeway: settings.leeway,
        };
        let keys = self.keys().map_err(|_| LogoutTokenError::KeysUnavailable)?;
        let end = verify(token, keys, &profile, self.clock()).await;
        let end = end.map_err(|fault| self.logout_fault(token, &client.id, fault))?;
        let end = by_age.map_or(Ok(end), |most| {
            let iat = token.claims.get("iat").and_then(|iat| strict(iat, f64::floor));
            let end = iat.ok_or(LogoutTokenError::BadClaim("iat"))? + most + settings.leeway;
            let over = mutant!(self.now() >= end, "logout-token-without-exp-for-ever" => false);
            if over { Err(LogoutTokenError::TooOld) } else { Ok(end) }
        })?;
        read(&token.claims, end)
    }

    fn logout_fault(&self, token: &Jws<'_>, client_id: &str, fault: TokenFault) -> LogoutTokenError {
        let JoseHeader { algorithm, ref kid, .. } = token.header;
        let keys =
            || self.keys().map_or_else(|_| String::new(), |keys| keys.current().described(kid.as_deref()));
        let signature = |error: KeyError| {
            let theirs = printable(&keys());
            LogoutTokenError::Signature(format!("{error} (its alg is {algorithm}; the provider's: {theirs})"))
        };
        match fault {
            TokenFault::Key(KeyError::Unavailable) => LogoutTokenError::KeysUnavailable,
            TokenFault::Key(error) => signature(error),
            TokenFault::Type => LogoutTokenError::OtherType,
            TokenFault::Purpose("nonce") => LogoutTokenError::Nonce,
            TokenFault::Purpose(_) | TokenFault::SenderConstrained => LogoutTokenError::OtherEvent,
            TokenFault::MissingClaim(name) => LogoutTokenError::MissingClaim(name),
            TokenFault::BadClaim(name) => LogoutTokenError::BadClaim(name),
            TokenFault::Issuer(got) => {
                let expected = self.issuer().as_str();
                LogoutTokenError::Issuer(format!("expected {expected}, got {got}{}", slash(expected, &got)))
            }
            TokenFault::Audience(got) | TokenFault::OtherAudience(got) => {
                LogoutTokenError::Audience { expected: client_id.to_owned(), got }
            }
            TokenFault::AuthorizedParty => LogoutTokenError::BadClaim("azp"),
            TokenFault::Expired { exp, now } => LogoutTokenError::Expired { exp, now },
            TokenFault::Ahead { name, at, now } => LogoutTokenError::Ahead { name, at, now },
        }
    }
}

/// Nothing but the event makes a logout token (section 2.4). An ID token is told apart by its `nonce` as well, which a
/// logout token must not have: neither is ever taken for the other (invariant 5).
fn is_of_logout(_: Typ, claims: &Claims) -> Result<(), TokenFault> {
    if mutant!(claims.contains_key("nonce"), "logout-token-with-nonce" => false) {
        return Err(TokenFault::Purpose("nonce"));
    }
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    let right = mutant!(event.is_some_and(Value::is_object), "logout-token-without-event" => true);
    if right { Ok(()) } else { Err(TokenFault::Purpose("events")) }
}

/// What is said by a token that holds.
fn read(claims: &Claims, good_until: Timestamp) -> Result<LogoutToken, LogoutTokenError> {
    let text = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(LogoutTokenError::BadClaim(name)),
    };
    let (sid, subject) = (text("sid")?, text("sub")?);
    if sid.is_none() && subject.is_none() {
        return Err(LogoutTokenError::Nobody);
    }
    let id = text("jti")?.ok_or(LogoutTokenError::MissingClaim("jti"))?;
    Ok(LogoutToken { sid, subject, id, good_until })
}
