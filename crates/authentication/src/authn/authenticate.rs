//! Which credential of a request decides, and whose it is.

use std::sync::Arc;

use http::HeaderMap;

use super::accept::{Accept, Accepted};
use super::authentication::{Authentication, AuthenticationError};
use super::bearer::{BearerVerifier, Verified};
use super::counters::Counters;
use super::error::TokenRefusal;
use super::presented::{Presented, names_issuer};
use super::request_view::RequestView;
use super::session_cookie::SessionCookies;
use crate::oidc::Providers;
use crate::session::{BoundCookie, SessionCookie, Sessions, StoreUnavailable};
use crate::telemetry::Metrics;

/// Turns credentials into principals. One for all workers; what it has seen before costs it no lock of ours and
/// no allocation.
#[derive(Debug)]
pub struct Authenticator {
    pub(super) cookies: SessionCookies,
    pub(super) bearer: BearerVerifier,
    providers: Providers,
    pub(super) counters: Counters,
    /// Tells this authenticator from those of other configurations: what one found out, no other takes for known.
    pub(super) itself: Arc<()>,
}

impl Authenticator {
    /// Looks sessions of `providers` up in `sessions` by `cookie`, and checks tokens with `bearer`. `bound`: the cookie that
    /// shows the device of a bound session, and whether browsers are told how to bind theirs.
    #[must_use]
    pub fn new(
        sessions: Sessions,
        cookie: SessionCookie,
        bound: (BoundCookie, bool),
        bearer: BearerVerifier,
        providers: Providers,
    ) -> Self {
        let cookies = SessionCookies::new(sessions, cookie, bound.0, bound.1, providers.clone());
        Self { cookies, bearer, providers, counters: Counters::default(), itself: Arc::default() }
    }

    /// Counts from now on in `metrics` what its caches answer and which tokens are good.
    #[must_use]
    pub fn counted_in(self, metrics: &Metrics) -> Self {
        Self { counters: Counters::of(metrics), ..self }
    }

    /// Reads the credentials of a request.
    ///
    /// An access token, where it is accepted and there, decides alone: a bad one is never made good by a cookie
    /// beside it. Only a token that none of our issuers made decides nothing where the session is good: it is meant
    /// for the app.
    ///
    /// # Errors
    /// Where a credential is refused, or cannot be judged now.
    pub async fn authenticate(
        &self,
        accept: Accept,
        request: &RequestView<'_>,
    ) -> Result<Authentication, AuthenticationError> {
        if let Some(token) = self.presented(accept, request.headers)? {
            let refusal = match self.verified(token.expose()).await {
                Ok((verified, is_known)) => {
                    let found = Authentication::of_token(&verified, token.into());
                    return Ok(if is_known { found } else { found.checked() });
                }
                Err(refusal) => refusal,
            };
            // Boxed, so that the futures of all requests do not carry the room for it.
            return match Box::pin(self.session_beside(accept, &token, request)).await? {
                Some(found) => Ok(found),
                None => Err(refusal.into()),
            };
        }
        if !accept.has(Accepted::Session) {
            return Ok(Authentication::Anonymous);
        }
        Ok(self.session(request.host(), request.headers).await?)
    }

    /// Reads the session cookie alone, of a request for `host` (lower-case, without port: cookies know no ports).
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn session(&self, host: &str, headers: &HeaderMap) -> Result<Authentication, StoreUnavailable> {
        self.cookies.authenticate(host, headers, &self.counters).await
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

    /// What counts in the place of a refused token: a good session, where the token is not ours. Browsers go on
    /// sending Basic to whatever once asked for it. Such a credential does not show that a program sent the
    /// request, so that the person may sign in.
    async fn session_beside(
        &self,
        accept: Accept,
        token: &Presented<'_>,
        request: &RequestView<'_>,
    ) -> Result<Option<Authentication>, StoreUnavailable> {
        let ours = || mutant!(self.is_ours(token.expose()), "bad-token-made-good" => false);
        if !accept.has(Accepted::Session) || matches!(token, Presented::Beside(_)) || ours() {
            return Ok(None);
        }
        let found = self.session(request.host(), request.headers).await?;
        let counts = found.principal().is_some() || matches!(token, Presented::Basic(_));
        Ok(counts.then_some(found))
    }

    /// Whether one of our issuers is said to have made it.
    fn is_ours(&self, token: &str) -> bool {
        names_issuer(token, |iss| self.providers.iter().any(|provider| provider.issuer().as_str() == iss))
    }

    /// What a good token says, and whether that was known before.
    async fn verified(&self, token: &str) -> Result<(Arc<Verified>, bool), TokenRefusal> {
        if let Some(verified) = self.counters.token.count(self.bearer.cached(token)) {
            return Ok((verified, true));
        }
        // Boxed, so that the futures of all requests do not carry the room for it.
        let verified = Box::pin(self.bearer.verify(token)).await?;
        self.counters.verified.inc();
        Ok((verified, false))
    }
}
