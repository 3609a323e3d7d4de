//! What somebody may do in the console.

use std::fmt;

/// Each may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees how the gateway is.
    Viewer,
    /// Sees people, and what they did.
    Auditor,
    /// Acts: ends sessions, has keys rotated and the configuration read again.
    Operator,
}

/// The word of the configuration for it.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        })
    }
}
