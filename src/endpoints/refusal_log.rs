//! Lines of the log about what strangers send: the first ones of each minute, and how many there were beside. Metrics count
//! all of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// Lines of one kind in a window.
const LINES: u64 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Kinds that are told apart: more than there are providers and reasons in a configuration. Further ones share one.
const KINDS: usize = 1000;

/// What is told apart: a provider's name, or nothing where none is known, and a reason of ours.
type Kind = (String, &'static str);

#[derive(Debug)]
pub(super) struct RefusalLog {
    clock: Clock,
    windows: Mutex<HashMap<Kind, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// By the monotonic clock.
    began: Duration,
    refusals: u64,
}

impl RefusalLog {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, windows: Mutex::default() }
    }

    /// Whether a refusal of this kind is told, and how many of the window before were not.
    pub(super) fn admit(&self, provider: &str, reason: &'static str) -> Option<u64> {
        let now = self.clock.monotonic();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = (provider.to_owned(), reason);
        if windows.len() >= KINDS && !windows.contains_key(&kind) {
            kind = (String::new(), "");
        }
        let window = windows.entry(kind).or_insert(Window { began: now, refusals: 0 });
        let mut left_out = 0;
        if now.saturating_sub(window.began) >= WINDOW {
            left_out = window.refusals.saturating_sub(LINES);
            *window = Window { began: now, refusals: 0 };
        }
        window.refusals += 1;
        (mutant!(window.refusals <= LINES, "a-line-for-each-stranger" => true) || left_out > 0)
            .then_some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_flood_leaves_ten_lines_a_minute_of_each_kind_and_the_number_of_the_others() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000_000));
        let log = RefusalLog::new(clock.clone());
        let told =
            |provider, reason| (0..1000).filter_map(|_| log.admit(provider, reason)).collect::<Vec<_>>();
        assert_eq!(told("corp", "signature"), [0; 10]);
        assert_eq!(told("", "signature"), [0; 10], "another provider's, or nobody's");
        assert_eq!(told("corp", "expired"), [0; 10]);
        clock.advance(Duration::from_secs(59));
        assert_eq!(told("corp", "signature"), [0; 0]);
        clock.advance(Duration::from_secs(1));
        assert_eq!(log.admit("corp", "signature"), Some(1990));
        assert_eq!(told("corp", "signature"), [0; 9]);
    }

    #[test]
    fn invariant_14_kinds_are_bounded() {
        let log = RefusalLog::new(Clock::manual(Timestamp::from_seconds(1)));
        for n in 0..5000 {
            log.admit(&n.to_string(), "signature");
        }
        assert!(log.windows.lock().unwrap().len() <= KINDS + 1);
    }
}
