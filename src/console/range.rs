//! Which stretch of time a page looks at, as its address says it.

use std::borrow::Cow;

use crate::clock::Timestamp;

/// A stretch of time that ends now, or at a full bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) span: Span,
    /// When it ends, in seconds since 1970; none: now.
    until: Option<u64>,
}

/// How long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Span {
    Hour,
    #[default]
    Day,
    Week,
    Month,
    Year,
}

impl Span {
    pub(super) const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// Its word in an address.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Hour => "1 hour",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::Year => "365 days",
        }
    }

    /// So many buckets, and seconds of each.
    pub(super) const fn buckets(self) -> (u64, u64) {
        match self {
            Self::Hour => (60, 60),
            Self::Day => (24, 3_600),
            Self::Week => (56, 3 * 3_600),
            Self::Month => (30, 86_400),
            Self::Year => (53, 7 * 86_400),
        }
    }

    /// The one that looks closer at a bucket of this one.
    const fn closer(self) -> Option<Self> {
        match self {
            Self::Hour => None,
            Self::Day | Self::Week => Some(Self::Hour),
            Self::Month => Some(Self::Day),
            Self::Year => Some(Self::Week),
        }
    }
}

impl Range {
    /// Reads it off a query.
    ///
    /// # Errors
    /// In words, where it makes no sense.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let (mut span, mut until) = (Span::default(), None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (name.as_ref(), value) {
                ("span", value) if !value.is_empty() => span = word(&value)?,
                ("until", value) if !value.is_empty() => until = Some(seconds(&value)?),
                _ => {}
            }
        }
        Ok(Self { span, until })
    }

    /// The last so long.
    pub(super) const fn last(span: Span) -> Self {
        Self { span, until: None }
    }

    /// The shortest one that holds all from one moment to another, in seconds since 1970.
    pub(super) fn covering(from: u64, to: u64) -> Self {
        let holds = |span: &Span| {
            let (count, size) = span.buckets();
            (to.div_ceil(size) * size).saturating_sub(count * size) <= from
        };
        Self { span: Span::ALL.into_iter().find(holds).unwrap_or(Span::Year), until: Some(to) }
    }

    /// What an address says of it; empty where it is what nothing says.
    pub(super) fn query(self) -> String {
        let span = (self.span != Span::default()).then(|| format!("span={}&", self.span.word()));
        let until = self.until.map(|until| format!("until={until}&"));
        [span, until].into_iter().flatten().collect()
    }

    /// The same end at another length; without an end where it was now.
    pub(super) fn of(self, span: Span) -> Self {
        Self { span, ..self }
    }

    /// Whether it ends now.
    pub(super) const fn is_now(self) -> bool {
        self.until.is_none()
    }

    /// Its buckets up to `now`, each with its beginning and its end, in seconds; the last one may go on.
    pub(super) fn buckets(self, now: Timestamp) -> Vec<(u64, u64)> {
        let (count, size) = self.span.buckets();
        let end = self.until.unwrap_or_else(|| now.seconds() + 1).min(now.seconds() + 1);
        let last = end.saturating_sub(1) / size;
        (0..count).rev().map(|ago| last.saturating_sub(ago) * size).map(|from| (from, from + size)).collect()
    }

    /// The whole of it, in microseconds since 1970.
    pub(super) fn micros(self, now: Timestamp) -> (u64, u64) {
        let buckets = self.buckets(now);
        let first = buckets.first().map_or(0, |(from, _)| *from);
        let last = buckets.last().map_or(0, |(_, to)| *to);
        (first * 1_000_000, last * 1_000_000)
    }

    /// What looks closer at a bucket.
    pub(super) fn closer(self, (_, to): (u64, u64)) -> Option<Self> {
        Some(Self { span: self.span.closer()?, until: Some(to) })
    }

    /// What a bucket is called: `22:31`, `22:00`, `30 Nov`.
    pub(super) fn name(self, from: u64) -> String {
        let written = Timestamp::from_seconds(from).rfc3339();
        let part = |range| written.get(range).unwrap_or_default();
        match self.span {
            Span::Hour | Span::Day => part(11..16).to_owned(),
            Span::Week => format!("{} {}", part(5..10), part(11..16)),
            Span::Month | Span::Year => part(0..10).to_owned(),
        }
    }
}

fn word(value: &str) -> Result<Span, String> {
    let known = || Span::ALL.map(Span::word).join(", ");
    Span::ALL.into_iter().find(|span| span.word() == value).ok_or_else(|| {
        let value: Cow<'_, str> = value.chars().take(20).collect();
        format!("“{value}” is no span: there are {}.", known())
    })
}

fn seconds(value: &str) -> Result<u64, String> {
    // Up to the year 9999, which is as far as moments are written.
    value
        .parse()
        .ok()
        .filter(|seconds| *seconds < 253_402_300_800)
        .ok_or_else(|| "“until” must be seconds since 1970.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_030);

    #[test]
    fn an_address_says_which_stretch_is_meant() {
        for query in ["", "span=week&", "until=1700000000&", "span=year&until=5&"] {
            assert_eq!(Range::read(query).unwrap().query(), query);
        }
        for wrong in ["span=moon", "until=x", "until=-1", "until=999999999999"] {
            assert!(Range::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_covered_by_the_shortest_stretch_that_holds_it() {
        let now = NOW.seconds();
        for (from, to, span) in [
            (now - 60, now, Span::Hour),
            (now - 3_600, now, Span::Day),
            (1_799_884_800, 1_799_884_800 + 86_400, Span::Day),
            (now - 29 * 86_400, now, Span::Month),
            (now - 300 * 86_400, now, Span::Year),
        ] {
            let range = Range::covering(from, to);
            let (since, until) = range.micros(NOW);
            assert_eq!(range.span, span, "{from} to {to}");
            assert!(
                since <= from * 1_000_000 && to * 1_000_000 <= until,
                "{from} to {to}: {since} to {until}"
            );
        }
    }

    #[test]
    fn buckets_are_whole_and_follow_one_another() {
        for span in Span::ALL {
            let range = Range { span, until: None };
            let (buckets, (count, size)) = (range.buckets(NOW), span.buckets());
            assert_eq!(buckets.len() as u64, count);
            assert!(buckets.windows(2).all(|two| two[0].1 == two[1].0));
            let last = buckets.last().unwrap();
            assert!(last.0 <= NOW.seconds() && NOW.seconds() < last.1 && last.0.is_multiple_of(size));
            if let Some(closer) = range.closer(buckets[3]) {
                let inner = closer.buckets(NOW);
                assert!(inner.last().unwrap().1 == buckets[3].1, "{span:?}");
            }
        }
        let past = Range { span: Span::Hour, until: Some(1_799_996_400) };
        assert_eq!(past.buckets(NOW).last().unwrap().1, 1_799_996_400);
        assert_eq!(past.name(1_799_996_340), "06:59");
    }
}
