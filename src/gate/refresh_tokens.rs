//! Tokens of a session that have expired are refreshed, once, however many requests find them so (decision 6).
//!
//! What happens to a request depends on the access token that it finds in its session:
//! - More than 30 seconds are left, or no time is known: nothing.
//! - It is due and good: a refresh begins, and the request goes on beside it.
//! - It has expired: the request waits for the refresh, and reads the session anew. The session may have ended with
//!   it.
//! - Its provider has signalled that the claims have changed: the request waits for the refresh, and goes on with new claims
//!   or not at all. Where a refresh brings none, a new sign-in.
//! - It has expired, there is no refresh token, and the app is handed the token: a new sign-in.
//!
//! At most one refresh of a session family is under way, on whichever replica (`refresh_call.rs`). No expired token goes to an app. A provider that is away
//! ends no session.

use std::sync::Arc;
use std::time::Duration;

use super::inbound::RequestInfo;
use super::refresh_call::RefreshCall;
use super::rejection::Rejection;
use crate::authn::{Authentication, OpenedSession};
use crate::clock::{Clock, Timestamp};
use crate::endpoints::is_renewed_by_sign_in;
use crate::events::{Culprit, Recorder, TokensNotRefreshed};
use crate::identity::ProviderName;
use crate::oidc::{FlightError, Provider, Providers, RefreshFlights};
use crate::replicas::Leases;
use crate::session::{Possession, Session, SessionKey, Sessions};

/// Tokens are renewed so long before they expire, beside requests that have no need to wait.
const REFRESH_AHEAD: Duration = Duration::from_secs(30);

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// It brought new tokens, or the end of the session.
    Done,
    Failed,
}

/// Whose request it is, after the session's tokens were renewed where that was due and worked.
#[derive(Debug)]
pub(super) struct RenewedAuthentication {
    pub(super) authentication: Authentication,
    /// The provider that a new sign-in has to go to, where only that one can help.
    pub(super) sign_in_at: Option<ProviderName>,
}

impl From<Authentication> for RenewedAuthentication {
    fn from(authentication: Authentication) -> Self {
        Self { authentication, sign_in_at: None }
    }
}

/// Sessions whose tokens may be refreshed at the same time.
const MAX_FLIGHTS: usize = 10_000;

/// Refreshes on their way; a reload keeps them.
pub(super) type Flights = Arc<RefreshFlights<Renewal>>;

/// An empty table of refreshes. One that failed is not tried again until its back-off is over.
pub(super) fn flights() -> Flights {
    Arc::new(RefreshFlights::new(MAX_FLIGHTS).backing_off(|renewal| *renewal == Renewal::Failed))
}

/// Renews the tokens of sessions.
#[derive(Debug)]
pub(super) struct TokenRefresher {
    pub(super) providers: Providers,
    pub(super) sessions: Sessions,
    pub(super) clock: Clock,
    pub(super) flights: Flights,
    pub(super) leases: Leases,
    pub(super) recorder: Recorder,
}

impl TokenRefresher {
    /// Renews the tokens of a session where that is due: beside the request while they are good, before it where they
    /// have expired. A session whose person the provider no longer knows is over (invariant 8); where the provider is
    /// away, it goes on with what it has. No expired token goes to an app: `passes_token` tells whether this route's is
    /// handed one.
    pub(super) async fn refresh(
        &self,
        passes_token: bool,
        info: RequestInfo<'_>,
        found: Authentication,
    ) -> Result<RenewedAuthentication, Rejection> {
        let Some((OpenedSession { key, session }, shown)) = found.session_and_possession() else {
            return Ok(found.into());
        };
        let now = self.clock.now();
        if mutant!(session.has_stale_claims(), "old-claims-let-in" => false) {
            return self.renew_claims(info, key, session, shown).await;
        }
        if session.tokens.due().is_none_or(|due| now + REFRESH_AHEAD < due) {
            return Ok(found.into());
        }
        let expired = is_access_expired(session, now);
        if session.tokens.refresh.is_none() {
            return if mutant!(expired && passes_token, "no-silent-sign-in" => false) {
                sign_in_again(session, now)
            } else {
                Ok(found.into())
            };
        }
        if !expired {
            self.begin(info, key, session);
            return Ok(found.into());
        }
        let _ = self.wait(info, key, session).await;
        let Some(session) = self.sessions.find(key).await? else {
            return Ok(Authentication::Ended.into());
        };
        if mutant!(passes_token && is_access_expired(&session, now), "expired-token-to-the-app" => false) {
            return Err(unusable(&session, "the session's token has expired and could not be refreshed"));
        }
        Ok(Authentication::of_session(key.clone(), session, shown).into())
    }

    /// Lets nobody through by claims that are known not to hold any more.
    async fn renew_claims(
        &self,
        info: RequestInfo<'_>,
        key: &SessionKey,
        session: &Arc<Session>,
        shown: Possession,
    ) -> Result<RenewedAuthentication, Rejection> {
        // A new sign-in is needed anyway, and brings new claims.
        if session.step_up_since().is_some() {
            return Ok(Authentication::of_session(key.clone(), Arc::clone(session), shown).into());
        }
        if session.tokens.refresh.is_some() {
            let renewal = self.wait(info, key, session).await;
            let Some(session) = self.sessions.find(key).await? else {
                return Ok(Authentication::Ended.into());
            };
            if !session.has_stale_claims() {
                return Ok(Authentication::of_session(key.clone(), session, shown).into());
            }
            // One that has ended well a moment ago need not have brought claims: then the provider is asked another way.
            if !matches!(renewal, Some(Ok(Renewal::Done) | Err(FlightError::Recent))) {
                return Err(unusable(&session, "the claims have changed and could not be renewed"));
            }
        }
        let sign_in_at = Some(session.principal.provider.clone());
        Ok(RenewedAuthentication { authentication: Authentication::Ended, sign_in_at })
    }

    fn begin(&self, info: RequestInfo<'_>, key: &SessionKey, session: &Arc<Session>) {
        let Some((flight, provider)) = self.flight(session) else { return };
        if let Err(error) =
            self.flights.begin(flight, || self.call(flight, provider, info, (key, session)).run())
        {
            self.report(info, session, error);
        }
    }

    /// What became of the refresh; `None` where there is nobody to ask.
    async fn wait(
        &self,
        info: RequestInfo<'_>,
        key: &SessionKey,
        session: &Arc<Session>,
    ) -> Option<Result<Renewal, FlightError>> {
        let (flight, provider) = self.flight(session)?;
        let done =
            self.flights.join(flight, || self.call(flight, provider, info, (key, session)).run()).await;
        Some(done.inspect_err(|error| self.report(info, session, *error)))
    }

    /// The key of a session's refresh, its family; and the provider that is called. `None` where the provider has left the
    /// configuration.
    fn flight(&self, session: &Session) -> Option<([u8; 32], Arc<Provider>)> {
        let provider = self.providers.get(session.principal.provider.as_str())?;
        Some((*session.family().as_bytes(), Arc::clone(provider)))
    }

    /// The call that is made. Only where none is on its way: everybody who finds a token due passes here.
    fn call(
        &self,
        flight: [u8; 32],
        provider: Arc<Provider>,
        info: RequestInfo<'_>,
        (key, session): (&SessionKey, &Arc<Session>),
    ) -> RefreshCall {
        RefreshCall {
            caller: info.owned_caller(),
            recorder: self.recorder.clone(),
            provider,
            sessions: self.sessions.clone(),
            leases: self.leases.clone(),
            key: key.clone(),
            session: Arc::clone(session),
            rest: self.flights.rest_if_failed(&flight),
        }
    }

    fn report(&self, info: RequestInfo<'_>, session: &Session, error: FlightError) {
        match error {
            // One has ended a moment ago, and has told how.
            FlightError::Recent | FlightError::Failed => tracing::debug!(%error, "tokens were not refreshed"),
            FlightError::Full | FlightError::Lost => {
                self.recorder.emit(&TokensNotRefreshed {
                    caller: Some(&info.owned_caller()),
                    who: &session.principal,
                    session: session.family().first_bytes(),
                    culprit: Culprit::Gateway,
                    reason: &error.to_string(),
                    took: None,
                });
            }
        }
    }
}

/// Whether the access token is one that no app would take any more.
fn is_access_expired(session: &Session, now: Timestamp) -> bool {
    session.tokens.access_expires.is_some_and(|at| now >= at)
}

/// A token that only a new sign-in can renew: a person is sent to the provider, which mostly remembers them, and
/// comes back without having seen a page; a program is told to sign in.
fn sign_in_again(session: &Session, now: Timestamp) -> Result<RenewedAuthentication, Rejection> {
    if !is_renewed_by_sign_in(session, now) {
        return Err(unusable(session, "the session's token had expired as good as at once"));
    }
    let sign_in_at = Some(session.principal.provider.clone());
    Ok(RenewedAuthentication { authentication: Authentication::Ended, sign_in_at })
}

fn unusable(session: &Session, reason: &str) -> Rejection {
    Rejection::ProviderUnavailable { provider: session.principal.provider.clone(), reason: reason.to_owned() }
}
