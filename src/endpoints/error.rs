//! Why an endpoint refuses a request. What each of them means to the client is said in the gate alone.

use std::fmt;

use http::{HeaderName, HeaderValue};

use crate::identity::{ProviderName, Shortfall};
use crate::oidc::SignInError;
use crate::session::{SessionError, StoreUnavailable};
use crate::telemetry::with_causes;

/// A refusal; its text is the exact reason, for the log and nobody else.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// There is no endpoint of this path, or not on this host.
    #[error("there is no such endpoint on this host")]
    NotFound,
    /// A form of ours that another site sent (invariant 18).
    #[error("a page of another host made the browser send it")]
    CrossSite,
    /// The sign-in came to nothing.
    #[error("{0}")]
    SignInFailed(Box<FailedSignIn>),
    /// A sign-in that is good, and not as strong as was asked.
    #[error("{0}")]
    UnmetStepUp(Box<UnmetStepUp>),
    /// A sign-in that this browser did not begin, or that took too long.
    #[error("{0}")]
    LostSignIn(Box<LostSignIn>),
    /// A provider is away while somebody wants to sign in with it.
    #[error("{0}")]
    ProviderUnavailable(Box<UnavailableProvider>),
    /// The session store does not answer.
    #[error("{0}")]
    StoreUnavailable(String),
    /// We are at fault.
    #[error("{0}")]
    Internal(&'static str),
}

/// A sign-in that came to nothing, and is over: its browser forgets it.
#[derive(Debug)]
pub struct FailedSignIn {
    /// What went wrong, and who is at fault.
    pub error: SignInError,
    /// Where the same sign-in begins again.
    pub retry: String,
    /// Where it begins for somebody else.
    pub anew: String,
    /// Other providers: what each is called, and where a sign-in with it begins.
    pub others: Vec<(String, String)>,
    /// `Set-Cookie` that takes the flow away (invariant 6).
    pub forget: HeaderValue,
}

/// A sign-in that is good, and not as strong as was asked.
#[derive(Debug)]
pub struct UnmetStepUp {
    /// Who was asked, by its name in the configuration.
    pub provider: ProviderName,
    /// What was asked for, and what came.
    pub shortfall: Vec<Shortfall>,
    /// Where the person wanted to go: its rules ask again.
    pub retry: String,
    /// Where a sign-in begins for somebody else.
    pub anew: String,
    /// `Set-Cookie` values: the flow is over (invariant 6), and whoever signed in as another than before has a session.
    pub cookies: Vec<HeaderValue>,
    /// How the browser binds that session to its device.
    pub offer: Option<(HeaderName, HeaderValue)>,
}

/// A sign-in that came back and is not known any more.
#[derive(Debug)]
pub struct LostSignIn {
    /// Why not, for the log.
    pub reason: String,
    /// Where the browser is sent, where it need not ask the person.
    pub redirect: Option<String>,
    /// Where it is begun again.
    pub retry: Option<String>,
}

/// A provider that is away while somebody wants to sign in with it.
#[derive(Debug)]
pub struct UnavailableProvider {
    /// Its name in the configuration.
    pub provider: ProviderName,
    /// Why, for the log.
    pub reason: String,
    /// Other providers: what each is called, and where a sign-in with it begins.
    pub others: Vec<(String, String)>,
}

impl EndpointError {
    /// The same with what tells the browser how to bind the session that it is given.
    pub(super) fn with_offer(mut self, offer: Option<(HeaderName, HeaderValue)>) -> Self {
        if let Self::UnmetStepUp(unmet) = &mut self {
            unmet.offer = offer;
        }
        self
    }

    /// A sign-in that is not known, and of which nothing else is known either.
    pub(super) fn lost(reason: &str) -> Self {
        Self::LostSignIn(Box::new(LostSignIn { reason: reason.to_owned(), redirect: None, retry: None }))
    }
}

impl fmt::Display for FailedSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_causes(&self.error))
    }
}

impl fmt::Display for UnmetStepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider {} did not give what was asked", self.provider)?;
        self.shortfall
            .iter()
            .try_for_each(|Shortfall { wanted, found }| write!(f, "; wanted {wanted}, found {found}"))
    }
}

impl fmt::Display for LostSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Display for UnavailableProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider {}: {}", self.provider, self.reason)
    }
}

impl From<StoreUnavailable> for EndpointError {
    fn from(error: StoreUnavailable) -> Self {
        Self::StoreUnavailable(error.to_string())
    }
}

impl From<SessionError> for EndpointError {
    /// What has ended meanwhile is nobody's fault: the person signs in once more.
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Unavailable(error) => error.into(),
            SessionError::Ended => Self::lost("its sessions were ended while the sign-in was under way"),
        }
    }
}
