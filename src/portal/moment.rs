//! When something was or will be, for people and for programs.

use crate::clock::Timestamp;
use crate::pages::Look;
use crate::words::{Arg, Word};

/// A moment for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    at: Timestamp,
    now: Timestamp,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Moment {
    /// `at` as it is seen at `now`.
    #[must_use]
    pub const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// The moment for programs.
    pub(super) fn exact(&self) -> String {
        self.at.rfc3339()
    }

    /// How long ago it was, or how far off it is.
    pub(super) fn words(&self, look: &Look<'_>) -> String {
        let (span, words) = if self.at > self.now {
            (self.at.since(self.now), [Word::MomentSoon, Word::InMinutes, Word::InHours, Word::InDays])
        } else {
            (self.now.since(self.at), [Word::MomentNow, Word::MinutesAgo, Word::HoursAgo, Word::DaysAgo])
        };
        let [now, minutes, hours, days] = words;
        let (word, count) = match span.as_secs() {
            0..MINUTE => return look.say(now),
            seconds @ MINUTE..HOUR => (minutes, seconds / MINUTE),
            seconds @ HOUR..DAY => (hours, seconds / HOUR),
            seconds => (days, seconds / DAY),
        };
        look.plain(word, &[("count", Arg::Count(count))])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pages::tests::{german, plain};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn ago(seconds: u64) -> Moment {
        Moment::new(Timestamp::from_seconds(NOW.seconds() - seconds), NOW)
    }

    #[test]
    fn spans_are_told_in_words() {
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (40 * 86_400, "40 days ago"),
        ] {
            assert_eq!(ago(seconds).words(&plain()), words);
        }
        assert_eq!(ago(2 * 86_400).words(&german()), "vor 2 Tagen");
        let ahead = |seconds| Moment::new(NOW + Duration::from_secs(seconds), NOW);
        assert_eq!(
            (ahead(7200).words(&plain()), ahead(7).words(&plain())),
            ("in 2 hours".into(), "in a moment".into())
        );
        assert_eq!(ago(0).exact(), "2027-01-15T08:00:00Z");
    }
}
