//! Moments for people and for programs.

use super::text;
use crate::clock::Timestamp;

/// A moment as it is seen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// `5 min ago`, `in 7 h`.
    pub(super) words: String,
    /// RFC 3339.
    pub(super) exact: String,
}

impl Moment {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let words = match (now.since(at).as_secs(), at.since(now).as_secs()) {
            (0, 0) => "just now".to_owned(),
            (0, _) => format!("in {}", text::span(at.since(now))),
            (1..60, _) => "just now".to_owned(),
            (_, _) => format!("{} ago", text::span(now.since(at))),
        };
        Self { words, exact: at.rfc3339() }
    }

    /// Day and time, in UTC.
    pub(super) fn clock(&self) -> String {
        self.exact.replace('T', " ").replace('Z', " UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_and_what_will_be_is_told_by_its_distance() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let words = |seconds| Moment::new(Timestamp::from_seconds(seconds), now).words;
        assert_eq!(words(1_800_000_000), "just now");
        assert_eq!(words(1_799_999_970), "just now");
        assert_eq!(words(1_799_996_400), "1 h ago");
        assert_eq!(words(1_800_007_200), "in 2 h");
    }
}
