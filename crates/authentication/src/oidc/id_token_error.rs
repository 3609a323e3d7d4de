//! Why an ID token is not accepted.

use super::jwks::JwsError;
use crate::clock::Timestamp;

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
    /// A refreshed token is about somebody or something else than the one before.
    #[error("the refreshed token's {0} is not that of the token before")]
    Changed(&'static str),
}

impl IdTokenError {
    /// Whether no key of the provider's has signed it.
    pub(super) const fn is_of_the_signature(&self) -> bool {
        matches!(self, Self::UnknownKey(_) | Self::Signature(_))
    }
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
