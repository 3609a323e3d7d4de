//! Why a logout token is not accepted.

use super::jwks::JwsError;
use crate::clock::Timestamp;

/// Why a logout token is not accepted. The text is for the log; whoever sent the token is told
/// [`LogoutTokenError::word`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutTokenError {
    /// The request has none, several, or one of more than 16 KiB.
    #[error("the request is not a form with one logout_token of at most 16,384 bytes")]
    Missing,
    /// It is no signed JWT.
    #[error(transparent)]
    Unreadable(#[from] JwsError),
    /// No provider with which people sign in here has its issuer.
    #[error("its iss is not the issuer of a provider with which people sign in here")]
    UnknownIssuer,
    /// The provider's keys are not at hand: it could not be checked.
    #[error("no trusted keys of the provider are at hand")]
    KeysUnavailable,
    /// No key of the provider's made its signature.
    #[error("signature: {0}")]
    Signature(String),
    /// `typ` of its header says that it is something else.
    #[error("typ of its header is neither logout+jwt nor JWT: a token made for another purpose")]
    OtherType,
    /// `events` does not hold the event of a sign-out, or not as an object.
    #[error("events: expected an object under http://schemas.openid.net/event/backchannel-logout")]
    OtherEvent,
    /// It has a `nonce`, as an ID token has (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    #[error("it has a nonce, which no logout token has")]
    Nonce,
    /// A claim that must be there is not.
    #[error("it has no claim {0}{hint}", hint = without(.0))]
    MissingClaim(&'static str),
    /// A claim has a type that it must not have.
    #[error("its claim {0} is not of the type it must be")]
    BadClaim(&'static str),
    /// `iss` is not the provider's issuer.
    #[error("iss: {0}")]
    Issuer(String),
    /// `aud` does not name us.
    #[error("aud: expected our client_id {expected}, got {got}: it is for another audience")]
    Audience {
        /// Our `client_id`.
        expected: String,
        /// Made printable.
        got: String,
    },
    /// `exp` is over.
    #[error("expired: exp is {exp}, it is {now} here; compare the clocks", exp = exp.rfc3339(), now = now.rfc3339())]
    Expired {
        /// What it says.
        exp: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// It has no `exp`, and `iat` is longer ago than the provider's settings allow.
    #[error(
        "expired: it has no exp, and its iat is longer ago than `logout_without_exp`; compare the clocks"
    )]
    TooOld,
    /// `iat` or `nbf` lies ahead.
    #[error("{name} lies ahead: it is {at}, and {now} here; compare the clocks", at = at.rfc3339(), now = now.rfc3339())]
    Ahead {
        /// The claim.
        name: &'static str,
        /// What it says.
        at: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// Neither `sub` nor `sid` says whose session is over.
    #[error("it has neither sub nor sid")]
    Nobody,
    /// A token of this issuer with the same `jti` has been accepted.
    #[error("a token with its jti has been accepted before")]
    Replayed,
}

impl LogoutTokenError {
    /// The word for it in metrics, and for whoever sent the token.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing | Self::Unreadable(_) => "malformed",
            Self::UnknownIssuer | Self::Issuer(_) => "unknown-issuer",
            Self::KeysUnavailable => "keys-unavailable",
            Self::Signature(_) => "bad-signature",
            Self::OtherType | Self::OtherEvent | Self::Nonce => "wrong-purpose",
            Self::MissingClaim(_) | Self::Nobody => "missing-claim",
            Self::BadClaim(_) => "bad-claim",
            Self::Audience { .. } => "wrong-audience",
            Self::Expired { .. } | Self::TooOld => "expired",
            Self::Ahead { .. } => "not-yet-valid",
            Self::Replayed => "replayed",
        }
    }
}

/// What to do where a provider leaves a claim out that has become mandatory.
fn without(name: &str) -> &'static str {
    if name == "exp" { "; for a provider that sends none, set `logout_without_exp`" } else { "" }
}
