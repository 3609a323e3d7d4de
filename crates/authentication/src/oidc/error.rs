//! Why a sign-in or a refresh came to nothing, who is to blame for it, and what a person is told.

use super::claims::ClaimsError;
use super::culprit::Culprit;
use super::http::HttpError;
use super::id_token_error::{IdTokenError, slash};
use super::provider_error::ProviderError;
use super::token_response::{OAuthErrorCode, TokenResponseError};

/// Why UserInfo gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserInfoError {
    /// The call failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No request could be made of the access token.
    #[error("the access token cannot be sent in a header")]
    Unsendable,
    /// A signed answer (section 5.3.2) that is not the provider's, not for us, or over. Nothing of it is told.
    #[error("the signed answer is not accepted: {0}")]
    Signed(String),
    /// It is about somebody else than the ID token (section 5.3.2), or does not say about whom.
    #[error("sub is not that of the ID token: the answer is about somebody else")]
    OtherSubject,
}

/// A sign-in that came to nothing. `Display` and `source` are for the log; [`SignInError::public`] is
/// for the page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// `state` is not that of the flow.
    #[error("state of the response is not that of the flow that this browser started")]
    WrongState,
    /// The flow was started with another provider.
    #[error("the flow was started with provider {0}, the response came to another")]
    OtherProvider(String),
    /// `iss` of the response names another issuer, or is missing though promised (RFC 9207, section 2.4).
    #[error("iss of the response: expected {expected}, got {got}{}", doubt(expected, got))]
    MixUp {
        /// Our provider's issuer.
        expected: String,
        /// What came, made printable.
        got: String,
    },
    /// The provider answered with an error (OpenID Connect Core 1.0, section 3.1.2.6).
    #[error("the provider refused: {code} ({description})")]
    Refused {
        /// `error`, made printable.
        code: String,
        /// `error_description`, made printable.
        description: String,
    },
    /// Neither `code` nor `error`.
    #[error("the response holds neither code nor error")]
    NoCode,
    /// The token endpoint refused (RFC 6749, section 5.2).
    #[error("the token endpoint refused: {code}; the provider's own log says more")]
    Exchange {
        /// `error`; `error_description` may quote what we sent, and is not told.
        code: OAuthErrorCode,
    },
    /// The token endpoint's answer is not one of OpenID Connect.
    #[error("the token endpoint's answer is unusable: {0}")]
    BadTokenResponse(#[from] TokenResponseError),
    /// The ID token is not valid.
    #[error("the ID token is not valid: {0}")]
    IdToken(#[from] IdTokenError),
    /// UserInfo failed.
    #[error("UserInfo: {0}")]
    UserInfo(#[from] UserInfoError),
    /// The claims make no principal.
    #[error("claims: {0}")]
    Claims(#[from] ClaimsError),
    /// The provider is away.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl SignInError {
    /// Whose fault it is.
    #[must_use]
    pub fn blame(&self) -> Culprit {
        match self {
            Self::WrongState | Self::OtherProvider(_) | Self::MixUp { .. } | Self::NoCode => Culprit::Client,
            Self::Refused { code, .. } => blame_for_refusal(code),
            Self::Exchange { code } => blame_for_exchange(code.as_str()),
            Self::Provider(ProviderError::NotForSignIn) => Culprit::Us,
            Self::IdToken(IdTokenError::AuthenticationTooOld) => Culprit::Client,
            Self::BadTokenResponse(_)
            | Self::IdToken(_)
            | Self::UserInfo(_)
            | Self::Claims(_)
            | Self::Provider(_) => Culprit::Provider,
        }
    }

    /// Whether the provider says that it cannot give the strength that was asked for (OpenID Connect Core Error Code
    /// unmet_authentication_requirements 1.0, section 2).
    #[must_use]
    pub fn is_unmet_strength(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "unmet_authentication_requirements")
    }

    /// What the person may read: fixed text, nothing that anybody sent.
    #[must_use]
    pub fn public(&self) -> &'static str {
        if self.is_passing() {
            return "The identity provider cannot be reached at the moment. Please try again in a minute.";
        }
        match self.blame() {
            Culprit::Client if self.is_access_denied() => {
                "You said no at the identity provider, or it does not let you in here."
            }
            Culprit::Client => {
                "This sign-in could not be finished. Please start again from the page you wanted."
            }
            Culprit::Provider => "The identity provider gave an answer that cannot be accepted.",
            Culprit::Us => "Sign-in is not set up correctly here. Please tell the operator.",
        }
    }

    /// Whether the same may well succeed a little later: a provider that is slow, away, or says so itself (RFC
    /// 6749, section 4.1.2.1; some token endpoints use the same words).
    fn is_passing(&self) -> bool {
        match self {
            Self::Provider(
                ProviderError::Unavailable(_) | ProviderError::Http(_) | ProviderError::NoKeys,
            )
            | Self::UserInfo(UserInfoError::Http(_)) => true,
            Self::Refused { code, .. } => is_for_now(code),
            Self::Exchange { code } => is_for_now(code.as_str()),
            Self::Provider(ProviderError::NotForSignIn | ProviderError::Metadata(_))
            | Self::UserInfo(_)
            | Self::WrongState
            | Self::OtherProvider(_)
            | Self::MixUp { .. }
            | Self::NoCode
            | Self::BadTokenResponse(_)
            | Self::IdToken(_)
            | Self::Claims(_) => false,
        }
    }

    /// Whether the person, or the provider for them, said no (RFC 6749, section 4.1.2.1).
    fn is_access_denied(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "access_denied")
    }
}

/// Somebody else's answer, or only somebody who writes the issuer in another way.
fn doubt(expected: &str, got: &str) -> &'static str {
    match slash(expected, got) {
        "" => " (mix-up attack?)",
        said => said,
    }
}

fn is_for_now(code: &str) -> bool {
    matches!(code, "temporarily_unavailable" | "server_error")
}

fn blame_for_refusal(code: &str) -> Culprit {
    match code {
        "access_denied"
        | "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required"
        | "unmet_authentication_requirements" => Culprit::Client,
        "invalid_request" | "unauthorized_client" | "unsupported_response_type" | "invalid_scope" => {
            Culprit::Us
        }
        _ => Culprit::Provider,
    }
}

fn blame_for_exchange(code: &str) -> Culprit {
    match code {
        "invalid_grant" => Culprit::Client,
        "invalid_client"
        | "unauthorized_client"
        | "invalid_request"
        | "invalid_scope"
        | "unsupported_grant_type" => Culprit::Us,
        _ => Culprit::Provider,
    }
}

/// A refresh that gave no new tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// There is no refresh token.
    #[error("the session has no refresh token")]
    NoRefreshToken,
    /// The calls before have failed; it is not tried again yet.
    #[error("refreshes at this provider have failed of late; they are not tried again yet")]
    Resting,
    /// `invalid_grant`: the grant was revoked, the person is gone. The session must end (invariant 8).
    #[error("the provider no longer honours the refresh token: invalid_grant")]
    Gone,
    /// The answer is not about the same person and client, or not valid. The session must end.
    #[error("the refreshed ID token is not valid: {0}")]
    Invalid(#[from] IdTokenError),
    /// The provider is away or misbehaves: old tokens stay good until they expire.
    #[error("the provider is away: {0}")]
    Away(String),
    /// The provider does not know us (any more): old tokens stay good until they expire.
    #[error("the provider refused us: {0}; check client_id and client authentication")]
    Refused(OAuthErrorCode),
}

impl RefreshError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Culprit {
        match self {
            Self::NoRefreshToken | Self::Gone => Culprit::Client,
            Self::Invalid(_) | Self::Away(_) | Self::Resting => Culprit::Provider,
            Self::Refused(_) => Culprit::Us,
        }
    }

    /// Whether it says something of the provider and not of this session alone.
    pub(super) const fn concerns_all(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Refused(_))
    }

    /// Whether the session must end now.
    #[must_use]
    pub const fn ends_session(&self) -> bool {
        matches!(self, Self::Gone | Self::Invalid(_))
    }
}
