//! Permission as a value: only the decision makes one, and `forward` takes nothing else.

use std::sync::Arc;

use super::Reason;
use crate::identity::Principal;

/// That a request may go on, and in whose name.
#[derive(Clone, Debug)]
pub struct Permit {
    grant: Grant,
    reason: Reason,
}

/// In whose name a request goes on. Public and allowed are different things.
#[derive(Clone, Debug)]
pub enum Grant {
    /// The route is open; whoever asks is nobody to the app.
    Public,
    /// The policy allowed this principal.
    Principal(Arc<Principal>),
}

impl Permit {
    pub(super) const fn new(grant: Grant, reason: Reason) -> Self {
        Self { grant, reason }
    }

    /// In whose name the request goes on.
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Which access setting or rule permitted it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The principal, where there is one.
    #[must_use]
    pub const fn principal(&self) -> Option<&Arc<Principal>> {
        match &self.grant {
            Grant::Public => None,
            Grant::Principal(principal) => Some(principal),
        }
    }

    /// A permit for tests of the rooms behind the policy.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn for_tests(grant: Grant) -> Self {
        let reason = match grant {
            Grant::Public => Reason::Public,
            Grant::Principal(_) => Reason::SignedIn,
        };
        Self { grant, reason }
    }
}
