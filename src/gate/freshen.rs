//! Tokens of a session that have expired are refreshed, once, however many requests find them so.

use std::sync::Arc;
use std::time::Duration;

use super::house::House;
use super::rejection::Rejection;
use super::route::Route;
use crate::authn::Authentication;
use crate::session::{Session, SessionKey};

/// An access token is renewed so long before it expires.
const AHEAD: Duration = Duration::from_secs(30);

/// Renews the tokens of a session where that is due. A session whose person the provider no longer
/// knows is over (invariant 8); where the provider is away, it goes on with what it has.
pub(super) async fn freshen(house: &House, route: &Route, found: Authentication) -> Result<Authentication, Rejection> {
    let Authentication::Session(key, session) = &found else { return Ok(found) };
    if !is_due(house, session) {
        return Ok(found);
    }
    refresh(house, key, session).await;
    let renewed = house.foundations.sessions.find(key).await?;
    let Some(session) = renewed else { return Ok(Authentication::Ended) };
    if route.passes_token() && is_expired(house, &session) {
        return Err(Rejection::ProviderUnavailable("the session's token has expired and could not be refreshed".into()));
    }
    Ok(Authentication::Session(key.clone(), session))
}

fn is_due(house: &House, session: &Session) -> bool {
    let expires = session.tokens.access_expires.filter(|_| session.tokens.refresh.is_some());
    expires.is_some_and(|at| house.foundations.clock.now() + AHEAD >= at)
}

fn is_expired(house: &House, session: &Session) -> bool {
    session.tokens.access_expires.is_some_and(|at| house.foundations.clock.now() >= at)
}

async fn refresh(house: &House, key: &SessionKey, session: &Session) {
    let Some(provider) = house.providers.get(session.principal.provider.as_str()).map(Arc::clone) else { return };
    let (sessions, key) = (Arc::clone(&house.foundations.sessions), key.clone());
    let call = move || async move {
        let Ok(Some(session)) = sessions.find(&key).await else { return };
        match provider.refresh(&session.tokens).await {
            Ok(fresh) => {
                let stored = sessions.replace_tokens(&key, &session, fresh.tokens, fresh.principal.map(Arc::new)).await;
                if let Err(error) = stored {
                    tracing::error!(%error, "refreshed tokens could not be stored");
                }
            }
            Err(error) if error.ends_session() => {
                tracing::info!(provider = %provider.name(), %error, "the provider ended a session");
                let _ = sessions.end(&session).await;
            }
            Err(error) => tracing::warn!(provider = %provider.name(), %error, "tokens could not be refreshed"),
        }
    };
    if let Err(error) = house.foundations.refreshes.join(session.id.to_bytes(), call).await {
        tracing::warn!(%error, "tokens could not be refreshed");
    }
}
