//! Why a `COPY` or `MOVE` may not lead where it is to lead.

use crate::request::{PathError, PathExceptions};

/// Why a request may not lead where it is to lead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DestinationError {
    /// RFC 4918, section 8.3: an absolute URI or an absolute path. `//host/path` is neither.
    #[error("Destination must be there once, as an absolute path or an address with one, without a query")]
    Unclear,
    /// Two programs could read its path differently.
    #[error("Destination: {0}")]
    Path(#[from] PathError),
    /// The same, in a way that a route may tolerate and this one does not.
    #[error("Destination: the path has {}, which this route does not tolerate", listed(.0))]
    Untolerated(PathExceptions),
    /// A server could read it as a path that is another route's or that the rules refuse.
    #[error("Destination: a server could read its path as one that is not permitted")]
    Ambiguous,
    /// It is on another server (RFC 4918, section 9.8.5).
    #[error("Destination is on another host than the request")]
    OtherHost,
    /// It is another route's path: whether anything may be put there is for that route to decide.
    #[error("Destination is another route's")]
    OtherRoute,
    /// The rules refuse it.
    #[error("Destination is {path:?}: {rule}")]
    Forbidden {
        /// Its path, decoded.
        path: String,
        /// What decided, for the log and nobody else.
        rule: String,
    },
}

impl DestinationError {
    /// Whether the destination is clear and is not open to the sender.
    pub(super) const fn is_forbidden(&self) -> bool {
        matches!(self, Self::OtherRoute | Self::Forbidden { .. })
    }

    /// What its sender is told.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Forbidden { .. } => {
                "You may not put anything at the path in Destination. The request_id leads to the rule in the log.".into()
            }
            Self::Unclear
            | Self::Path(_)
            | Self::Untolerated(_)
            | Self::Ambiguous
            | Self::OtherHost
            | Self::OtherRoute => self.to_string(),
        }
    }
}

fn listed(exceptions: &PathExceptions) -> String {
    exceptions.iter().map(|exception| exception.as_str()).collect::<Vec<_>>().join(" and ")
}
