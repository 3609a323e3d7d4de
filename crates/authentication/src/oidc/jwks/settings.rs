//! How many keys there may be, and how long they live.

use std::time::Duration;

use crate::oidc::http::MAX_BODY;

/// The largest document, in bytes: what is taken from a provider at most.
pub(super) const MAX_BYTES: usize = MAX_BODY;
/// The most keys in a document, usable or not. Providers publish two to a dozen; one that keeps every key that it
/// ever had for a client of its own fits as well.
pub(super) const MAX_KEYS: usize = 1_000;
/// The most keys that are tried for one token.
pub(super) const MAX_TRIED: usize = 16;

/// Lifetimes of a key set. The defaults are meant to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwksSettings {
    /// Lifetime where the provider's answer has no `Cache-Control: max-age`.
    pub default_lifetime: Duration,
    /// A shorter `max-age` is raised to this, so that `max-age=0` does not hammer the provider.
    pub min_lifetime: Duration,
    /// A longer `max-age` is cut to this, so that a withdrawn key does not work for a year.
    pub max_lifetime: Duration,
    /// How long beyond their lifetime keys are trusted while the provider is away; then fail closed.
    pub stale: Duration,
    /// The shortest time between two fetches, whatever tokens come in.
    pub cool_down: Duration,
}

impl Default for JwksSettings {
    fn default() -> Self {
        Self {
            default_lifetime: Duration::from_secs(3600),
            min_lifetime: Duration::from_secs(5 * 60),
            max_lifetime: Duration::from_secs(24 * 3600),
            stale: Duration::from_secs(24 * 3600),
            cool_down: Duration::from_secs(10),
        }
    }
}

impl JwksSettings {
    /// The lifetime of keys whose answer carried `max_age`.
    pub(super) fn lifetime(&self, max_age: Option<Duration>) -> Duration {
        max_age.unwrap_or(self.default_lifetime).max(self.min_lifetime).min(self.max_lifetime)
    }
}
