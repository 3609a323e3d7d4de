//! The session cookie as a credential.

use std::sync::Arc;

use http::HeaderMap;

use super::authentication::{Authentication, OpenedSession, UnshownSession};
use super::counters::Counters;
use crate::identity::Principal;
use crate::oidc::Providers;
use crate::session::{
    BoundCookie, CachedSession, CookieRead, Possession, Session, SessionCookie, SessionKey, Sessions,
    StoreUnavailable,
};

/// Looks sessions up by their cookie.
#[derive(Debug)]
pub(super) struct SessionCookies {
    sessions: Sessions,
    cookie: SessionCookie,
    bound: BoundCookie,
    /// Whether browsers are told how to bind their sessions.
    offers_binding: bool,
    /// Whose people still are somebody.
    providers: Providers,
}

impl SessionCookies {
    pub(super) const fn new(
        sessions: Sessions,
        cookie: SessionCookie,
        bound: BoundCookie,
        offers_binding: bool,
        providers: Providers,
    ) -> Self {
        Self { sessions, cookie, bound, offers_binding, providers }
    }

    /// Whose session a request for `host` brings.
    pub(super) async fn authenticate(
        &self,
        host: &str,
        headers: &HeaderMap,
        counters: &Counters,
    ) -> Result<Authentication, StoreUnavailable> {
        let key = match self.cookie.read(headers) {
            None => return Ok(Authentication::Anonymous),
            Some(CookieRead::Malformed) => {
                return Ok(
                    mutant!(Authentication::Ended, "malformed-cookie-is-none" => Authentication::Anonymous),
                );
            }
            Some(CookieRead::Key(key)) => key,
        };
        let session = match counters.session.count(self.sessions.cached(&key)) {
            Some(session) => Some(session),
            // Boxed, so that the futures of all requests do not carry the room for it.
            None => Box::pin(self.sessions.find(&key)).await?,
        };
        Ok(self.opened(key, session, host, headers))
    }

    /// Whose the session of `key` is now, for an exchange that it let in: no use of it. What that showed of the device
    /// stays shown: a browser shows it with requests alone.
    pub(super) async fn present(
        &self,
        key: &SessionKey,
        host: &str,
        shown: Possession,
    ) -> Result<Authentication, StoreUnavailable> {
        let session = self.sessions.present(key).await?.filter(|session| self.opens(session, host));
        Ok(session.map_or(Authentication::Ended, |session| {
            let shown = session.shown_at_its_beginning(shown);
            Authentication::of_session(key.clone(), session, shown)
        }))
    }

    /// What a connection may remember of the session of `key`.
    pub(super) fn recalled(&self, key: &SessionKey) -> Option<CachedSession> {
        self.sessions.recalled(key)
    }

    /// Whose the session was, where it has not changed since, and the same cookies still show its device.
    pub(super) fn recall(
        &self,
        key: SessionKey,
        (session, shown): (&CachedSession, Possession),
        host: &str,
        counters: &Counters,
    ) -> Option<Authentication> {
        let session = self.sessions.recall(session)?;
        let shown = session.still(shown)?;
        let session = counters.session.count(Some(session)).filter(|session| self.opens(session, host));
        let opened = |session| Authentication::of_session(key, session, shown);
        Some(session.map_or(Authentication::Ended, opened))
    }

    fn opened(
        &self,
        key: SessionKey,
        session: Option<Arc<Session>>,
        host: &str,
        headers: &HeaderMap,
    ) -> Authentication {
        let Some(session) = session.filter(|session| self.opens(session, host)) else {
            return Authentication::Ended;
        };
        match session.possession(&self.bound, headers, self.offers_binding) {
            Ok(shown) => Authentication::of_session(key, session, shown),
            Err(fault) => {
                Authentication::Unshown(UnshownSession { opened: OpenedSession { key, session }, fault })
            }
        }
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
}
