//! A list of rules, asked for the first that holds.

use super::condition::{Condition, Side};
use super::index::Index;
use super::{Question, RuleSettings};

/// Up to so many rules are walked: looking up costs more.
const FEW: usize = 4;

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
    pub(super) fn first(&self, question: &Question<'_>) -> Option<usize> {
        match &self.index {
            None => self.all.iter().position(|rule| rule.holds(question)),
            Some(index) => index.first(question, |rule| self.all[rule].holds(question)),
        }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.all.iter()
    }
}

impl Rule {
    fn new(settings: &RuleSettings, side: Side) -> Self {
        Self { conditions: Condition::all(settings, side) }
    }

    fn holds(&self, question: &Question<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(question))
    }
}
