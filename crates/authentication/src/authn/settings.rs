//! Bounds of the bearer token caches.

use std::time::Duration;

/// The largest credential, in bytes; a token above it is refused unread.
pub(super) const MAX_TOKEN: usize = 16 * 1024;

/// How much is remembered of tokens that were checked. The defaults are meant to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BearerSettings {
    /// Memory for verified tokens, in bytes (by estimate: some 30,000 tokens of usual size).
    pub verified_bytes: u64,
    /// The longest time a verified token is remembered; its `exp` and its key may end it sooner.
    pub verified_time: Duration,
    /// How many refused tokens are remembered: apart from the verified ones, which no flood evicts.
    pub refused_entries: u64,
    /// How long a refusal is remembered.
    pub refused_time: Duration,
}

impl Default for BearerSettings {
    fn default() -> Self {
        Self {
            verified_bytes: 128 * 1024 * 1024,
            verified_time: Duration::from_secs(5 * 60),
            refused_entries: 10_000,
            refused_time: Duration::from_secs(10),
        }
    }
}
