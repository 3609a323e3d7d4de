//! Requests by what has become of them.

use crate::console::process::Counted;
use crate::telemetry::Outcome;

/// Requests by what has become of them, and how long their parts of a bar are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::console) struct Shares {
    /// Let in, or answered by the gateway.
    pub(in crate::console) let_in: u64,
    /// Refused, or asked to sign in.
    pub(in crate::console) refused: u64,
    /// Failed by somebody else's fault than the client's.
    pub(in crate::console) failed: u64,
    /// Left by the client.
    pub(in crate::console) left: u64,
    /// Requests that fill the bar.
    full: u64,
}

impl Shares {
    /// `full` requests fill the bar; all of these where that is 0.
    pub(in crate::console) fn of(counted: &Counted, full: u64) -> Self {
        let mut shares = Self { full, ..Self::default() };
        for (outcome, count) in Outcome::ALL.into_iter().zip(counted.counts) {
            *shares.part(outcome) += count;
        }
        if full == 0 {
            shares.full = shares.total();
        }
        shares
    }

    const fn part(&mut self, outcome: Outcome) -> &mut u64 {
        match kind(outcome) {
            Kind::LetIn => &mut self.let_in,
            Kind::Refused => &mut self.refused,
            Kind::Failed => &mut self.failed,
            Kind::Left => &mut self.left,
        }
    }

    pub(in crate::console) const fn total(&self) -> u64 {
        self.let_in + self.refused + self.failed + self.left
    }

    /// The bar's parts: a class, where it begins and how wide it is, in thousandths of the bar.
    pub(in crate::console) fn parts(&self) -> Vec<(&'static str, u64, u64)> {
        let scale = |count: u64| thousandths(count, self.full);
        let (mut before, mut parts) = (0, Vec::new());
        let counts =
            [("ok", self.let_in), ("refused", self.refused), ("failed", self.failed), ("left", self.left)];
        for (class, count) in counts {
            let (begin, end) = (scale(before), scale(before + count));
            parts.push((class, begin, end - begin));
            before += count;
        }
        parts.retain(|(_, _, width)| *width > 0);
        parts
    }
}

/// `count` of `of`, in thousandths.
pub(in crate::console) fn thousandths(count: u64, of: u64) -> u64 {
    u64::try_from(u128::from(count) * 1000 / u128::from(of.max(1))).unwrap_or(1000)
}

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Kind {
    LetIn,
    Refused,
    Failed,
    Left,
}

impl Kind {
    pub(in crate::console) const ALL: [Self; 4] = [Self::LetIn, Self::Refused, Self::Failed, Self::Left];

    pub(in crate::console) const fn class(self) -> &'static str {
        match self {
            Self::LetIn => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }

    pub(in crate::console) const fn word(self) -> &'static str {
        match self {
            Self::LetIn => "let in",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

/// What an outcome comes to.
pub(in crate::console) const fn kind(outcome: Outcome) -> Kind {
    match outcome {
        Outcome::Allowed | Outcome::Public | Outcome::Own => Kind::LetIn,
        Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::Limited
        | Outcome::BadRequest
        | Outcome::NotFound => Kind::Refused,
        Outcome::UpstreamError | Outcome::ProviderError | Outcome::Unavailable => Kind::Failed,
        Outcome::Aborted => Kind::Left,
    }
}

/// What an outcome is called here.
pub(in crate::console) const fn outcome_in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "let in by the rules",
        Outcome::Public => "let in, open to anybody",
        Outcome::Own => "answered by the gateway",
        Outcome::Unauthenticated => "asked to sign in",
        Outcome::Forbidden => "forbidden by the rules",
        Outcome::Limited => "over a limit",
        Outcome::BadRequest => "malformed or ambiguous",
        Outcome::NotFound => "no such route or method",
        Outcome::UpstreamError => "the app failed",
        Outcome::ProviderError => "the provider failed",
        Outcome::Unavailable => "could not be decided",
        Outcome::Aborted => "left by the client",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(counts: &[(Outcome, u64)]) -> Counted {
        let mut counted = Counted::default();
        counts.iter().for_each(|(outcome, count)| counted.counts[*outcome as usize] = *count);
        counted
    }

    #[test]
    fn bars_are_as_long_as_their_counts_and_add_up() {
        let some = counted(&[(Outcome::Allowed, 5), (Outcome::Forbidden, 2), (Outcome::UpstreamError, 1)]);
        let shares = Shares::of(&some, 16);
        assert_eq!(shares.parts(), [("ok", 0, 312), ("refused", 312, 125), ("failed", 437, 63)]);
        let whole = Shares::of(&some, 0);
        assert_eq!(whole.parts().iter().map(|(_, _, width)| width).sum::<u64>(), 1000);
        assert!(Shares::of(&counted(&[]), 0).parts().is_empty());
        let many = Shares::of(&counted(&[(Outcome::Allowed, u64::MAX)]), 0);
        assert_eq!(many.parts(), [("ok", 0, 1000)]);
    }
}
