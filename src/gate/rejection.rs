//! Why a request does not go on. What each of them means to the client is said in `respond` alone.

use std::borrow::Cow;

use super::return_to::ReturnTo;
use crate::authn::{AuthenticationError, TokenError};
use crate::forward::ForwardError;
use crate::limit::Exceeded;
use crate::oidc::{ProviderError, SignInError};
use crate::policy::Reason;
use crate::request::{AuthorityError, ForwardingError, PathError, PathExceptions};
use crate::session::StoreUnavailable;
use crate::telemetry::Outcome;

/// A step's no.
#[derive(Debug)]
pub(super) enum Rejection {
    /// Two parsers could read the request differently; what exactly, for the log.
    Malformed(String),
    /// Its path has something in it that the route does not tolerate.
    Untolerated(PathExceptions),
    /// No route claims the host.
    UnknownHost,
    /// No route of the host claims the path.
    UnknownPath,
    /// A route claims the path, for other methods.
    MethodNotAllowed,
    /// Over a rate.
    Limited(Exceeded),
    /// As many requests as the route allows at once are under way.
    Busy,
    /// Nobody is signed in; where to come back to, where a browser may be sent to sign in.
    SignIn(Option<ReturnTo>),
    /// An access token is no good, or cannot be judged now.
    Token(TokenError),
    /// An `Authorization` header that cannot be read.
    UnreadableCredential(&'static str),
    /// Known and refused.
    Forbidden(Reason),
    /// A form of ours that another site sent (invariant 18).
    CrossSite,
    /// The sign-in came to nothing.
    SignInFailed(Box<SignInError>),
    /// A sign-in that this browser did not begin, or that took too long.
    NoSuchFlow(String),
    /// The upstream failed, or the request was too large for it.
    Forward(ForwardError),
    /// The provider is away.
    ProviderUnavailable(String),
    /// The session store does not answer.
    StoreUnavailable(StoreUnavailable),
    /// We are at fault.
    Internal(&'static str),
}

impl Rejection {
    /// How metrics and the log call it.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Malformed(_) | Self::Untolerated(_) | Self::NoSuchFlow(_) => Outcome::BadRequest,
            Self::UnknownHost | Self::UnknownPath | Self::MethodNotAllowed => Outcome::NotFound,
            Self::Limited(_) | Self::Busy => Outcome::Limited,
            Self::SignIn(_) | Self::UnreadableCredential(_) => Outcome::Unauthenticated,
            Self::Token(error) if error.is_unavailable() => Outcome::Unavailable,
            Self::Token(_) | Self::SignInFailed(_) => Outcome::Unauthenticated,
            Self::Forbidden(_) | Self::CrossSite => Outcome::Forbidden,
            Self::Forward(error) if error.status().is_client_error() => Outcome::BadRequest,
            Self::Forward(_) => Outcome::UpstreamError,
            Self::ProviderUnavailable(_) | Self::StoreUnavailable(_) | Self::Internal(_) => Outcome::Unavailable,
        }
    }

    /// The exact reason, for the log and nobody else.
    pub(super) fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed(cause) | Self::ProviderUnavailable(cause) | Self::NoSuchFlow(cause) => cause.clone().into(),
            Self::Untolerated(what) => untolerated(*what).into(),
            Self::UnknownHost => "no route claims this host".into(),
            Self::UnknownPath => "no route of this host claims this path".into(),
            Self::MethodNotAllowed => "the route does not take this method".into(),
            Self::Limited(exceeded) => exceeded.to_string().into(),
            Self::Busy => "as many requests as the route's `concurrency` allows are under way".into(),
            Self::SignIn(_) => "nobody is signed in".into(),
            Self::Token(error) => error.to_string().into(),
            Self::UnreadableCredential(cause) | Self::Internal(cause) => Cow::Borrowed(cause),
            Self::Forbidden(reason) => reason.to_string().into(),
            Self::CrossSite => "a form of the gateway was sent from another site".into(),
            Self::SignInFailed(error) => error.to_string().into(),
            Self::Forward(error) => with_causes(error).into(),
            Self::StoreUnavailable(error) => error.to_string().into(),
        }
    }
}

fn untolerated(what: PathExceptions) -> String {
    let words: Vec<_> = what.iter().map(|exception| format!("\"{}\"", exception.as_str())).collect();
    format!("ambiguous path; where the app needs it, set `tolerate = [{}]` on its route", words.join(", "))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl From<AuthenticationError> for Rejection {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Token(error) => Self::Token(error),
            AuthenticationError::Malformed(cause) => Self::UnreadableCredential(cause),
            AuthenticationError::Store(error) => Self::StoreUnavailable(error),
        }
    }
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
    AuthorityError => |error| Self::Malformed(error.to_string());
    ForwardingError => |error| Self::Malformed(error.to_string());
    PathError => |error| Self::Malformed(error.to_string());
    Exceeded => |exceeded| Self::Limited(exceeded);
    ForwardError => |error| Self::Forward(error);
    ProviderError => |error| Self::ProviderUnavailable(error.to_string());
    StoreUnavailable => |error| Self::StoreUnavailable(error);
    SignInError => |error| Self::SignInFailed(Box::new(error));
}
