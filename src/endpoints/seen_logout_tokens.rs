//! Logout tokens that have been accepted, so that each is accepted once (OpenID Connect Back-Channel Logout 1.0, section
//! 2.6): whoever has seen one could sign its person out again and again.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::clock::{Clock, Timestamp};
use crate::identity::Issuer;
use crate::oidc::LogoutToken;
use crate::secret::fingerprint;

/// The most tokens that are remembered at a time. None gets in that its provider did not sign: no stranger fills it.
const CAPACITY: u64 = 100_000;

/// Tokens by issuer and `jti`, each with the time from which on it is not accepted anyway.
#[derive(Debug)]
pub(super) struct SeenLogoutTokens {
    seen: Cache<[u8; 32], Timestamp>,
    clock: Clock,
}

impl SeenLogoutTokens {
    pub(super) fn new(clock: Clock) -> Self {
        let seen = Cache::builder().max_capacity(CAPACITY).eviction_policy(EvictionPolicy::lru());
        Self { seen: seen.build(), clock }
    }

    /// Whether a verified token of `issuer` comes for the first time. Of several that come at once, one is the first.
    pub(super) fn spend(&self, issuer: &Issuer, token: &LogoutToken) -> bool {
        let now = self.clock.now();
        let entry = self.seen.entry(key(issuer, token));
        let first = entry.or_insert_with_if(|| token.good_until, |end| *end <= now).is_fresh();
        mutant!(first, "logout-token-accepted-twice" => true)
    }

    /// What it was to end could not be ended: its provider may send it again.
    pub(super) fn forget(&self, issuer: &Issuer, token: &LogoutToken) {
        self.seen.invalidate(&key(issuer, token));
    }
}

fn key(issuer: &Issuer, token: &LogoutToken) -> [u8; 32] {
    fingerprint(format!("{issuer}\0{}", token.id).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);
    const GOOD_FOR: Duration = Duration::from_secs(150);

    fn token(id: &str, good_until: Timestamp) -> LogoutToken {
        LogoutToken { sid: Some("s".into()), subject: None, id: id.into(), good_until }
    }

    #[test]
    fn a_token_is_accepted_once_by_its_issuer_and_identifier() {
        let seen = SeenLogoutTokens::new(Clock::manual(START));
        let (a, b) = (Issuer::new("https://a.example"), Issuer::new("https://b.example"));
        let token = |id| token(id, START + GOOD_FOR);
        assert!(seen.spend(&a, &token("1")) && !seen.spend(&a, &token("1")));
        assert!(seen.spend(&a, &token("2")) && seen.spend(&b, &token("1")));
        seen.forget(&a, &token("1"));
        assert!(seen.spend(&a, &token("1")) && !seen.spend(&a, &token("2")));
    }

    #[test]
    fn an_identifier_is_free_again_when_its_token_is_over_and_not_because_a_clock_is_set_back() {
        let clock = Clock::manual(START);
        let (seen, issuer) = (SeenLogoutTokens::new(clock.clone()), Issuer::new("https://a.example"));
        assert!(seen.spend(&issuer, &token("1", START + GOOD_FOR)));
        clock.advance(GOOD_FOR - Duration::from_secs(1));
        assert!(!seen.spend(&issuer, &token("1", START + GOOD_FOR)));
        clock.set(START);
        assert!(!seen.spend(&issuer, &token("1", START + GOOD_FOR)));
        clock.advance(GOOD_FOR);
        assert!(seen.spend(&issuer, &token("1", START + 2 * GOOD_FOR)));
    }
}
