//! A route's access, compiled.

use super::condition::Effect;
use super::rules::Rules;
use super::{AccessSettings, PolicySettings};

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
    pub(super) allow: Rules,
    pub(super) deny: Rules,
}

impl Access {
    /// Indexes the rules by what they ask for, so that a decision looks at few of them.
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
        Self {
            name: settings.name.as_str().into(),
            allow: Rules::new(&settings.allow, Effect::Allow),
            deny: Rules::new(&settings.deny, Effect::Deny),
        }
    }
}
