//! The table of statuses: what the client is told of each rejection. Nothing else in the gate names the number of a
//! refusal; those of errors with a page of their own stand with the pages ([`ErrorKind::status`]).

use std::time::Duration;

use http::StatusCode;

use super::ambiguous::Ambiguous;
use super::credential_end::CredentialEnd;
use super::destination_error::DestinationError;
use super::rejection::Rejection;
use crate::authn::{ErrorCode, TokenError};
use crate::endpoints::{FailedSignIn, LostSignIn, UnmetStepUp};
use crate::forward::ForwardFault;
use crate::identity::{ProviderName, Strength};
use crate::oidc::Culprit;
use crate::pages::ErrorKind;
use crate::request::PathExceptions;

/// When a passing fault is worth another try.
const SOON: Duration = Duration::from_secs(5);

/// How long a browser mostly takes to bind a session.
const BINDING: Duration = Duration::from_secs(2);

/// What a client is told.
#[derive(Debug)]
pub(super) enum Refusal<'a> {
    /// An error, beside which other ways to sign in may stand: what each is called, and where it is.
    Error(ErrorKind<'a>, &'a [(String, String)]),
    /// Two parsers could read the request differently.
    Ambiguous(&'a Ambiguous),
    /// Its path has something in it that the route does not tolerate.
    Untolerated(PathExceptions),
    /// Nobody is signed in, or nobody any more.
    Unauthenticated,
    /// Whoever asks has to sign in in a stronger way.
    StepUp(&'a Strength),
    /// Whoever asks may not.
    Forbidden,
    /// A page of another site sent it.
    CrossSite,
    /// It may not put anything where it says.
    Destination(&'a DestinationError),
    /// Its access token is no good.
    Token(TokenError),
    /// A sign-in came to nothing.
    SignInFailed(&'a FailedSignIn),
    /// A sign-in is not as strong as was asked.
    UnmetStepUp(&'a UnmetStepUp),
    /// A sign-in came back and is not known.
    LostSignIn(&'a LostSignIn),
}

impl Refusal<'_> {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Error(kind, _) => kind.status(),
            Self::Ambiguous(_) | Self::Untolerated(_) | Self::LostSignIn(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::StepUp(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossSite | Self::UnmetStepUp(_) => StatusCode::FORBIDDEN,
            Self::Destination(error) => of_destination(error),
            Self::Token(error) => of_token(error.code()),
            Self::SignInFailed(failed) => of_sign_in(failed.error.blame()),
        }
    }
}

/// What a client is told of a rejection; `display_name` is what people call a provider.
pub(super) fn of<'a>(
    no: &'a Rejection,
    display_name: impl FnOnce(&'a ProviderName) -> &'a str,
) -> Refusal<'a> {
    let provider_down = |provider| ErrorKind::ProviderDown { provider, retry_after: SOON };
    let kind = match no {
        Rejection::Malformed(what) => return Refusal::Ambiguous(what),
        Rejection::Untolerated(what) => return Refusal::Untolerated(*what),
        Rejection::SignIn(_) | Rejection::CredentialEnded(CredentialEnd::Session(_)) => {
            return Refusal::Unauthenticated;
        }
        Rejection::CredentialEnded(CredentialEnd::TokenExpired) => {
            return Refusal::Token(TokenError::Expired);
        }
        Rejection::Token(refusal) if refusal.code().is_some() => return Refusal::Token(refusal.error),
        Rejection::NoLongerPermitted(no) => return of(&no.rejection, display_name),
        Rejection::StepUp(step_up, _) => return Refusal::StepUp(&step_up.strength),
        Rejection::UnmetStepUp(unmet) => return Refusal::UnmetStepUp(unmet),
        Rejection::Forbidden(_) => return Refusal::Forbidden,
        Rejection::CrossSite => return Refusal::CrossSite,
        Rejection::Destination(error) => return Refusal::Destination(error),
        Rejection::SignInFailed(failed) => return Refusal::SignInFailed(failed),
        Rejection::LostSignIn(lost) => return Refusal::LostSignIn(lost),
        Rejection::SignInUnavailable(away) => {
            return Refusal::Error(provider_down(display_name(&away.provider)), &away.others);
        }
        Rejection::UriTooLong(_) => ErrorKind::UriTooLong,
        Rejection::UnknownHost | Rejection::UnknownPath => ErrorKind::NotFound,
        Rejection::MethodNotAllowed(_) => ErrorKind::MethodNotAllowed,
        Rejection::Limited(exceeded) => ErrorKind::TooManyRequests { retry_after: exceeded.retry_after() },
        Rejection::Busy => ErrorKind::Overloaded { retry_after: SOON },
        Rejection::Unrecorded => ErrorKind::Unrecorded { retry_after: SOON },
        Rejection::Forward(error) => of_forward(error.fault()),
        Rejection::Token(_) => provider_down("of the access token"),
        Rejection::ProviderUnavailable { provider, .. } => provider_down(display_name(provider)),
        Rejection::StoreUnavailable(_) => ErrorKind::StoreDown { retry_after: SOON },
        Rejection::Internal(_) => ErrorKind::Internal,
        Rejection::NotBound => ErrorKind::NotBound,
        Rejection::BindingAwaited => ErrorKind::BindingAwaited { retry_after: BINDING },
    };
    Refusal::Error(kind, &[])
}

/// What a client is told of a request that its app did not answer.
const fn of_forward(fault: ForwardFault) -> ErrorKind<'static> {
    match fault {
        ForwardFault::Connect
        | ForwardFault::Tls
        | ForwardFault::Reset
        | ForwardFault::Refused
        | ForwardFault::InvalidResponse
        | ForwardFault::HeadersTooLarge => ErrorKind::AppDown,
        ForwardFault::NotHeld => ErrorKind::AppRefused,
        ForwardFault::ConnectTimeout | ForwardFault::ResponseTimeout => ErrorKind::AppTimeout,
        ForwardFault::BodyTooLarge => ErrorKind::ContentTooLarge,
        ForwardFault::ClientBody | ForwardFault::ClientTrailers | ForwardFault::BadTarget => {
            ErrorKind::BadRequest
        }
        ForwardFault::ClientTimeout => ErrorKind::RequestTimeout,
        ForwardFault::MethodRefused => ErrorKind::MethodNotAllowed,
        ForwardFault::Internal => ErrorKind::Internal,
    }
}

/// What a client is told of a `Destination` that it may not name (RFC 4918, section 9.8.5).
const fn of_destination(error: &DestinationError) -> StatusCode {
    match error {
        DestinationError::Unclear
        | DestinationError::Path(_)
        | DestinationError::Untolerated(_)
        | DestinationError::Ambiguous => StatusCode::BAD_REQUEST,
        DestinationError::OtherHost => StatusCode::BAD_GATEWAY,
        DestinationError::OtherRoute | DestinationError::Forbidden { .. } => StatusCode::FORBIDDEN,
    }
}

/// What a client is told of its access token (RFC 6750, section 3.1): 400 where the request cannot be read, 401 where
/// the token is no good.
const fn of_token(code: Option<ErrorCode>) -> StatusCode {
    match code {
        Some(ErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        Some(
            ErrorCode::InvalidToken
            | ErrorCode::InsufficientScope
            | ErrorCode::InsufficientUserAuthentication,
        )
        | None => StatusCode::UNAUTHORIZED,
    }
}

/// What a person is told of a sign-in that came to nothing.
const fn of_sign_in(blame: Culprit) -> StatusCode {
    match blame {
        Culprit::Client => StatusCode::BAD_REQUEST,
        Culprit::Provider => StatusCode::BAD_GATEWAY,
        Culprit::Us => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_cannot_be_reached_is_a_bad_gateway_and_a_slow_one_a_timeout() {
        for (fault, status) in [
            (ForwardFault::Connect, 502),
            (ForwardFault::Refused, 502),
            (ForwardFault::NotHeld, 502),
            (ForwardFault::ConnectTimeout, 504),
            (ForwardFault::ResponseTimeout, 504),
            (ForwardFault::MethodRefused, 405),
            (ForwardFault::BodyTooLarge, 413),
            (ForwardFault::ClientTimeout, 408),
        ] {
            assert_eq!(of_forward(fault).status().as_u16(), status, "{fault:?}");
        }
    }
}
