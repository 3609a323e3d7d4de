//! Why a decision was made, in the words that log, refusal page and `explain` share.

use std::fmt;

use super::Access;
use crate::identity::{Gap, Gaps};

/// Why a decision was made. Policies and rules are counted from 0 here and from 1 in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The route is open to anybody.
    Public,
    /// Being signed in is enough.
    SignedIn,
    /// Every policy allows.
    Allowed {
        /// The last of the policies.
        policy: usize,
        /// Which of its `allow` rules holds.
        rule: usize,
    },
    /// A preflight, which the route's app answers itself.
    Preflight,
    /// Nobody is signed in.
    NotSignedIn,
    /// A `deny` rule holds.
    Denied {
        /// The place of its policy among those of the route.
        policy: usize,
        /// Which of the policy's `deny` rules.
        rule: usize,
        /// What the provider did not say; then the rule holds as far as is known.
        unsaid: Gaps,
    },
    /// No `allow` rule of a policy holds.
    NotAllowed {
        /// The first such policy.
        policy: usize,
        /// What the provider did not say, where a rule would hold if it had.
        unsaid: Gaps,
    },
    /// The rules allow, but for how strong the sign-in was.
    StepUp {
        /// The first policy that does not allow.
        policy: usize,
        /// Which of its `allow` rules a stronger sign-in would meet.
        rule: usize,
    },
    /// The route requires policies and has none, which is a fault of ours: nobody is let in.
    NoPolicy,
}

/// What a decision comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The request goes on.
    Permitted,
    /// Signing in may help.
    SignIn,
    /// Signing in anew, in a stronger way, helps the same person.
    StepUp,
    /// Signing in as the same person does not help.
    Forbidden,
}

impl Reason {
    /// What a decision for this reason comes to.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Public | Self::SignedIn | Self::Allowed { .. } | Self::Preflight => Verdict::Permitted,
            Self::NotSignedIn => Verdict::SignIn,
            Self::StepUp { .. } => Verdict::StepUp,
            Self::Denied { .. } | Self::NotAllowed { .. } | Self::NoPolicy => Verdict::Forbidden,
        }
    }

    /// What the provider did not say and this decision hangs on.
    #[must_use]
    pub const fn unsaid(self) -> Option<Gaps> {
        match self {
            Self::Denied { unsaid, .. } | Self::NotAllowed { unsaid, .. } if !unsaid.is_empty() => {
                Some(unsaid)
            }
            Self::Denied { .. }
            | Self::NotAllowed { .. }
            | Self::Public
            | Self::Preflight
            | Self::SignedIn
            | Self::Allowed { .. }
            | Self::NotSignedIn
            | Self::StepUp { .. }
            | Self::NoPolicy => None,
        }
    }

    /// The reason in words, with the names that policies have in `access`.
    #[must_use]
    pub const fn in_words(self, access: &Access) -> ReasonText<'_> {
        ReasonText { reason: self, access }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permitted => "permitted",
            Self::SignIn => "sign-in required",
            Self::StepUp => "step-up required",
            Self::Forbidden => "forbidden",
        })
    }
}

/// A [`Reason`] in words: `policy staff, allow rule 2`.
#[derive(Clone, Copy, Debug)]
pub struct ReasonText<'a> {
    reason: Reason,
    access: &'a Access,
}

impl fmt::Display for ReasonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |policy| self.access.name(policy);
        match self.reason {
            Reason::Public => f.write_str("the route is public"),
            Reason::Preflight => f.write_str("a preflight, which the app answers"),
            Reason::SignedIn => f.write_str("the route is open to everybody who is signed in"),
            Reason::NotSignedIn => f.write_str("nobody is signed in"),
            Reason::NoPolicy => f.write_str("the route has no policy"),
            Reason::Allowed { policy, rule } => write!(f, "policy {}, allow rule {}", name(policy), rule + 1),
            Reason::Denied { policy, rule, .. } => {
                write!(f, "policy {}, deny rule {}", name(policy), rule + 1)
            }
            Reason::StepUp { policy, rule } => {
                write!(f, "policy {}, allow rule {} needs a stronger sign-in", name(policy), rule + 1)
            }
            Reason::NotAllowed { policy, .. } => write!(f, "policy {}, no allow rule holds", name(policy)),
        }?;
        match self.reason.unsaid() {
            None => Ok(()),
            // No provider could say that.
            Some(unsaid) if unsaid.has(Gap::Binding) => write!(f, "; it is not known yet {unsaid}"),
            Some(unsaid) => write!(f, "; the provider did not list {unsaid}"),
        }
    }
}
