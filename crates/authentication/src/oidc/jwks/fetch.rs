//! Where key sets come from.

use std::error::Error;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Gets the document behind the provider's `jwks_uri`. The address is the implementor's, taken from
/// discovery: nothing in a token reaches it (invariant 16).
pub trait Fetch: Send + Sync {
    /// One call to the provider, bounded in time and size by the implementor.
    fn fetch(&self) -> BoxFuture<'_, Result<FetchedKeys, FetchError>>;
}

/// What the provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedKeys {
    /// The JWK Set (RFC 7517, section 5), unread.
    pub body: Vec<u8>,
    /// `max-age` of the answer's `Cache-Control`.
    pub max_age: Option<Duration>,
}

/// Why no key set came: the provider is to blame, or the way to it.
#[derive(Debug, thiserror::Error)]
#[error("the keys could not be fetched: {0}")]
pub struct FetchError(#[source] Box<dyn Error + Send + Sync>);

impl FetchError {
    /// Wraps the cause.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
