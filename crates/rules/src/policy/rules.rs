//! A list of rules, asked for the first that holds.

use super::condition::Side;
use super::index::Index;
use super::rule::{Rule, Sought};
use super::{Question, RuleSettings};
use crate::identity::Gaps;

/// Up to so many rules are walked: looking up costs more.
const FEW: usize = 4;

/// The `allow` or the `deny` rules of a policy, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    all: Box<[Rule]>,
    index: Option<Index>,
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
