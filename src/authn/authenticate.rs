//! Which credential a request carries, and whose it is.

use std::sync::Arc;

use http::HeaderMap;

use super::bearer::CachedToken;
use super::lookups::Lookups;
use super::presented::{Presented, names_issuer};
use super::{BearerVerifier, Carrier, TokenRefusal, Verified};
use crate::identity::Principal;
use crate::oidc::Providers;
use crate::session::{
    CachedSession, CookieRead, Session, SessionCookie, SessionKey, Sessions, StoreUnavailable, Tokens,
};
use crate::telemetry::Metrics;

/// Which credentials a route looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    /// Session cookies; without it nobody is redirected to sign in.
    pub session: bool,
    /// Access tokens as `Authorization: Bearer`.
    pub bearer: bool,
    /// Access tokens as the password of `Authorization: Basic`.
    pub basic: bool,
}

impl Accept {
    /// Whether access tokens let anybody in.
    #[must_use]
    pub const fn tokens(self) -> bool {
        self.bearer || self.basic
    }
}

/// What the credentials of a request came to. Absent, unusable and good are different things
/// (invariant 3).
#[derive(Clone, Debug)]
pub enum Authentication {
    /// No credential at all.
    Anonymous,
    /// A session cookie that opens nothing here: ended, malformed, made for another host, or of a provider
    /// that is none any more.
    Ended,
    /// A live session.
    Session(SessionKey, Arc<Session>),
    /// A good access token, and by which field it came.
    Bearer(Arc<Verified>, Carrier),
}

/// Why a credential is refused rather than ignored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The access token, or the field that carries it, is no good, or cannot be judged now;
    /// [`TokenError::code`](super::TokenError::code) tells which.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
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
            Self::Bearer(verified, _) => Some(&verified.principal),
        }
    }

    /// The provider's tokens of a session; a bearer token is in the request itself.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Session(_, session) => Some(&session.tokens),
            Self::Anonymous | Self::Ended | Self::Bearer(..) => None,
        }
    }

    /// By which field the access token came that it is.
    #[must_use]
    pub const fn carrier(&self) -> Option<&Carrier> {
        match self {
            Self::Bearer(_, carrier) => Some(carrier),
            Self::Anonymous | Self::Ended | Self::Session(..) => None,
        }
    }
}

/// Turns credentials into principals. One for all workers; what it has seen before costs it no lock of ours and
/// no allocation.
#[derive(Debug)]
pub struct Authenticator {
    sessions: Sessions,
    cookie: SessionCookie,
    bearer: BearerVerifier,
    providers: Providers,
    lookups: Lookups,
    /// Tells it from those of other configurations.
    pub(super) itself: Arc<()>,
}

impl Authenticator {
    /// Looks sessions of `providers` up in `sessions` by `cookie`, and checks tokens with `bearer`.
    #[must_use]
    pub fn new(
        sessions: Sessions,
        cookie: SessionCookie,
        bearer: BearerVerifier,
        providers: Providers,
    ) -> Self {
        Self { sessions, cookie, bearer, providers, lookups: Lookups::default(), itself: Arc::default() }
    }

    /// Counts from now on in `metrics` what its caches answer and which tokens are good.
    #[must_use]
    pub fn counted_in(self, metrics: &Metrics) -> Self {
        Self { lookups: Lookups::of(metrics), ..self }
    }

    /// Reads the credentials of a request for `host` (lower-case, without port: cookies know no ports).
    /// An access token, where it is accepted and there, decides alone: a bad one is never made good by a
    /// cookie beside it. One that is none of ours is the app's where a session is good, and decides nothing.
    ///
    /// # Errors
    /// Where a credential is refused, or cannot be judged now.
    pub async fn authenticate(
        &self,
        accept: Accept,
        host: &str,
        headers: &HeaderMap,
    ) -> Result<Authentication, AuthenticationError> {
        if let Some(token) = self.presented(accept, headers)? {
            let refusal = match self.bearer(token.expose()).await {
                Ok(verified) => return Ok(Authentication::Bearer(verified, token.into())),
                Err(refusal) => refusal,
            };
            // Boxed, so that the futures of all requests do not carry the room for it.
            return match Box::pin(self.session_beside(accept, &token, host, headers)).await? {
                Some(found) => Ok(found),
                None => Err(refusal.into()),
            };
        }
        if accept.session { Ok(self.session(host, headers).await?) } else { Ok(Authentication::Anonymous) }
    }

    fn presented<'a>(
        &self,
        accept: Accept,
        headers: &'a HeaderMap,
    ) -> Result<Option<Presented<'a>>, AuthenticationError> {
        if !accept.tokens() {
            return Ok(None);
        }
        let presented = Presented::read(accept, headers, |token| self.is_ours(token));
        presented.map_err(|error| TokenRefusal::from(error).into())
    }

    /// What counts in the place of a refused token: a good session, where the token is not ours. Browsers send Basic
    /// by themselves, for whatever once asked for it: that is nobody's word, and its sender may sign in.
    async fn session_beside(
        &self,
        accept: Accept,
        token: &Presented<'_>,
        host: &str,
        headers: &HeaderMap,
    ) -> Result<Option<Authentication>, StoreUnavailable> {
        let ours = || mutant!(self.is_ours(token.expose()), "bad-token-made-good" => false);
        if !accept.session || matches!(token, Presented::Beside(_)) || ours() {
            return Ok(None);
        }
        let found = self.session(host, headers).await?;
        let counts = found.principal().is_some() || matches!(token, Presented::Basic(_));
        Ok(counts.then_some(found))
    }

    /// Whether one of our issuers is said to have made it.
    fn is_ours(&self, token: &str) -> bool {
        names_issuer(token, |iss| self.providers.iter().any(|provider| provider.issuer().as_str() == iss))
    }

    /// Reads the session cookie alone.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn session(&self, host: &str, headers: &HeaderMap) -> Result<Authentication, StoreUnavailable> {
        let key = match self.cookie.read(headers) {
            None => return Ok(Authentication::Anonymous),
            Some(CookieRead::Malformed) => {
                return Ok(
                    mutant!(Authentication::Ended, "malformed-cookie-is-none" => Authentication::Anonymous),
                );
            }
            Some(CookieRead::Key(key)) => key,
        };
        let session = match self.lookups.session.count(self.sessions.cached(&key)) {
            Some(session) => Some(session),
            None => Box::pin(self.sessions.find(&key)).await?,
        };
        Ok(self.opened(key, session, host))
    }

    /// Whose the token was, where that still is right.
    pub(super) fn recall_token(&self, token: &CachedToken) -> Option<Authentication> {
        let verified = self.bearer.recall(token)?;
        Some(Authentication::Bearer(self.lookups.token.count(Some(verified))?, Carrier::Bearer))
    }

    /// Whose the session was, where it has not changed since.
    pub(super) fn recall_session(
        &self,
        key: SessionKey,
        session: &CachedSession,
        host: &str,
    ) -> Option<Authentication> {
        let session = self.sessions.recall(session)?;
        Some(self.opened(key, self.lookups.session.count(Some(session)), host))
    }

    pub(super) fn remembered(&self, token: &str) -> Option<CachedToken> {
        self.bearer.remembered(token)
    }

    pub(super) fn recalled(&self, key: &SessionKey) -> Option<CachedSession> {
        self.sessions.recalled(key)
    }

    fn opened(&self, key: SessionKey, session: Option<Arc<Session>>, host: &str) -> Authentication {
        let opened = session.filter(|session| self.opens(session, host));
        opened.map_or(Authentication::Ended, |session| Authentication::Session(key, session))
    }

    /// No browser sends a `__Host-` cookie to another host: a key that turns up there was carried
    /// (invariant 7). And nobody vouches for people of a provider that has left the configuration, or whose
    /// name now means another issuer (invariant 8).
    fn opens(&self, session: &Session, host: &str) -> bool {
        let Principal { provider, issuer, .. } = &*session.principal;
        let vouched = self.providers.get(provider.as_str()).is_some_and(
            |known| mutant!(known.issuer() == issuer, "session-of-a-provider-that-left" => true),
        );
        let here = mutant!(session.belongs_to(host), "session-on-another-host" => true);
        if !here {
            tracing::warn!(session = %session.id, made_for = session.host, "a session key came to another host");
        }
        here && vouched
    }

    async fn bearer(&self, token: &str) -> Result<Arc<Verified>, TokenRefusal> {
        if let Some(verified) = self.lookups.token.count(self.bearer.cached(token)) {
            return Ok(verified);
        }
        // Boxed, so that the futures of all requests do not carry the room for it.
        let verified = Box::pin(self.bearer.verify(token)).await?;
        self.lookups.verified.inc();
        Ok(verified)
    }
}
