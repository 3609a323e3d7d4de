//! Why a request does not go on. What each of them means to the client is said in `respond` alone.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};

use super::ambiguous::{Ambiguous, untolerated};
use super::credential::CredentialEnd;
use super::destination::DestinationError;
use crate::authn::{ErrorCode, TokenError, TokenRefusal};
use crate::endpoints::{DeferredForm, FailedSignIn, LostSignIn, ReturnTo, UnavailableProvider};
use crate::forward::{ForwardBlame, ForwardError, ForwardFault};
use crate::identity::ProviderName;
use crate::limit::Exceeded;
use crate::oidc::{self, SignInError};
use crate::request::{AuthorityError, FieldNameError, ForwardingError, PathError, PathExceptions};
use crate::session::{SessionError, StoreUnavailable};
use crate::telemetry::{Outcome, with_causes};

/// A step's no.
#[derive(Debug)]
pub(super) enum Rejection {
    /// Two parsers could read the request differently.
    Malformed(Box<Ambiguous>),
    /// Its path is longer than is read; how long it is.
    UriTooLong(String),
    /// Its path has something in it that the route does not tolerate.
    Untolerated(PathExceptions),
    /// No route claims the host.
    UnknownHost,
    /// No route of the host claims the path.
    UnknownPath,
    /// A route claims the path, for other methods: those of an `Allow` field.
    MethodNotAllowed(String),
    /// Over a rate.
    Limited(Exceeded),
    /// As many requests as the route allows at once are under way.
    Busy,
    /// Nobody is signed in; where a browser may be sent to sign in, where to come back to.
    SignIn(Option<Box<InterruptedRequest>>),
    /// An access token is no good, or cannot be judged now.
    Token(TokenRefusal),
    /// The credential ended while the answer was waited for.
    CredentialEnded(CredentialEnd),
    /// Known and refused; the scopes that an access token would need, where it is only for those.
    Forbidden { scopes: Option<String> },
    /// It may not put anything where it says.
    Destination(Box<DestinationError>),
    /// A form of ours that another site sent (invariant 18).
    CrossSite,
    /// The sign-in came to nothing.
    SignInFailed(Box<FailedSignIn>),
    /// A sign-in that this browser did not begin, or that took too long.
    LostSignIn(Box<LostSignIn>),
    /// The upstream failed, or the request was too large for it.
    Forward(ForwardError),
    /// A provider is away.
    ProviderUnavailable {
        /// Which.
        provider: ProviderName,
        /// Why, for the log.
        reason: String,
    },
    /// A provider is away while somebody wants to sign in with it.
    SignInUnavailable(Box<UnavailableProvider>),
    /// The session store does not answer.
    StoreUnavailable(String),
    /// We are at fault.
    Internal(&'static str),
}

/// What must be remembered of a request so that its browser comes back from signing in.
#[derive(Debug)]
pub(super) struct InterruptedRequest {
    /// Where to.
    pub(super) return_to: ReturnTo,
    /// The browser's cookies: sign-ins that it has in flight.
    pub(super) cookies: HeaderMap,
    /// The provider to go to, where it must be that one.
    pub(super) provider: Option<String>,
    /// The form that was on its way, where it is brought through the sign-in.
    pub(super) form: Option<DeferredForm>,
}

impl Rejection {
    /// How metrics and the log call it.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Malformed(_) | Self::UriTooLong(_) | Self::Untolerated(_) | Self::LostSignIn(_) => {
                Outcome::BadRequest
            }
            Self::UnknownHost | Self::UnknownPath | Self::MethodNotAllowed(_) => Outcome::NotFound,
            Self::Limited(_) | Self::Busy => Outcome::Limited,
            Self::Token(error) => of_token(error.error),
            Self::SignIn(_) | Self::CredentialEnded(_) => Outcome::Unauthenticated,
            Self::SignInFailed(failed) => of_sign_in(&failed.error),
            Self::SignInUnavailable(_) | Self::ProviderUnavailable { .. } => Outcome::ProviderError,
            Self::Destination(error) if error.status() != StatusCode::FORBIDDEN => Outcome::BadRequest,
            Self::Forbidden { .. } | Self::CrossSite | Self::Destination(_) => Outcome::Forbidden,
            Self::Forward(error) => of_upstream(error),
            Self::StoreUnavailable(_) | Self::Internal(_) => Outcome::Unavailable,
        }
    }

    /// The exact reason, for the log and nobody else; empty where the decision says it all.
    pub(super) fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed(ambiguous) => ambiguous.what.clone().into(),
            Self::UriTooLong(cause) | Self::StoreUnavailable(cause) => cause.clone().into(),
            Self::LostSignIn(lost) => lost.to_string().into(),
            Self::ProviderUnavailable { provider, reason } => format!("provider {provider}: {reason}").into(),
            Self::SignInUnavailable(away) => away.to_string().into(),
            Self::Untolerated(what) => untolerated(*what).into(),
            Self::UnknownHost => "no route claims this host".into(),
            Self::UnknownPath => "no route of this host claims this path".into(),
            Self::MethodNotAllowed(_) => "the route does not take this method".into(),
            Self::Limited(exceeded) => exceeded.to_string().into(),
            Self::Busy => "as many requests as the route's `concurrency` allows are under way".into(),
            Self::SignIn(_) => "nobody is signed in".into(),
            Self::Token(error) => error.to_string().into(),
            Self::CredentialEnded(end) => format!("cut off before there was an answer: {end}").into(),
            Self::Internal(cause) => Cow::Borrowed(cause),
            Self::Forbidden { .. } => Cow::Borrowed(""),
            Self::Destination(error) => error.to_string().into(),
            Self::CrossSite => "a page of another host made the browser send it".into(),
            Self::SignInFailed(failed) => failed.to_string().into(),
            Self::Forward(error) => of_forward(error).into(),
        }
    }
}

/// Whoever signs in can do nothing about it, be it the provider's fault or that of our registration there.
fn of_sign_in(error: &SignInError) -> Outcome {
    match error.blame() {
        oidc::Culprit::Client => Outcome::Unauthenticated,
        oidc::Culprit::Provider | oidc::Culprit::Us => Outcome::ProviderError,
    }
}

fn of_token(error: TokenError) -> Outcome {
    match error.code() {
        None => Outcome::ProviderError,
        Some(ErrorCode::InsufficientScope) => Outcome::Forbidden,
        Some(ErrorCode::InvalidRequest | ErrorCode::InvalidToken) => Outcome::Unauthenticated,
    }
}

fn of_upstream(error: &ForwardError) -> Outcome {
    match error.blame() {
        // Whoever ends in the middle of a body has left.
        ForwardBlame::Client if error.fault() == ForwardFault::ClientBody => Outcome::Aborted,
        ForwardBlame::Client => Outcome::BadRequest,
        ForwardBlame::Upstream => Outcome::UpstreamError,
        ForwardBlame::Us => Outcome::Unavailable,
    }
}

fn of_forward(error: &ForwardError) -> String {
    let text = with_causes(error);
    error.server().map_or_else(|| text.clone(), |server| format!("{server}: {text}"))
}

macro_rules! from {
    ($($error:ty => |$name:ident| $make:expr;)*) => {
        $(impl From<$error> for Rejection {
            fn from($name: $error) -> Self {
                $make
            }
        })*
    };
}

from! {
    Ambiguous => |what| Self::Malformed(Box::new(what));
    FieldNameError => |error| Self::Malformed(Box::new(error.into()));
    AuthorityError => |error| Self::Malformed(Box::new(error.into()));
    ForwardingError => |error| Self::Malformed(Box::new(error.into()));
    PathError => |error| if matches!(error, PathError::TooLong { .. }) {
        Self::UriTooLong(error.to_string())
    } else {
        Self::Malformed(Box::new(error.into()))
    };
    DestinationError => |error| Self::Destination(Box::new(error));
    Exceeded => |exceeded| Self::Limited(exceeded);
    ForwardError => |error| Ambiguous::of_trailers(&error).map_or(Self::Forward(error), Self::Malformed);
    StoreUnavailable => |error| Self::StoreUnavailable(error.to_string());
    SessionError => |error| Self::StoreUnavailable(error.to_string());
}
