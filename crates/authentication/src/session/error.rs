//! Why a session could not be had.

use std::error::Error;
use std::sync::Arc;

/// The session store did not answer: ours to mend, and 503 for the client (never a pass).
#[derive(Clone, Debug, thiserror::Error)]
#[error("the session store is unavailable: {cause}")]
pub struct StoreUnavailable {
    #[source]
    cause: Arc<dyn Error + Send + Sync>,
}

impl StoreUnavailable {
    /// Keeps `cause` for the log.
    #[must_use]
    pub fn new(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Arc::new(cause) }
    }

    /// A record could not be sealed for the store.
    pub(super) fn unsealed() -> Self {
        Self::new(StoreFault::Sealing)
    }
}

/// Why a session could not be made or changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SessionError {
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
    /// It, or the root session it hangs on, has ended meanwhile: the person signs in again.
    #[error("the session has ended")]
    Ended,
}

/// What keeps an answer of the store from being used.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum StoreFault {
    #[error("the session kept changing while it was read; try again")]
    Contended,
    #[error("a session record could not be sealed")]
    Sealing,
    #[error("no key of `[state] key` vouches for the session")]
    Unvouched,
    #[error("what other gateways end was not heard for too long")]
    Unheard,
}
