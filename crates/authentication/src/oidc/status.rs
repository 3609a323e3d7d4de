//! Whether a provider can do its work.

use crate::clock::Timestamp;

/// Whether a provider can do its work, since when, and why not. Reasons are for operators, not for the public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderStatus {
    /// Its metadata are known, and what was last called answered.
    Ready {
        /// The first success after the last outage.
        since: Timestamp,
    },
    /// Its metadata are known, but a call failed. People are sent there all the same.
    Failing {
        /// When that began.
        since: Timestamp,
        /// The last error.
        reason: String,
    },
    /// Its metadata have never been found, or it does not answer at all. Nobody is sent there.
    Unavailable {
        /// When that began, or when the gateway began to look.
        since: Timestamp,
        /// The last attempt's error.
        reason: String,
    },
}
