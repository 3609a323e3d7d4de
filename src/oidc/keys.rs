//! Where the keys come from that ID tokens are verified with.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// A provider's JSON Web Key Set (RFC 7517) as somebody else fetches and keeps it.
pub trait KeySource: Send + Sync {
    /// The JWKS document as it is known now; `None` while there is none.
    fn document(&self) -> Option<Arc<str>>;

    /// Asks for a fresh document because no key is called `kid`, or there is none at all; `false` where
    /// that was not done (cool-down) or failed. `kid` comes from an unverified token.
    fn refresh_for_unknown_kid(&self, kid: &str) -> BoxFuture<'_, bool>;

    /// Asks for the document at once where there is none or the last call failed: the provider answers again.
    fn recover(&self) -> BoxFuture<'_, ()>;

    /// Whether the last call for the document gave none.
    fn is_failing(&self) -> bool;
}
