//! Logout tokens that have been accepted, so that each is accepted once (OpenID Connect Back-Channel Logout 1.0, section
//! 2.6): whoever has seen one could sign its person out again and again.
//!
//! A token is *new*, *under way* or *done*. It is done once what it names has ended; where that fails, it is new again.
//! So is one that is under way for longer than [`UNDER_WAY`]: whoever worked on it has been lost.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::identity::Issuer;
use crate::oidc::LogoutToken;
use crate::replicas::{OneTimeKind, OneTimeName, OneTimeStore, Put};
use crate::secret::fingerprint;
use crate::session::StoreUnavailable;

/// Ending what a token names takes far less.
const UNDER_WAY: Duration = Duration::from_secs(60);
/// A token is good by the gateway's wall clock, and is kept by a clock that goes on whatever is done to that one: so many
/// times longer that a wall clock which is set back makes none good twice.
const KEPT_LONGER: u32 = 4;

/// Tokens by issuer and `jti`. None gets in that its provider did not sign: no stranger fills it.
#[derive(Debug)]
pub(super) struct SeenLogoutTokens {
    store: Arc<dyn OneTimeStore>,
    clock: Clock,
}

/// How often a token has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It comes for the first time: the caller ends what it names, and says how that went.
    New,
    /// It has come a moment ago, and nobody knows yet whether it is done.
    UnderWay,
    /// It was accepted.
    Done,
}

const MARK_UNDER_WAY: &[u8] = b"under way";
const MARK_DONE: &[u8] = b"done";

impl SeenLogoutTokens {
    pub(super) fn new(store: Arc<dyn OneTimeStore>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Begins with a verified token of `issuer`. Of several that come at once, on whichever replica, one is new.
    ///
    /// # Errors
    /// The store is away: nobody knows.
    pub(super) async fn begin(&self, issuer: &Issuer, token: &LogoutToken) -> Result<Seen, StoreUnavailable> {
        let seen = match self.store.put(name(issuer, token), MARK_UNDER_WAY.to_vec(), UNDER_WAY).await? {
            Put::Kept => Seen::New,
            Put::Occupied(mark) if mark == MARK_UNDER_WAY => Seen::UnderWay,
            Put::Occupied(_) => Seen::Done,
        };
        Ok(mutant!(seen, "logout-token-accepted-twice" => Seen::New))
    }

    /// What it was to end has ended: it is not accepted again.
    ///
    /// # Errors
    /// The store is away. The same token could come a second time then, and would end what there is by then.
    pub(super) async fn done(&self, issuer: &Issuer, token: &LogoutToken) -> Result<(), StoreUnavailable> {
        let left = token.good_until.since(self.clock.now()).max(UNDER_WAY);
        self.store.replace(name(issuer, token), MARK_DONE.to_vec(), left.saturating_mul(KEPT_LONGER)).await
    }

    /// What it was to end could not be ended: its provider may send it again. Where the store is away, that may be once
    /// the work is taken for lost.
    pub(super) async fn forget(&self, issuer: &Issuer, token: &LogoutToken) {
        if let Err(error) = self.store.take(name(issuer, token)).await {
            tracing::warn!(%error, "a logout token is good again only in a minute");
        }
    }
}

fn name(issuer: &Issuer, token: &LogoutToken) -> OneTimeName {
    let digest = fingerprint(format!("{issuer}\0{}", token.id).as_bytes());
    OneTimeName { kind: OneTimeKind::LogoutToken, digest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::replicas::LocalStore;
    use crate::replicas::testing::Away;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);
    const GOOD_FOR: Duration = Duration::from_secs(150);

    fn token(id: &str) -> LogoutToken {
        LogoutToken { sid: Some("s".into()), subject: None, id: id.into(), good_until: START + GOOD_FOR }
    }

    fn seen(clock: &Clock) -> (SeenLogoutTokens, Issuer) {
        let store = Arc::new(LocalStore::new(clock.clone()));
        (SeenLogoutTokens::new(store, clock.clone()), Issuer::new("https://a.example"))
    }

    #[tokio::test]
    async fn a_token_is_accepted_once_by_its_issuer_and_identifier() {
        let ((seen, a), b) = (seen(&Clock::manual(START)), Issuer::new("https://b.example"));
        let begin = async |issuer, id| seen.begin(issuer, &token(id)).await.unwrap();
        assert_eq!(begin(&a, "1").await, Seen::New);
        seen.done(&a, &token("1")).await.unwrap();
        assert_eq!(begin(&a, "1").await, Seen::Done);
        assert_eq!((begin(&a, "2").await, begin(&b, "1").await), (Seen::New, Seen::New));
    }

    /// A duplicate that comes meanwhile is told neither that it is a replay nor that all is done.
    #[tokio::test]
    async fn a_token_that_is_under_way_is_good_again_where_the_first_attempt_fails() {
        let clock = Clock::manual(START);
        let (seen, issuer) = seen(&clock);
        let begin = async || seen.begin(&issuer, &token("1")).await.unwrap();
        assert_eq!((begin().await, begin().await), (Seen::New, Seen::UnderWay));
        seen.forget(&issuer, &token("1")).await;
        assert_eq!((begin().await, begin().await), (Seen::New, Seen::UnderWay));
        clock.advance(UNDER_WAY);
        assert_eq!((begin().await, begin().await), (Seen::New, Seen::UnderWay), "its worker was lost");
        seen.done(&issuer, &token("1")).await.unwrap();
        assert_eq!(begin().await, Seen::Done);
    }

    #[tokio::test]
    async fn a_token_is_not_good_again_because_a_clock_is_set_back() {
        let clock = Clock::manual(START);
        let (seen, issuer) = seen(&clock);
        seen.begin(&issuer, &token("1")).await.unwrap();
        seen.done(&issuer, &token("1")).await.unwrap();
        for _ in 0..3 {
            clock.advance(GOOD_FOR - Duration::from_secs(1));
            assert_eq!(seen.begin(&issuer, &token("1")).await.unwrap(), Seen::Done);
            clock.set(START);
        }
    }

    #[tokio::test]
    async fn a_store_that_is_away_says_neither() {
        let seen = SeenLogoutTokens::new(Arc::new(Away), Clock::manual(START));
        assert!(seen.begin(&Issuer::new("https://a.example"), &token("1")).await.is_err());
    }
}
