//! Why a bearer token is refused, who is to blame, and what the client is told.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use http::HeaderValue;

use super::challenge::{Challenge, ErrorCode};
use crate::clock::Timestamp;
use crate::identity::ProviderName;
use crate::oidc::Culprit;
use crate::oidc::jwks::{JwsError, KeyError};

/// A refused bearer token: why, and for the operator's log what was expected and what came. [`TokenError::public`] is
/// for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TokenRefusal {
    /// Why it is refused, which decides what the client is told.
    #[source]
    pub error: TokenError,
    /// The values, made printable and bounded.
    told: Option<Arc<str>>,
    /// The provider for whose fault it could not be checked.
    provider: Option<ProviderName>,
    /// From when on the refusal is right, by this machine's clock. Where that clock was ahead and is set right, the
    /// refusal no longer counts.
    since: Timestamp,
}

impl TokenRefusal {
    /// `told` says what was expected and what came.
    pub(super) fn new(error: TokenError, told: impl Into<Arc<str>>) -> Self {
        Self { told: Some(told.into()), ..error.into() }
    }

    /// One that could not be checked, since the keys of `provider` are not at hand.
    pub(super) fn unchecked(provider: ProviderName) -> Self {
        Self { provider: Some(provider), ..TokenError::KeysUnavailable.into() }
    }

    /// The provider that is away, where that is why.
    #[must_use]
    pub const fn provider(&self) -> Option<&ProviderName> {
        self.provider.as_ref()
    }

    /// The same, which is right from `since` on and not before: a token is not expired for ever by a clock that was
    /// ahead.
    pub(super) fn holding_since(self, since: Timestamp) -> Self {
        Self { since, ..self }
    }

    pub(super) const fn since(&self) -> Timestamp {
        self.since
    }
}

/// What tests are about, as a rule.
#[cfg(test)]
impl PartialEq<TokenError> for TokenRefusal {
    fn eq(&self, error: &TokenError) -> bool {
        self.error == *error
    }
}

impl From<TokenError> for TokenRefusal {
    fn from(error: TokenError) -> Self {
        Self { error, told: None, provider: None, since: Timestamp::default() }
    }
}

impl From<JwsError> for TokenRefusal {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Malformed(what) => TokenError::Malformed(what).into(),
            JwsError::UnsupportedAlgorithm(got) => {
                Self::new(TokenError::UnsupportedAlgorithm, format!("got {got}"))
            }
            JwsError::UnsupportedHeader(name) => TokenError::UnsupportedHeader(name).into(),
        }
    }
}

impl Deref for TokenRefusal {
    type Target = TokenError;

    fn deref(&self) -> &TokenError {
        &self.error
    }
}

impl fmt::Display for TokenRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        self.told.as_ref().map_or(Ok(()), |told| write!(f, "; {told}"))
    }
}

/// Why a bearer token is refused, without the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// More than one credential, in `Authorization`, in `X-Portcullis-Authorization` or in both: two readers may take
    /// two different ones.
    #[error("the request has several credentials in Authorization or X-Portcullis-Authorization; send one")]
    RepeatedCredential,
    /// `Bearer` without a `b64token` behind it (RFC 6750, section 2.1), `Basic` without a user name and a password
    /// (RFC 7617, section 2), or another scheme where only these can stand.
    #[error("the field is not `Bearer` or `Basic`, one space and a credential that the route accepts")]
    MalformedCredential,
    /// A token of more than 16 KiB.
    #[error("the token has more than 16,384 bytes; ask the provider for fewer claims")]
    TooLarge,
    /// No JWS in compact form, or JSON that is none or says a thing twice (RFC 8725, section 3.2).
    #[error("the token is not a signed JWT in compact form: {0}")]
    Malformed(&'static str),
    /// An `alg` that is none, symmetric or unknown.
    #[error("the token's alg must be one of RS/PS/ES256–512 and EdDSA")]
    UnsupportedAlgorithm,
    /// A header parameter that changes what is signed or how it is read: `crit`, `b64`, `zip`, `enc`, `cty`.
    #[error("the token's header asks for processing that is not supported: {0}")]
    UnsupportedHeader(&'static str),
    /// `typ` is for another kind of token, or not `at+jwt` where that is required (RFC 9068, section 4).
    #[error(
        "the token's typ is not that of an access token; expected at+jwt, or JWT where the provider's settings allow it"
    )]
    WrongType,
    /// The token was made for another purpose: an ID token, a logout token, a refresh token.
    #[error("the token is no access token: its claim `{0}` marks it as made for another purpose")]
    WrongPurpose(&'static str),
    /// Bound to a key whose possession the client would have to prove (RFC 7800: DPoP, mutual TLS).
    #[error(
        "the token is bound to a key of its client (cnf); such a token is not accepted as a plain bearer token"
    )]
    SenderConstrained,
    /// No configured provider with `audiences` has this issuer.
    #[error("the token's iss is not the issuer of a provider that has `audiences`")]
    UnknownIssuer,
    /// None of the provider's keys is the one the token names.
    #[error("{}", KeyError::Unknown)]
    UnknownKey,
    /// The key is bound to another algorithm.
    #[error("{}", KeyError::WrongAlgorithm)]
    WrongAlgorithm,
    /// Too many keys fit to try them all.
    #[error("{}", KeyError::Ambiguous)]
    AmbiguousKey,
    /// The signature is not the key's over this token.
    #[error("{}", KeyError::BadSignature)]
    BadSignature,
    /// A claim that must be there is not.
    #[error("the token has no claim `{0}`")]
    MissingClaim(&'static str),
    /// A claim has a type or size it must not have.
    #[error("the token's claim `{0}` is not of the type or size it must be")]
    BadClaim(&'static str),
    /// None of the token's audiences is one of the provider's `audiences`.
    #[error("none of the token's aud is among the provider's `audiences`")]
    WrongAudience,
    /// `exp` is over, leeway included.
    #[error("the token has expired; if it should not have, compare the clocks")]
    Expired,
    /// `nbf` or `iat` lies ahead, leeway included: the provider's clock or ours is wrong.
    #[error("the token's nbf or iat lies ahead; compare the clocks")]
    NotYetValid,
    /// The token is good but its scopes do not suffice; said by the policy, not by the verifier.
    #[error("the token's scopes do not suffice")]
    InsufficientScope,
    /// No trusted keys to check with: fail closed, and say that it is not the client's fault.
    #[error("{}", KeyError::Unavailable)]
    KeysUnavailable,
}

impl TokenError {
    /// Who has to do something about it.
    #[must_use]
    pub const fn blame(self) -> Culprit {
        match self.code() {
            Some(_) => Culprit::Client,
            None => Culprit::Provider,
        }
    }

    /// What RFC 6750 calls it; `None` where the token could not be checked (503, not 401).
    #[must_use]
    pub const fn code(self) -> Option<ErrorCode> {
        match self {
            Self::RepeatedCredential | Self::MalformedCredential | Self::TooLarge => {
                Some(ErrorCode::InvalidRequest)
            }
            Self::InsufficientScope => Some(ErrorCode::InsufficientScope),
            Self::KeysUnavailable => None,
            Self::Malformed(_)
            | Self::UnsupportedAlgorithm
            | Self::UnsupportedHeader(_)
            | Self::WrongType
            | Self::WrongPurpose(_)
            | Self::SenderConstrained
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::WrongAlgorithm
            | Self::AmbiguousKey
            | Self::BadSignature
            | Self::MissingClaim(_)
            | Self::BadClaim(_)
            | Self::WrongAudience
            | Self::Expired
            | Self::NotYetValid => Some(ErrorCode::InvalidToken),
        }
    }

    /// Fixed text for the client: enough to mend the request, nothing about keys or settings.
    #[must_use]
    pub const fn public(self) -> &'static str {
        match self {
            Self::RepeatedCredential => "Several credentials were sent.",
            Self::MalformedCredential => "The credential is malformed.",
            Self::TooLarge => "The access token is too large.",
            Self::Expired => "The access token has expired.",
            Self::NotYetValid => "The access token is not valid yet.",
            Self::WrongAudience => "The access token is for another audience.",
            Self::SenderConstrained => {
                "The access token is sender-constrained and cannot be used as a bearer token."
            }
            Self::WrongType | Self::WrongPurpose(_) => "The token is not an access token.",
            Self::InsufficientScope => "The access token's scope does not suffice.",
            Self::KeysUnavailable => "The access token cannot be checked at the moment.",
            Self::Malformed(_)
            | Self::UnsupportedAlgorithm
            | Self::UnsupportedHeader(_)
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::WrongAlgorithm
            | Self::AmbiguousKey
            | Self::BadSignature
            | Self::MissingClaim(_)
            | Self::BadClaim(_) => "The access token is invalid.",
        }
    }

    /// The value of the metrics' `result` label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RepeatedCredential => "repeated-credential",
            Self::MalformedCredential => "malformed-credential",
            Self::TooLarge => "too-large",
            Self::Malformed(_) => "malformed",
            Self::UnsupportedAlgorithm => "unsupported-algorithm",
            Self::UnsupportedHeader(_) => "unsupported-header",
            Self::WrongType => "wrong-type",
            Self::WrongPurpose(_) => "wrong-purpose",
            Self::SenderConstrained => "sender-constrained",
            Self::UnknownIssuer => "unknown-issuer",
            Self::UnknownKey => "unknown-key",
            Self::WrongAlgorithm => "wrong-algorithm",
            Self::AmbiguousKey => "ambiguous-key",
            Self::BadSignature => "bad-signature",
            Self::MissingClaim(_) => "missing-claim",
            Self::BadClaim(_) => "bad-claim",
            Self::WrongAudience => "wrong-audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::InsufficientScope => "insufficient-scope",
            Self::KeysUnavailable => "keys-unavailable",
        }
    }

    /// The `WWW-Authenticate` value for this refusal.
    #[must_use]
    pub fn challenge(self, realm: &str) -> HeaderValue {
        Challenge { realm, error: self.code().map(|code| (code, self.public())), scope: None, strength: None }
            .header()
    }
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unavailable => Self::KeysUnavailable,
            KeyError::Unknown => Self::UnknownKey,
            KeyError::WrongAlgorithm => Self::WrongAlgorithm,
            KeyError::Ambiguous => Self::AmbiguousKey,
            KeyError::BadSignature => Self::BadSignature,
        }
    }
}
