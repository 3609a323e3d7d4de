//! Tokens of a session that have expired are refreshed, once, however many requests find them so
//! (decision 6).

use std::sync::Arc;
use std::time::Duration;

use super::house::House;
use super::rejection::Rejection;
use super::route::Route;
use crate::authn::Authentication;
use crate::oidc::{FlightError, Provider};
use crate::session::{Session, SessionEnd, SessionKey, Sessions};

/// An access token is renewed so long before it expires.
const AHEAD: Duration = Duration::from_secs(30);

/// Renews the tokens of a session where that is due. A session whose person the provider no longer
/// knows is over (invariant 8); where the provider is away, it goes on with what it has.
pub(super) async fn freshen(
    house: &House,
    route: &Route,
    found: Authentication,
) -> Result<Authentication, Rejection> {
    let Authentication::Session(key, session) = &found else { return Ok(found) };
    if !expires_within(house, session, AHEAD) || session.tokens.refresh.is_none() {
        return Ok(found);
    }
    refresh(house, key, session).await;
    let Some(session) = house.foundations.sessions.find(key).await? else { return Ok(Authentication::Ended) };
    if route.passes_token() && expires_within(house, &session, Duration::ZERO) {
        let reason = "the session's token has expired and could not be refreshed";
        return Err(Rejection::ProviderUnavailable {
            provider: session.principal.provider.clone(),
            reason: reason.into(),
        });
    }
    Ok(Authentication::Session(key.clone(), session))
}

fn expires_within(house: &House, session: &Session, span: Duration) -> bool {
    session.tokens.access_expires.is_some_and(|at| house.foundations.clock.now() + span >= at)
}

async fn refresh(house: &House, key: &SessionKey, session: &Session) {
    let Some(provider) = house.providers.get(session.principal.provider.as_str()).map(Arc::clone) else {
        return;
    };
    let (sessions, key) = (house.foundations.sessions.clone(), key.clone());
    let flight = *session.family().as_bytes();
    let flight = house.foundations.refreshes.join(flight, move || call(provider, sessions, key));
    match flight.await {
        Ok(()) => {}
        // The one before has failed a moment ago, and has said so.
        Err(error @ FlightError::Recent) => tracing::debug!(%error, "tokens were not refreshed"),
        Err(error) => tracing::warn!(%error, "tokens could not be refreshed"),
    }
}

/// Reads the session anew: the flight before this one may have renewed it since.
async fn call(provider: Arc<Provider>, sessions: Sessions, key: SessionKey) {
    let Ok(Some(session)) = sessions.find(&key).await else { return };
    match provider.refresh(&session.tokens).await {
        Ok(fresh) => {
            let principal = fresh.principal.map(Arc::new);
            if let Err(error) = sessions.replace_tokens(&key, &session, fresh.tokens, principal).await {
                tracing::error!(%error, "refreshed tokens could not be stored");
            }
        }
        Err(error) if error.ends_session() => {
            tracing::info!(provider = %provider.name(), %error, "the provider ended a session");
            if let Err(error) = sessions.end_because(&session.family(), SessionEnd::Revoked).await {
                tracing::error!(%error, "a session that its provider ended could not be removed");
            }
        }
        Err(error) => tracing::warn!(provider = %provider.name(), %error, "tokens could not be refreshed"),
    }
}
