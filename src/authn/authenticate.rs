//! Which credential a request carries, and whose it is.

use std::sync::Arc;

use http::HeaderMap;

use super::bearer::{BearerVerifier, Credential, TokenError, Verified, credential};
use crate::identity::Principal;
use crate::session::{CookieRead, Session, SessionCookie, SessionKey, Sessions, StoreUnavailable};

/// Which credentials are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    /// Session cookies.
    pub session: bool,
    /// `Authorization: Bearer`.
    pub bearer: bool,
}

/// What the credentials of a request came to. Absent, unusable and good are different things
/// (invariant 3).
#[derive(Clone, Debug)]
pub enum Authentication {
    /// No credential at all.
    Anonymous,
    /// A session cookie that opens nothing: ended, or malformed.
    Ended,
    /// A live session.
    Session(SessionKey, Arc<Session>),
    /// A good access token.
    Bearer(Arc<Verified>),
}

/// Why a credential is refused rather than ignored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The access token is no good, or cannot be judged now.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The `Authorization` header cannot be read in one way only.
    #[error("unreadable Authorization header: {0}")]
    Malformed(&'static str),
    /// The session store does not answer.
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

impl Authentication {
    /// Who it is, where it is somebody.
    #[must_use]
    pub fn principal(&self) -> Option<&Arc<Principal>> {
        match self {
            Self::Anonymous | Self::Ended => None,
            Self::Session(_, session) => Some(&session.principal),
            Self::Bearer(verified) => Some(&verified.principal),
        }
    }
}

/// Turns credentials into principals.
#[derive(Debug)]
pub struct Authenticator {
    sessions: Arc<Sessions>,
    cookie: SessionCookie,
    bearer: BearerVerifier,
}

impl Authenticator {
    /// Looks sessions up in `sessions` by `cookie`, and checks tokens with `bearer`.
    #[must_use]
    pub const fn new(sessions: Arc<Sessions>, cookie: SessionCookie, bearer: BearerVerifier) -> Self {
        Self { sessions, cookie, bearer }
    }

    /// Reads the credentials of a request. A bearer token, where it is accepted and there, decides alone:
    /// a bad one is never made good by a cookie beside it.
    ///
    /// # Errors
    /// Where a credential is refused, or cannot be judged now.
    pub async fn authenticate(
        &self,
        accept: Accept,
        headers: &HeaderMap,
    ) -> Result<Authentication, AuthenticationError> {
        if accept.bearer {
            match credential(headers) {
                Credential::Bearer(token) => return self.token(token).await,
                Credential::Malformed(reason) => return Err(AuthenticationError::Malformed(reason)),
                Credential::Absent | Credential::Other => {}
            }
        }
        if accept.session { self.session(headers).await } else { Ok(Authentication::Anonymous) }
    }

    async fn token(&self, token: &str) -> Result<Authentication, AuthenticationError> {
        if let Some(verified) = self.bearer.cached(token) {
            return Ok(Authentication::Bearer(verified));
        }
        Ok(Authentication::Bearer(self.bearer.verify(token).await?))
    }

    /// Reads the session cookie alone.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Authentication, AuthenticationError> {
        let key = match self.cookie.read(headers) {
            CookieRead::Absent => return Ok(Authentication::Anonymous),
            CookieRead::Malformed => return Ok(Authentication::Ended),
            CookieRead::Present(key) => key,
        };
        let session = match self.sessions.cached(&key) {
            Some(session) => Some(session),
            None => self.sessions.find(&key).await?,
        };
        Ok(session.map_or(Authentication::Ended, |session| Authentication::Session(key, session)))
    }
}
