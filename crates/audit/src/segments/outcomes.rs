//! Outcomes of requests as numbers of a row, and sets of them.

use portcullis_events::Outcome;

/// The number of an outcome in a row. It stays for ever; those that are as they should be are the first three.
pub(super) const fn number(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Allowed => 1,
        Outcome::Public => 2,
        Outcome::Own => 3,
        Outcome::Unauthenticated => 4,
        Outcome::Forbidden => 5,
        Outcome::Limited => 6,
        Outcome::BadRequest => 7,
        Outcome::NotFound => 8,
        Outcome::UpstreamError => 9,
        Outcome::ProviderError => 10,
        Outcome::Unavailable => 11,
        Outcome::Aborted => 12,
    }
}

/// The last number of an outcome that is as it should be.
pub(super) const GOOD: i64 = 3;

/// The outcome of a number.
pub(super) fn of(found: i64) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| number(*outcome) == found)
}

/// The outcome of a word.
pub(super) fn named(word: &str) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word)
}

/// Some outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes(u16);

impl Outcomes {
    /// Every one.
    pub const ALL: Self = Self((1 << Outcome::ALL.len()) - 1);

    /// These.
    #[must_use]
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        Self(outcomes.into_iter().fold(0, |bits, outcome| bits | 1 << outcome as u16))
    }

    /// Those that a word names: one, or one of the groups `granted`, `refused` and `failed`.
    #[must_use]
    pub fn matching(word: &str) -> Option<Self> {
        use Outcome::{
            Aborted, Allowed, BadRequest, Forbidden, Limited, NotFound, Own, ProviderError, Public,
            Unauthenticated, Unavailable, UpstreamError,
        };
        match word {
            "granted" => Some(Self::of([Allowed, Public, Own])),
            "refused" => Some(Self::of([Unauthenticated, Forbidden, Limited, BadRequest, NotFound])),
            "failed" => Some(Self::of([UpstreamError, ProviderError, Unavailable, Aborted])),
            _ => named(word).map(|outcome| Self::of([outcome])),
        }
    }

    /// Whether the outcome is one of them.
    #[must_use]
    pub const fn has(self, outcome: Outcome) -> bool {
        self.0 & (1 << outcome as u16) != 0
    }

    /// Those of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn numbers(self) -> impl Iterator<Item = i64> {
        Outcome::ALL.into_iter().filter(move |outcome| self.has(*outcome)).map(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_number_of_its_own_and_belongs_to_one_group() {
        for outcome in Outcome::ALL {
            assert_eq!((of(number(outcome)), named(outcome.as_str())), (Some(outcome), Some(outcome)));
        }
        let groups = ["granted", "refused", "failed"].map(|word| Outcomes::matching(word).unwrap());
        assert_eq!(groups.into_iter().fold(Outcomes::default(), Outcomes::and), Outcomes::ALL);
        assert_eq!(groups.map(|group| group.0.count_ones()).iter().sum::<u32>(), 12);
        assert!(groups[0].numbers().all(|number| number <= GOOD));
        assert_eq!(Outcomes::matching("grant"), None);
    }
}
