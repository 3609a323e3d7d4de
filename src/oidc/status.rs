//! Whether a provider can do its work.

use crate::clock::Timestamp;

/// Whether a provider can do its work, since when, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderStatus {
    /// Its metadata are known.
    Ready {
        /// The first success after the last outage.
        since: Timestamp,
    },
    /// They have never been found.
    Unavailable {
        /// When the gateway began to look.
        since: Timestamp,
        /// The last attempt's error; for operators, not for the public.
        reason: String,
    },
}
