//! What the token endpoint answers (RFC 6749, sections 5.1 and 5.2; OpenID Connect Core 1.0, section 3.1.3.3),
//! read no stricter than safety asks.

use std::fmt;
use std::time::Duration;

use openidconnect::core::{
    CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreTokenType,
};
use openidconnect::{
    AccessToken, EmptyAdditionalClaims, IdToken, OAuth2TokenResponse, RefreshToken, TokenResponse,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// Longer lifetimes count as this one: ten years.
const LONGEST_LIFETIME: f64 = 10.0 * 365.0 * 86_400.0;

/// A good answer. Only what is needed is read: `scope` and members of other specifications may be what they like.
#[derive(Clone, Debug)]
pub(super) struct TokenAnswer {
    access: AccessToken,
    expires_in: Option<Duration>,
    refresh: Option<RefreshToken>,
    id: Option<Secret>,
}

/// Why an answer with status 200 is no good one. Nothing of the answer is in it (invariants 15 and 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenResponseError {
    /// No `access_token`, or one that is no text.
    #[error("access_token is missing or no text")]
    NoAccessToken,
    /// `token_type` is another than `Bearer` (RFC 6749, section 7.1: a client must not use such a token).
    #[error("token_type: expected Bearer, got {0}; have the provider issue bearer tokens to this client")]
    TokenType(&'static str),
    /// A refresh token, an ID token or JSON that cannot be read.
    #[error("it cannot be read as a token response")]
    Unreadable,
}

impl TokenAnswer {
    pub(super) fn read(answer: &Map<String, Value>) -> Result<Self, TokenResponseError> {
        mutant!(check_type(answer.get("token_type"))?, "token-type-dpop" => ());
        let text = |name| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Self {
            access: AccessToken::new(
                text("access_token").ok_or(TokenResponseError::NoAccessToken)?.to_owned(),
            ),
            expires_in: answer.get("expires_in").and_then(lifetime),
            refresh: text("refresh_token").map(|token| RefreshToken::new(token.to_owned())),
            id: text("id_token").map(Secret::new),
        })
    }

    /// The ID token, unread.
    pub(super) const fn id(&self) -> Option<&Secret> {
        self.id.as_ref()
    }
}

/// Many leave it out; what is there must be `Bearer` in any case of letters.
fn check_type(token_type: Option<&Value>) -> Result<(), TokenResponseError> {
    match token_type {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(name)) if name.eq_ignore_ascii_case("bearer") => Ok(()),
        Some(Value::String(name)) => {
            let known =
                ["DPoP", "mac", "PoP", "N_A"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
            Err(TokenResponseError::TokenType(known.unwrap_or("another type")))
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(TokenResponseError::TokenType("no text"))
        }
    }
}

/// Seconds as number, whole or not, or as text; what makes no sense counts as absent.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let sane = seconds.is_finite() && seconds >= 0.0;
    sane.then(|| Duration::from_secs_f64(seconds.min(LONGEST_LIFETIME).floor()))
}

impl<'de> Deserialize<'de> for TokenAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// openidconnect demands this implementation; nobody calls it, and no token would be written.
impl Serialize for TokenAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl OAuth2TokenResponse for TokenAnswer {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access
    }

    fn token_type(&self) -> &CoreTokenType {
        &CoreTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<openidconnect::Scope>> {
        None
    }
}

type Unread = IdToken<
    EmptyAdditionalClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// Its ID token is of another type: openidconnect's does not let a sign-in go on whose unneeded claims are odd.
impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for TokenAnswer
{
    fn id_token(&self) -> Option<&Unread> {
        None
    }
}

/// The `error` of a refusal (RFC 6749, section 5.2). Of an answer that may hold tokens this word alone is kept, and
/// only where it looks like one: small letters and `_`, 40 at most. Anything else becomes a fixed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthErrorCode(String);

impl OAuthErrorCode {
    /// The `error` of `answer`, where it has one.
    pub(super) fn of(answer: &Map<String, Value>) -> Option<Self> {
        let error = answer.get("error").filter(|error| !error.is_null())?;
        let is_word = |text: &&str| {
            (1..=40).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let is_told = |text: &&str| mutant!(is_word(text), "token-endpoint-quoted" => true);
        Some(Self(error.as_str().filter(is_told).unwrap_or("an error of its own").to_owned()))
    }

    /// The word itself, safe to be logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
