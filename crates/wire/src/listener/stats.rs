//! How many connections were accepted, and why others, or requests on them, were refused.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a connection, or the request on it, ended before the gateway saw a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionRefusal {
    /// The PROXY protocol header was missing, malformed or of the wrong version.
    ProxyHeader,
    /// The TLS handshake failed.
    Handshake,
    /// PROXY header, TLS handshake or request head took too long.
    Slow,
    /// A request that two servers could read differently: 400.
    Ambiguous,
    /// A request that is not HTTP: 400, or the connection's end.
    Malformed,
    /// A head too large, or with too many fields: 431 or 414.
    TooLarge,
    /// A peer that did not read what it asked for.
    Stalled,
    /// A silent connection whose place a newcomer took.
    Evicted,
}

impl ConnectionRefusal {
    /// All of them, in the order of [`ConnectionStats::refused`].
    pub const ALL: [Self; 8] = [
        Self::ProxyHeader,
        Self::Handshake,
        Self::Slow,
        Self::Ambiguous,
        Self::Malformed,
        Self::TooLarge,
        Self::Stalled,
        Self::Evicted,
    ];

    /// A word for a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProxyHeader => "proxy_header",
            Self::Handshake => "handshake",
            Self::Slow => "slow",
            Self::Ambiguous => "ambiguous",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Stalled => "stalled",
            Self::Evicted => "evicted",
        }
    }
}

/// Counts of one listener over all workers, touched once a connection and never on a good request's way.
#[derive(Debug, Default)]
pub struct ConnectionStats {
    accepted: AtomicU64,
    refused: [AtomicU64; ConnectionRefusal::ALL.len()],
}

impl ConnectionStats {
    /// Connections accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// Refusals of this kind so far.
    #[must_use]
    pub fn refused(&self, refusal: ConnectionRefusal) -> u64 {
        self.refused[refusal as usize].load(Relaxed)
    }

    pub(super) fn accept(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(super) fn count(&self, refusal: ConnectionRefusal) {
        self.refused[refusal as usize].fetch_add(1, Relaxed);
    }
}
