//! Tokens of a session that have expired are refreshed, once, however many requests find them so
//! (decision 6).

use std::sync::Arc;
use std::time::Duration;

use super::house::House;
use super::rejection::Rejection;
use super::route::Route;
use crate::authn::Authentication;
use crate::identity::RequestId;
use crate::oidc::{Blame, FlightError, Provider, RefreshError};
use crate::session::{Session, SessionEnd, SessionKey, Sessions};

/// An access token is renewed so long before it expires.
const AHEAD: Duration = Duration::from_secs(30);

/// Renews the tokens of a session where that is due. A session whose person the provider no longer
/// knows is over (invariant 8); where the provider is away, it goes on with what it has.
pub(super) async fn freshen(
    house: &House,
    id: &RequestId,
    route: &Route,
    found: Authentication,
) -> Result<Authentication, Rejection> {
    let Authentication::Session(key, session) = &found else { return Ok(found) };
    if !expires_within(house, session, AHEAD) || session.tokens.refresh.is_none() {
        return Ok(found);
    }
    refresh(house, id, key, session).await;
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

async fn refresh(house: &House, id: &RequestId, key: &SessionKey, session: &Session) {
    let Some(provider) = house.providers.get(session.principal.provider.as_str()).map(Arc::clone) else {
        return;
    };
    let (sessions, key) = (house.foundations.sessions.clone(), key.clone());
    let flight = *session.family().as_bytes();
    let flight = house.foundations.refreshes.join(flight, {
        let id = id.clone();
        move || call(id, provider, sessions, key)
    });
    match flight.await {
        Ok(()) => {}
        // The one before has failed a moment ago, and has said so.
        Err(error @ FlightError::Recent) => tracing::debug!(%error, "tokens were not refreshed"),
        Err(error) => {
            let provider = &session.principal.provider;
            tracing::warn!(%id, %provider, %error, "tokens could not be refreshed");
        }
    }
}

/// Reads the session anew: the flight before this one may have renewed it since.
async fn call(id: RequestId, provider: Arc<Provider>, sessions: Sessions, key: SessionKey) {
    let Ok(Some(session)) = sessions.find(&key).await else { return };
    match provider.refresh(&session.tokens).await {
        Ok(fresh) => {
            let principal = fresh.principal.map(Arc::new);
            if let Err(error) = sessions.replace_tokens(&key, &session, fresh.tokens, principal).await {
                tracing::error!(%error, "refreshed tokens could not be stored");
            }
        }
        Err(error) if error.ends_session() => {
            tell_end(&id, &provider, &error);
            if let Err(error) = sessions.end_because(&session.family(), SessionEnd::Revoked).await {
                tracing::error!(%error, "a session that its provider ended could not be removed");
            }
        }
        Err(error) => {
            tracing::warn!(%id, provider = %provider.name(), %error, "tokens could not be refreshed");
        }
    }
}

/// That a person is gone is news; that what came for them cannot be believed is the provider's fault.
fn tell_end(id: &RequestId, provider: &Provider, error: &RefreshError) {
    let provider = provider.name();
    match error.blame() {
        Blame::Client => tracing::info!(%id, %provider, %error, "the provider ended a session"),
        Blame::Provider | Blame::Us => {
            tracing::warn!(%id, %provider, %error, "a refresh that cannot be believed ended a session");
        }
    }
}
