//! A list of rules, asked for the first that holds.

use super::condition::{Condition, Side, Truth};
use super::index::Index;
use super::{Question, RuleSettings};
use crate::identity::Gaps;

/// Up to so many rules are walked: looking up costs more.
const FEW: usize = 4;

/// Which rules count as holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// Those of which every condition is known to hold: what allows.
    Known,
    /// Those of which no condition is known to fail: what denies.
    Possible,
}

/// The `allow` or the `deny` rules of a policy, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    all: Box<[Rule]>,
    index: Option<Index>,
}

/// Conditions, the cheapest first; all must hold.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) conditions: Box<[Condition]>,
}

impl Rules {
    pub(super) fn new(settings: &[RuleSettings], side: Side) -> Self {
        let all: Box<[Rule]> = settings.iter().map(|rule| Rule::new(rule, side)).collect();
        let index = (all.len() > FEW).then(|| Index::new(&all));
        Self { all, index }
    }

    /// The first rule that holds.
    pub(super) fn first(&self, question: &Question<'_>, sought: Sought) -> Option<usize> {
        match &self.index {
            None => self.all.iter().position(|rule| rule.holds(question, sought)),
            Some(index) => index.first(question, sought, |rule| self.all[rule].holds(question, sought)),
        }
    }

    /// What is not known of what the rule at `index` asks.
    pub(super) fn unsaid(&self, index: usize, question: &Question<'_>) -> Gaps {
        self.all.get(index).map(|rule| rule.unsaid(question)).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.all.iter()
    }
}

impl Rule {
    fn new(settings: &RuleSettings, side: Side) -> Self {
        Self { conditions: Condition::all(settings, side) }
    }

    /// Whether every condition is known to hold, or none is known to fail.
    pub(super) fn holds(&self, question: &Question<'_>, sought: Sought) -> bool {
        let mut conditions = self.conditions.iter();
        match sought {
            Sought::Known => conditions.all(|condition| {
                mutant!(condition.holds(question), "unknown-allows" => condition.truth(question) != Truth::No)
            }),
            Sought::Possible => conditions.all(|condition| {
                mutant!(condition.truth(question) != Truth::No, "deny-lapses-where-unknown" => condition.holds(question))
            }),
        }
    }

    fn unsaid(&self, question: &Question<'_>) -> Gaps {
        self.conditions.iter().filter_map(|condition| condition.truth(question).gap()).collect()
    }
}
