//! Logout tokens that have been accepted, so that each is accepted once (OpenID Connect Back-Channel Logout 1.0, section
//! 2.6): whoever has seen one could sign its person out again and again.

use super::single_use::SingleUse;
use crate::clock::Clock;
use crate::identity::Issuer;
use crate::oidc::LogoutToken;
use crate::secret::fingerprint;

/// Tokens by issuer and `jti`, each until it is not accepted anyway. None gets in that its provider did not sign: no
/// stranger fills it.
#[derive(Debug)]
pub(super) struct SeenLogoutTokens(SingleUse);

impl SeenLogoutTokens {
    pub(super) fn new(clock: Clock) -> Self {
        Self(SingleUse::new(clock, None))
    }

    /// Whether a verified token of `issuer` comes for the first time. Of several that come at once, one is the first.
    pub(super) fn spend(&self, issuer: &Issuer, token: &LogoutToken) -> bool {
        let first = self.0.spend(key(issuer, token), |_| token.good_until);
        mutant!(first, "logout-token-accepted-twice" => true)
    }

    /// What it was to end could not be ended: its provider may send it again.
    pub(super) fn forget(&self, issuer: &Issuer, token: &LogoutToken) {
        self.0.forget(&key(issuer, token));
    }
}

fn key(issuer: &Issuer, token: &LogoutToken) -> [u8; 32] {
    fingerprint(format!("{issuer}\0{}", token.id).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;

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
