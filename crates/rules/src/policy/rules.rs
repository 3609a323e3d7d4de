//! A list of rules, asked for the first that holds.

use super::condition::Effect;
use super::index::Index;
use super::rule::{Certainty, Rule};
use super::{Question, RuleSettings};
use crate::identity::Gaps;

/// The most rules that are asked one after the other: among so few, an index costs more than it saves.
const FEW: usize = 4;

/// The `allow` or the `deny` rules of a policy, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    all: Box<[Rule]>,
    index: Option<Index>,
}

impl Rules {
    pub(super) fn new(settings: &[RuleSettings], effect: Effect) -> Self {
        let all: Box<[Rule]> = settings.iter().map(|rule| Rule::new(rule, effect)).collect();
        let index = (all.len() > FEW).then(|| Index::new(&all));
        Self { all, index }
    }

    /// The first rule that holds.
    pub(super) fn first(&self, question: &Question<'_>, certainty: Certainty) -> Option<usize> {
        match &self.index {
            None => self.all.iter().position(|rule| rule.holds(question, certainty)),
            Some(index) => index.first(question, certainty, |rule| self.all[rule].holds(question, certainty)),
        }
    }

    /// Whether any of them asks how strong the sign-in was.
    pub(super) fn ask_for_strength(&self) -> bool {
        self.all.iter().any(|rule| rule.strength.is_some())
    }

    /// Those that hold but for how strong the sign-in was, each with its place.
    pub(super) fn but_for_strength(&self, question: &Question<'_>) -> Vec<(usize, &Rule)> {
        let rules = self.all.iter().enumerate();
        rules.filter(|(_, rule)| rule.holds_but_for_strength(question)).collect()
    }

    /// Those that would hold for such a request of somebody's.
    pub(super) fn for_somebody(&self, question: &Question<'_>) -> impl Iterator<Item = &Rule> {
        self.all.iter().filter(|rule| rule.may_hold_for_somebody(question))
    }

    /// What is not known of what the rule at `index` asks.
    pub(super) fn unsaid(&self, index: usize, question: &Question<'_>) -> Gaps {
        self.all.get(index).map(|rule| rule.unsaid(question)).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.all.iter()
    }
}
