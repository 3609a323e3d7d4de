//! When something was or will be, for people and for programs.

use std::time::Duration;

use crate::clock::Timestamp;

/// A moment for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub(super) words: String,
    pub(super) exact: String,
}

impl Moment {
    /// `at` as it is seen at `now`.
    #[must_use]
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let words = if at > now { ahead(at.since(now)) } else { ago(now.since(at)) };
        Self { words, exact: at.rfc3339() }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How many of the largest unit, and its name; nothing of less than a minute.
const fn counted(span: Duration) -> Option<(u64, &'static str)> {
    match span.as_secs() {
        0..MINUTE => None,
        seconds @ MINUTE..HOUR => Some((seconds / MINUTE, "minute")),
        seconds @ HOUR..DAY => Some((seconds / HOUR, "hour")),
        seconds => Some((seconds / DAY, "day")),
    }
}

fn many((count, unit): (u64, &str)) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How long ago something was, in words.
fn ago(span: Duration) -> String {
    counted(span).map_or_else(|| "just now".into(), |count| format!("{} ago", many(count)))
}

/// How long something is off, in words.
fn ahead(span: Duration) -> String {
    counted(span).map_or_else(|| "in a moment".into(), |count| format!("in {}", many(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(ago(Duration::from_secs(seconds)), words);
        }
        let now = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(Moment::new(now + Duration::from_secs(7200), now).words, "in 2 hours");
        assert_eq!(Moment::new(now + Duration::from_secs(7), now).words, "in a moment");
        assert_eq!(Moment::new(now, now).words, "just now");
    }
}
