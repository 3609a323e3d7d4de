//! A route's access, compiled.

use super::condition::{Condition, Side};
use super::decision::Question;
use super::{AccessSettings, PolicySettings, RuleSettings};

/// How a route is opened, ready to be asked.
#[derive(Clone, Debug)]
pub struct Access {
    opening: Opening,
    policies: Box<[Policy]>,
}

/// To whom a route is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Public,
    SignedIn,
    Policies,
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) name: Box<str>,
    pub(super) allow: Box<[Rule]>,
    pub(super) deny: Box<[Rule]>,
}

/// Conditions, the cheapest first; all must hold.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) conditions: Box<[Condition]>,
}

impl Access {
    /// Compiles settings.
    #[must_use]
    pub fn compile(settings: &AccessSettings) -> Self {
        let (opening, policies) = match settings {
            AccessSettings::Public => (Opening::Public, Box::default()),
            AccessSettings::SignedIn => (Opening::SignedIn, Box::default()),
            AccessSettings::Policies(policies) => {
                (Opening::Policies, policies.iter().map(Policy::new).collect())
            }
        };
        Self { opening, policies }
    }

    /// Whether anybody may pass without being asked who they are.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.opening == Opening::Public
    }

    pub(super) const fn opening(&self) -> Opening {
        self.opening
    }

    pub(super) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// What the policy at `index` is called.
    pub(super) fn name(&self, index: usize) -> &str {
        self.policies.get(index).map_or("?", |policy| &policy.name)
    }
}

impl Policy {
    fn new(settings: &PolicySettings) -> Self {
        let rules = |rules: &[RuleSettings], side| rules.iter().map(|rule| Rule::new(rule, side)).collect();
        Self {
            name: settings.name.as_str().into(),
            allow: rules(&settings.allow, Side::Allow),
            deny: rules(&settings.deny, Side::Deny),
        }
    }
}

impl Rule {
    fn new(settings: &RuleSettings, side: Side) -> Self {
        Self { conditions: Condition::all(settings, side) }
    }

    pub(super) fn holds(&self, question: &Question<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(question))
    }
}
