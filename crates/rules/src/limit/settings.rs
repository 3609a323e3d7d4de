//! What a limit is made of, already valid.

use std::num::NonZeroU32;
use std::time::Duration;

use http::HeaderName;

/// Whom a limit counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// Each client address (IPv6 by its /64).
    Address,
    /// Each principal (provider and subject); requests without one are not counted.
    Principal,
    /// Everybody on the route together.
    Route,
    /// Each value of this header; requests without it share one count.
    Header(HeaderName),
}

/// So many requests in such a span: `"100/min"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Requests, at least one.
    pub count: NonZeroU32,
    /// The span they are spread over.
    pub period: Duration,
}

/// One limit of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitSettings {
    /// Whom it counts.
    pub per: Per,
    /// The sustained rate.
    pub rate: Rate,
    /// Requests that may come at once after silence; the rate's count where not given.
    pub burst: NonZeroU32,
}

/// Why a text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a rate such as \"100/min\": a whole number of at least 1, then /s, /min, /h or /day")]
pub struct RateError;

impl std::str::FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (count, unit) = text.split_once('/').ok_or(RateError)?;
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3600,
            "d" | "day" => 86_400,
            _ => return Err(RateError),
        };
        let count = count.trim().parse().map_err(|_| RateError)?;
        Ok(Self { count, period: Duration::from_secs(seconds) })
    }
}
