//! Why a shared count could not be had. Nobody is refused for it: the replica counts for itself.

use crate::session::StoreUnavailable;

/// Why the store has not counted a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RateError {
    /// It does not answer, or refuses what every count needs.
    #[error(transparent)]
    Away(#[from] StoreUnavailable),
    /// It has answered, and what it said of this count makes no sense: something else has written there.
    #[error("the store answers what is no count: {0}")]
    Nonsense(String),
}
