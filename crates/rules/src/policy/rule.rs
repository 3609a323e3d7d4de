//! One rule, and when it holds.

use super::condition::{Condition, Effect, Truth};
use super::{Question, RuleSettings};
use crate::identity::{Gaps, Strength};

/// Which rules count as holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Those of which every condition is known to hold: what allows.
    Known,
    /// Those of which no condition is known to fail: what denies.
    Possible,
}

/// Conditions, the cheapest first; all must hold.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) conditions: Box<[Condition]>,
    /// How strong the sign-in must have been, the same as among the conditions.
    pub(super) strength: Option<Box<Strength>>,
}

impl Rule {
    pub(super) fn new(settings: &RuleSettings, effect: Effect) -> Self {
        let strength = (!settings.strength.is_none()).then(|| Box::new(settings.strength.clone()));
        Self { conditions: Condition::all(settings, effect), strength }
    }

    /// Whether every condition is known to hold, or none is known to fail.
    #[inline] // every request passes here
    pub(super) fn holds(&self, question: &Question<'_>, certainty: Certainty) -> bool {
        let mut conditions = self.conditions.iter();
        match certainty {
            Certainty::Known => conditions.all(|condition| {
                mutant!(condition.holds(question), "unknown-allows" => condition.truth(question) != Truth::No)
            }),
            Certainty::Possible => conditions.all(|condition| {
                mutant!(condition.truth(question) != Truth::No, "deny-lapses-where-unknown" => condition.holds(question))
            }),
        }
    }

    /// Whether it would hold but for how strong the sign-in was: nothing else of it is unmet or unknown.
    pub(super) fn holds_but_for_strength(&self, question: &Question<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.is_of_strength() || condition.holds(question))
    }

    /// Whether nothing but who asks, and how they signed in, keeps it from holding.
    pub(super) fn may_hold_for_somebody(&self, question: &Question<'_>) -> bool {
        self.conditions.iter().all(|condition| !condition.is_of_request() || condition.holds(question))
    }

    /// The levels (`acr`) one of which it asks for.
    pub(super) fn levels(&self) -> impl Iterator<Item = &String> {
        self.strength.iter().flat_map(|strength| &strength.acr)
    }

    /// What is not known of what it asks.
    pub(super) fn unsaid(&self, question: &Question<'_>) -> Gaps {
        self.conditions.iter().filter_map(|condition| condition.truth(question).gap()).collect()
    }
}
