//! The table of statuses: what the client is told of each fault. Nothing else in the gate names the number of a refusal;
//! those of faults with a page of their own stand with the pages ([`ErrorKind::status`]).

use std::time::Duration;

use http::StatusCode;

use super::destination_error::DestinationError;
use super::rejection::Rejection;
use crate::authn::ErrorCode;
use crate::forward::ForwardFault;
use crate::identity::ProviderName;
use crate::oidc::Culprit;
use crate::pages::ErrorKind;

/// Nobody is signed in, or nobody any more.
pub(super) const UNAUTHENTICATED: StatusCode = StatusCode::UNAUTHORIZED;
/// Whoever asks may not.
pub(super) const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
/// A request that could be read in two ways.
pub(super) const AMBIGUOUS: StatusCode = StatusCode::BAD_REQUEST;
/// A sign-in that comes back and is not known.
pub(super) const LOST_SIGN_IN: StatusCode = StatusCode::BAD_REQUEST;

/// When a passing fault is worth another try.
const SOON: Duration = Duration::from_secs(5);

/// What a client is told of a rejection that has no answer of its own; `display_name` is what people call a provider.
pub(super) fn of<'a>(
    no: &'a Rejection,
    display_name: impl FnOnce(&'a ProviderName) -> &'a str,
) -> ErrorKind<'a> {
    let provider_down =
        |provider| ErrorKind::ProviderDown { provider: display_name(provider), retry_after: SOON };
    match no {
        Rejection::Malformed(_) | Rejection::Untolerated(_) => ErrorKind::BadRequest,
        Rejection::UriTooLong(_) => ErrorKind::UriTooLong,
        Rejection::UnknownHost | Rejection::UnknownPath => ErrorKind::NotFound,
        Rejection::MethodNotAllowed(_) => ErrorKind::MethodNotAllowed,
        Rejection::Limited(exceeded) => ErrorKind::TooManyRequests { retry_after: exceeded.retry_after() },
        Rejection::Busy => ErrorKind::Overloaded { retry_after: SOON },
        Rejection::Forward(error) => of_forward(error.fault()),
        Rejection::Token(_) => ErrorKind::ProviderDown { provider: "of the access token", retry_after: SOON },
        Rejection::ProviderUnavailable { provider, .. } => provider_down(provider),
        Rejection::SignInUnavailable(away) => provider_down(&away.provider),
        Rejection::StoreUnavailable(_) => ErrorKind::StoreDown { retry_after: SOON },
        Rejection::Internal(_)
        | Rejection::SignIn(_)
        | Rejection::CredentialEnded(_)
        | Rejection::Forbidden(_)
        | Rejection::CrossSite
        | Rejection::Destination(_)
        | Rejection::SignInFailed(_)
        | Rejection::LostSignIn(_) => ErrorKind::Internal,
    }
}

/// What a client is told of a request that its app did not answer.
pub(super) const fn of_forward(fault: ForwardFault) -> ErrorKind<'static> {
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
pub(super) const fn of_destination(error: &DestinationError) -> StatusCode {
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
pub(super) const fn of_token(code: Option<ErrorCode>) -> StatusCode {
    match code {
        Some(ErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        Some(ErrorCode::InvalidToken | ErrorCode::InsufficientScope) | None => StatusCode::UNAUTHORIZED,
    }
}

/// What a person is told of a sign-in that came to nothing.
pub(super) const fn of_sign_in(blame: Culprit) -> StatusCode {
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
