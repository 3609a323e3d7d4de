//! Why a request does not go on. What each of them means to the client is said in `respond` and `statuses` alone.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request};

use super::ambiguous::{Ambiguous, untolerated};
use super::credential_end::CredentialEnd;
use super::destination_error::DestinationError;
use super::review::Unpermitted;
use crate::authn::{
    Accept, Accepted, Authenticated, AuthenticationError, ErrorCode, TokenError, TokenRefusal, UnshownSession,
};
use crate::endpoints::{FailedSignIn, LostSignIn, UnavailableProvider, UnmetStepUp};
use crate::forward::{ForwardBlame, ForwardError, ForwardFault};
use crate::identity::{Principal, ProviderName, Strength};
use crate::limit::Exceeded;
use crate::listener::RequestBody;
use crate::oidc::{self, SignInError};
use crate::policy::{Access, Reason};
use crate::request::{AuthorityError, FieldNameError, ForwardingError, PathError, PathExceptions};
use crate::session::{BindingScope, BoundCookieFault, SessionError, StoreUnavailable};
use crate::telemetry::{Outcome, with_causes};

/// Why a step of the path refuses a request, with all that its answer needs.
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
    /// A sink that nothing may go without has no room for what it would leave.
    Unrecorded,
    /// Over a rate.
    Limited(Exceeded),
    /// As many requests as the route allows at once are under way.
    Busy,
    /// Nobody is signed in; where a browser may be sent to sign in, where to come back to.
    SignIn(Option<Box<InterruptedRequest>>),
    /// Whoever asks has signed in, and not as strongly as is asked; where a browser may be sent to sign in anew, where to
    /// come back to.
    StepUp(Box<StepUp>, Option<Box<InterruptedRequest>>),
    /// An access token is no good, or cannot be judged now.
    Token(TokenRefusal),
    /// The credential ended while the answer was waited for.
    CredentialEnded(CredentialEnd),
    /// It would not be let in any more, while the answer was waited for.
    NoLongerPermitted(Box<Unpermitted>),
    /// The policy refuses it.
    Forbidden(Box<Forbidden>),
    /// Its session is not bound to its device, and has to be.
    NotBound,
    /// Its browser may be about to bind its session, and the decision hangs on that.
    BindingAwaited,
    /// It may not put anything where it says.
    Destination(Box<DestinationError>),
    /// A form of ours that another site sent (invariant 18).
    CrossSite,
    /// The sign-in came to nothing.
    SignInFailed(Box<FailedSignIn>),
    /// The sign-in that was to be a stronger one is none.
    UnmetStepUp(Box<UnmetStepUp>),
    /// A sign-in that this browser did not begin, or that took too long.
    LostSignIn(Box<LostSignIn>),
    /// The upstream failed, or the request was too large for it.
    Forward(ForwardError),
    /// A provider is away.
    ProviderUnavailable {
        /// Its name in the configuration.
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

/// A request that the policy refuses, whoever sends it or signs in.
#[derive(Debug)]
pub(super) struct Forbidden {
    /// Who sent it, where that is known.
    pub(super) principal: Option<Arc<Principal>>,
    /// Whose rules refuse it.
    pub(super) access: Arc<Access>,
    /// The access setting or the rule that decided.
    pub(super) reason: Reason,
    /// The scopes that an access token would need, where it is only for those.
    pub(super) scopes: Option<String>,
    /// Whether it came by a session that is bound to its device.
    pub(super) bound: Option<bool>,
}

/// A request whose sender may sign in and come back.
#[derive(Debug)]
pub(super) struct InterruptedRequest {
    /// The request itself: its body may be a form to keep.
    pub(super) request: Request<RequestBody>,
    /// The provider to go to, where it must be that one.
    pub(super) provider: Option<ProviderName>,
    /// How strong the sign-in must be.
    pub(super) strength: Strength,
    /// Whether there must be one though there is a session that is strong enough.
    pub(super) anew: bool,
    /// Whether the browser may show the device of its session yet, once a bound cookie that is none is gone.
    pub(super) may_show_device: bool,
}

/// A sign-in that whoever asks has to make in place of theirs.
#[derive(Debug)]
pub(super) struct StepUp {
    /// How strong it must be.
    pub(super) strength: Strength,
    /// What asks for it, for the log.
    why: String,
    /// The provider to go to, where there is a session that a browser may replace.
    provider: Option<ProviderName>,
    /// Whether it is any new sign-in that is asked for, rather than one of this strength.
    anew: bool,
    /// What the bound cookie is set for that shows nothing and is there all the same. While it is, the browser renews none.
    wrong_cookie: Option<BindingScope>,
}

impl StepUp {
    /// One that `why` asks for.
    pub(super) fn new(strength: Strength, why: impl ToString, somebody: Option<&Authenticated>) -> Self {
        let session = somebody.filter(|somebody| somebody.session.is_some());
        let provider = session.map(|somebody| somebody.principal.provider.clone());
        Self { strength, why: why.to_string(), provider, anew: false, wrong_cookie: None }
    }

    /// A new sign-in, whatever the one before was. A program is told so by the only word that there is for it: `max_age=0`
    /// (RFC 9470, section 3).
    pub(super) fn anew(why: impl ToString, somebody: Option<&Authenticated>) -> Self {
        let now = Strength { max_age: Some(Duration::ZERO), ..Strength::default() };
        Self { anew: true, ..Self::new(now, why, somebody) }
    }
}

impl StepUp {
    /// What asks for it.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// One that a session needs of whose device the request shows nothing. What the browser says of why is told, and counts
    /// for nothing: anybody can write it.
    pub(super) fn to_show_device(unshown: &UnshownSession, headers: Option<&HeaderMap>) -> Self {
        let said = headers.and_then(|headers| headers.get("secure-session-skipped"));
        let said = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
        let known = SKIPPED.into_iter().find(|reason| said.contains(reason));
        let said = known.map(|reason| format!("; the browser says {reason}")).unwrap_or_default();
        let why = format!("the session is bound to its device, and {}{said}", unshown.fault);
        let session = &unshown.opened.session;
        let provider = Some(session.principal.provider.clone());
        let strength = Strength::default().and_after(session.step_up_since());
        let is_there = unshown.fault != BoundCookieFault::Missing;
        let wrong_cookie = session.binding().filter(|_| is_there).map(|binding| binding.scope.clone());
        Self { strength, why, provider, anew: false, wrong_cookie }
    }
}

/// Why a browser sends no bound cookie (Device Bound Session Credentials, section 9.5).
const SKIPPED: [&str; 3] = ["unreachable", "server_error", "quota_exceeded"];

impl Rejection {
    /// Whether the request had been let through before: its app may have received it.
    pub(super) const fn comes_from_behind(&self) -> bool {
        matches!(self, Self::Forward(_) | Self::CredentialEnded(_) | Self::NoLongerPermitted(_))
    }

    /// A stronger sign-in is needed; its sender may come back, if they have a session.
    pub(super) fn step_up(step_up: Box<StepUp>, request: Request<RequestBody>) -> Self {
        let (anew, may_show_device) = (step_up.anew, step_up.wrong_cookie.is_some());
        // How long ago a new sign-in was is not asked: there are providers that do not say.
        let strength = if anew { Strength::default() } else { step_up.strength.clone() };
        let interrupted = |provider| {
            let provider = Some(provider);
            InterruptedRequest { request, provider, strength, anew, may_show_device }
        };
        let interrupted = step_up.provider.clone().map(interrupted).map(Box::new);
        Self::StepUp(step_up, interrupted)
    }

    /// Nobody is signed in; its sender may come back, if the route signs people in.
    pub(super) fn sign_in(
        accept: Accept,
        provider: Option<ProviderName>,
        strength: Strength,
        request: Request<RequestBody>,
    ) -> Self {
        let signs_in = accept.has(Accepted::Session);
        let (anew, may_show_device) = (false, false);
        let interrupted = || InterruptedRequest { request, provider, strength, anew, may_show_device };
        Self::SignIn(signs_in.then(|| Box::new(interrupted())))
    }

    /// What the bound cookie is set for that is to go, for the browser to have another.
    pub(super) fn wrong_cookie(&self) -> Option<&BindingScope> {
        let Self::StepUp(step_up, _) = self else { return None };
        step_up.wrong_cookie.as_ref()
    }

    /// How metrics and the log call it.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Malformed(_) | Self::UriTooLong(_) | Self::Untolerated(_) | Self::LostSignIn(_) => {
                Outcome::BadRequest
            }
            Self::UnknownHost | Self::UnknownPath | Self::MethodNotAllowed(_) => Outcome::NotFound,
            Self::Limited(_) | Self::Busy => Outcome::Limited,
            Self::Token(error) => of_token(error.error),
            Self::SignIn(_) | Self::StepUp(..) | Self::CredentialEnded(_) => Outcome::Unauthenticated,
            Self::NoLongerPermitted(no) => no.rejection.outcome(),
            Self::SignInFailed(failed) => of_sign_in(&failed.error),
            Self::SignInUnavailable(_) | Self::ProviderUnavailable { .. } => Outcome::ProviderError,
            Self::Destination(error) if !error.is_forbidden() => Outcome::BadRequest,
            Self::Forbidden(_)
            | Self::NotBound
            | Self::BindingAwaited
            | Self::UnmetStepUp(_)
            | Self::CrossSite
            | Self::Destination(_) => Outcome::Forbidden,
            Self::Forward(error) => of_upstream(error),
            Self::Unrecorded | Self::StoreUnavailable(_) | Self::Internal(_) => Outcome::Unavailable,
        }
    }

    /// The exact reason, for the log and nobody else.
    pub(super) fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed(ambiguous) => ambiguous.what.clone().into(),
            Self::UriTooLong(cause) | Self::StoreUnavailable(cause) => cause.clone().into(),
            Self::LostSignIn(lost) => lost.to_string().into(),
            Self::StepUp(step_up, _) => step_up.why.clone().into(),
            Self::UnmetStepUp(unmet) => unmet.to_string().into(),
            Self::ProviderUnavailable { provider, reason } => format!("provider {provider}: {reason}").into(),
            Self::SignInUnavailable(away) => away.to_string().into(),
            Self::Untolerated(what) => untolerated(*what).into(),
            Self::UnknownHost => "no route claims this host".into(),
            Self::UnknownPath => "no route of this host claims this path".into(),
            Self::MethodNotAllowed(_) => "the route does not take this method".into(),
            Self::Unrecorded => "a sink that is `required` has no room for what it would leave".into(),
            Self::Limited(exceeded) => exceeded.to_string().into(),
            Self::Busy => "as many requests as the route's `concurrency` allows are under way".into(),
            Self::SignIn(_) => "nobody is signed in".into(),
            Self::Token(error) => error.to_string().into(),
            Self::CredentialEnded(end) => format!("cut off before there was an answer: {end}").into(),
            Self::NoLongerPermitted(no) => format!("cut off before there was an answer: {no}").into(),
            Self::Internal(cause) => Cow::Borrowed(cause),
            Self::Forbidden(no) => no.reason.in_words(&no.access).to_string().into(),
            Self::Destination(error) => error.to_string().into(),
            Self::NotBound => {
                "the session is not bound to its device, which `session.bind = \"required\"` asks for".into()
            }
            Self::BindingAwaited => {
                "the browser may be about to bind the session, and the decision hangs on that".into()
            }
            Self::CrossSite => "a page of another host made the browser send it".into(),
            Self::SignInFailed(failed) => failed.to_string().into(),
            Self::Forward(error) => forward_reason(error).into(),
        }
    }
}

/// Counts a failed sign-in by who is to blame: a person can do nothing about a fault of the provider, nor about one
/// of our registration there.
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
        Some(
            ErrorCode::InvalidRequest | ErrorCode::InvalidToken | ErrorCode::InsufficientUserAuthentication,
        ) => Outcome::Unauthenticated,
    }
}

fn of_upstream(error: &ForwardError) -> Outcome {
    match error.blame() {
        // A client whose body breaks off has left.
        ForwardBlame::Client if error.fault() == ForwardFault::ClientBody => Outcome::Aborted,
        ForwardBlame::Client => Outcome::BadRequest,
        ForwardBlame::Upstream => Outcome::UpstreamError,
        ForwardBlame::Us => Outcome::Unavailable,
    }
}

fn forward_reason(error: &ForwardError) -> String {
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
    AuthenticationError => |error| match error {
        AuthenticationError::Token(refusal) => Self::Token(refusal),
        AuthenticationError::Store(error) => Self::StoreUnavailable(error.to_string()),
    };
    SessionError => |error| Self::StoreUnavailable(error.to_string());
}
