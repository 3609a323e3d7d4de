//! Guessing passwords takes long.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use portcullis_rules::clock::{Clock, Timestamp};

/// Wrong passwords in a row that are free.
const FREE: u32 = 5;

/// How long each further one closes the account.
const PAUSE: Duration = Duration::from_secs(20);

/// Counts wrong passwords by account; all unknown names are one account, so that nothing grows with what
/// strangers make up. Somebody who guesses can keep the owner out for a while: the price of guessing slowly.
#[derive(Debug)]
pub(super) struct Throttle {
    clock: Clock,
    failures: Mutex<HashMap<&'static str, Failures>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    Right,
    Wrong,
    /// The password was not even looked at.
    TooSoon(Duration),
}

impl Throttle {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, failures: Mutex::default() }
    }

    /// Looks at a password for `account`, one at a time: attempts side by side are no way around.
    pub(super) fn attempt(&self, account: &'static str, is_right: impl FnOnce() -> bool) -> Attempt {
        let now = self.clock.now();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let known = failures.entry(account).or_default();
        let waited = now.since(known.last);
        if known.count >= FREE && waited < PAUSE {
            return Attempt::TooSoon(PAUSE - waited);
        }
        if is_right() {
            *known = Failures::default();
            return Attempt::Right;
        }
        *known = Failures { count: known.count.saturating_add(1), last: now };
        Attempt::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_wrong_passwords_even_the_right_one_waits() {
        let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let throttle = Throttle::new(clock.clone());
        for _ in 0..FREE {
            assert_eq!(throttle.attempt("alice", || false), Attempt::Wrong);
        }
        assert_eq!(throttle.attempt("alice", || true), Attempt::TooSoon(PAUSE));
        assert_eq!(throttle.attempt("bob", || true), Attempt::Right, "others are not concerned");
        clock.advance(PAUSE);
        assert_eq!(throttle.attempt("alice", || false), Attempt::Wrong, "one guess a pause");
        assert_eq!(throttle.attempt("alice", || true), Attempt::TooSoon(PAUSE));
        clock.advance(PAUSE);
        assert_eq!(throttle.attempt("alice", || true), Attempt::Right);
        assert_eq!(throttle.attempt("alice", || false), Attempt::Wrong, "and counting begins anew");
    }
}
