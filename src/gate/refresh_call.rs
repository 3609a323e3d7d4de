//! One refresh of a session's tokens, by one replica of those that find them due.
//!
//! A refresh token is often good for one use, and a provider takes a second one for theft. So a replica calls only while
//! it holds the family's lease, and one that finds it held queues for nothing: it reads the session again and again, and
//! is done as soon as that is newer than what it had. Where the lease is free and the session as before, whoever held it
//! was lost, and this one takes it over. A lease at rest means that a call has failed a moment ago, on whichever replica.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::refresh_tokens::Renewal;
use crate::events::{OwnedCaller, Recorder, TokensNotRefreshed, TokensRefreshed};
use crate::identity::ProviderName;
use crate::oidc::{Provider, RefreshError, Refreshed};
use crate::replicas::{Acquired, Lease, Leases};
use crate::session::{
    EndCause, Session, SessionEnd, SessionError, SessionKey, Sessions, StoreUnavailable, Tokens,
};

/// How long a replica looks whether another one is done; a provider's timeout is shorter by far.
const PATIENCE: Duration = Duration::from_secs(120);
/// The first and the longest pause between two looks.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));
/// How often, and how long between, new tokens are stored again where the store fails: the old ones are spent.
const STORING: (u32, Duration) = (120, Duration::from_millis(500));

/// Who is called: a provider, or what a test puts in its place.
pub(super) trait Refresh: Send + Sync {
    fn name(&self) -> &ProviderName;

    fn refresh(&self, tokens: &Tokens) -> impl Future<Output = Result<Refreshed, RefreshError>> + Send;
}

impl Refresh for Provider {
    fn name(&self) -> &ProviderName {
        self.name()
    }

    async fn refresh(&self, tokens: &Tokens) -> Result<Refreshed, RefreshError> {
        self.refresh(tokens).await
    }
}

/// A call that is to be made, unless somebody else has made it.
pub(super) struct RefreshCall<P = Provider> {
    /// The request that found the tokens due.
    pub(super) caller: OwnedCaller,
    pub(super) recorder: Recorder,
    pub(super) provider: Arc<P>,
    pub(super) sessions: Sessions,
    pub(super) leases: Leases,
    pub(super) key: SessionKey,
    /// As that request found it.
    pub(super) session: Arc<Session>,
    /// How long nobody tries again where the call fails.
    pub(super) rest: Duration,
}

/// Whose turn it is.
enum Turn {
    /// This replica's, with the session as it is now.
    Ours(Lease, Arc<Session>),
    /// Nobody's: it has been renewed, or has ended.
    Over,
    /// Nobody's yet.
    Resting,
}

/// What a call came to.
enum Called {
    /// New tokens, which are to be stored.
    Fresh(Box<Refreshed>),
    /// The session is as it is to be.
    Over,
    /// It failed.
    Failed,
    /// It was not made: the provider rests.
    NotMade,
}

impl<P: Refresh + 'static> RefreshCall<P> {
    /// Makes the call, or waits for another replica's.
    pub(super) async fn run(self) -> Renewal {
        match timeout(PATIENCE, self.turn()).await {
            Ok(Ok(Turn::Ours(lease, session))) => self.with(lease, &session).await,
            Ok(Ok(Turn::Over)) => Renewal::Done,
            Ok(Ok(Turn::Resting)) | Err(_) => Renewal::Failed,
            Ok(Err(error)) => {
                tracing::warn!(id = %self.caller.id, %error, "tokens are not refreshed: nobody knows who else does it");
                Renewal::Failed
            }
        }
    }

    async fn turn(&self) -> Result<Turn, StoreUnavailable> {
        let (mut pause, longest) = LOOKS;
        loop {
            let (acquired, lease) = self.leases.acquire(self.session.family()).await?;
            // Behind the lease: whoever held it before has stored what it got.
            let now = self.sessions.read_anew(&self.key).await?;
            let Some(session) = now.filter(|now| !self.is_renewed(now)) else {
                if let Some(lease) = lease {
                    lease.release(None).await;
                }
                return Ok(Turn::Over);
            };
            match (acquired, lease) {
                (_, Some(lease)) => return Ok(Turn::Ours(lease, session)),
                (Acquired::Resting, None) => return Ok(Turn::Resting),
                (Acquired::Busy | Acquired::Held, None) => sleep(pause).await,
            }
            pause = (pause * 2).min(longest);
        }
    }

    fn is_renewed(&self, now: &Session) -> bool {
        mutant!(now.is_newer_than(&self.session), "losers-refresh-again" => false)
    }

    async fn with(self, lease: Lease, session: &Arc<Session>) -> Renewal {
        match lease.hold(self.call(session)).await {
            Called::Fresh(fresh) => self.store(lease, session, *fresh).await,
            Called::Over => {
                lease.release(None).await;
                Renewal::Done
            }
            Called::Failed => {
                lease.release(mutant!(Some(self.rest), "every-replica-tries-what-failed" => None)).await;
                Renewal::Failed
            }
            Called::NotMade => {
                lease.release(None).await;
                Renewal::Failed
            }
        }
    }

    async fn call(&self, session: &Arc<Session>) -> Called {
        let begun = Instant::now();
        match self.provider.refresh(&session.tokens).await {
            Ok(fresh) => {
                self.recorder.emit(&TokensRefreshed {
                    caller: Some(&self.caller),
                    who: &session.principal,
                    session: session.family().first_bytes(),
                    took: begun.elapsed(),
                });
                Called::Fresh(Box::new(fresh))
            }
            Err(error) if error.ends_session() => {
                self.end(session, &error, begun.elapsed()).await;
                Called::Over
            }
            Err(error @ RefreshError::Resting) => {
                tracing::debug!(provider = %self.provider.name(), %error, "tokens were not refreshed");
                Called::NotMade
            }
            Err(error) => {
                self.tell_failure(session, &error, begun.elapsed());
                Called::Failed
            }
        }
    }

    fn tell_failure(&self, session: &Session, error: &RefreshError, took: Duration) {
        self.recorder.emit(&TokensNotRefreshed {
            caller: Some(&self.caller),
            who: &session.principal,
            session: session.family().first_bytes(),
            culprit: error.blame().into(),
            reason: &error.to_string(),
            took: Some(took),
        });
    }

    /// Puts the new tokens in the place of the old ones. Where the store fails, nobody waits for it, and nobody else
    /// spends the old ones meanwhile.
    async fn store(self, lease: Lease, session: &Arc<Session>, fresh: Refreshed) -> Renewal {
        let principal = fresh.principal.map(|fresh| Arc::new(fresh.signed_in_as(&session.principal)));
        let (sessions, key, session) = (self.sessions, self.key, Arc::clone(session));
        let store = move || {
            let (tokens, principal) = (fresh.tokens.clone(), principal.clone());
            let (sessions, key, session) = (sessions.clone(), key.clone(), Arc::clone(&session));
            async move { sessions.replace_tokens(&key, &session, tokens, principal).await }
        };
        match lease.hold(store()).await {
            Err(SessionError::Unavailable(error)) => {
                tracing::error!(%error, "refreshed tokens could not be stored; that is tried for a minute");
                tokio::spawn(store_later(lease, store));
            }
            Ok(_) | Err(SessionError::Ended) => lease.release(None).await,
        }
        Renewal::Done
    }

    /// Ends a session that its provider no longer honours (invariant 8), unless somebody else has renewed it: then it
    /// was only this token that was spent.
    async fn end(&self, session: &Session, error: &RefreshError, took: Duration) {
        let now = self.sessions.read_anew(&self.key).await;
        let renewed = now.is_ok_and(|now| now.is_some_and(|now| now.is_newer_than(session)));
        if mutant!(renewed, "late-refresh-ends-the-session" => false) {
            tracing::warn!(id = %self.caller.id, %error, "somebody else has renewed these tokens meanwhile; theirs stay");
            return;
        }
        self.tell_failure(session, error, took);
        let by = format!("provider {}", self.provider.name());
        let cause = EndCause::by(SessionEnd::Revoked, &by).asked_in(self.caller.clone());
        let ended = self.sessions.end_because(&session.family(), cause).await;
        if let Err(error) = ended {
            tracing::error!(%error, "a session that its provider ended could not be removed");
        }
    }
}

async fn store_later<F>(lease: Lease, store: impl Fn() -> F)
where
    F: Future<Output = Result<Arc<Session>, SessionError>>,
{
    let again = async {
        let (times, pause) = STORING;
        for _ in 0..times {
            sleep(pause).await;
            match store().await {
                Err(SessionError::Unavailable(_)) => {}
                Ok(_) | Err(SessionError::Ended) => return true,
            }
        }
        false
    };
    if lease.hold(again).await {
        tracing::info!("refreshed tokens are stored now");
    } else {
        tracing::error!(
            "refreshed tokens are lost: the store has not taken them; their session may have to sign in anew"
        );
    }
    lease.release(None).await;
}
