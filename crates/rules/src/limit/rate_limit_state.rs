//! How much is left to somebody, and that nothing is.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::policy::{QuotaPolicy, whole_seconds};

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What the strictest limit that counted a request leaves to the next one; nothing where none counted it.
#[derive(Clone, Debug, Default)]
pub struct RateLimitState(Option<ServiceLimit>);

/// A service limit (draft-ietf-httpapi-ratelimit-headers, section 4.1).
#[derive(Clone, Debug)]
struct ServiceLimit {
    policy: Arc<QuotaPolicy>,
    /// Requests that may still come at once (`r`).
    available: u32,
    /// The time within which no more than these may come (`t`).
    window: Duration,
}

impl RateLimitState {
    /// A client that spreads what is left over its window keeps exactly to the rate, so the window grows with
    /// it: 8.5 of the draft warns of a large quota told with a short window.
    pub(super) fn new(policy: &Arc<QuotaPolicy>, available: u32) -> Self {
        let window = policy.time_for(available.max(1));
        Self(Some(ServiceLimit { policy: Arc::clone(policy), available, window }))
    }

    /// The stricter of the two: the one that leaves less, and of these the one that takes longer to recover.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        match (&self.0, &other.0) {
            (_, None) => self,
            (Some(mine), Some(others)) if mine.is_as_strict_as(others) => self,
            (None | Some(_), Some(_)) => other,
        }
    }

    /// Adds `RateLimit-Policy` and `RateLimit` to an answer, beside those an upstream may have set: both are
    /// lists (sections 3 and 4 of the draft). Adds nothing where no limit counted the request.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        if let Some(limit) = &self.0 {
            limit.write(headers);
        }
    }

    /// The name of the limit and the requests it leaves.
    #[cfg(test)]
    pub(super) fn told(&self) -> Option<(&str, u32)> {
        self.0.as_ref().map(|limit| (limit.policy.name.as_str(), limit.available))
    }
}

impl ServiceLimit {
    fn is_as_strict_as(&self, other: &Self) -> bool {
        (self.available, other.window) <= (other.available, self.window)
    }

    fn write(&self, headers: &mut HeaderMap) {
        let (name, available, window) = (&self.policy.name, self.available, whole_seconds(self.window));
        let value = HeaderValue::try_from(format!("\"{name}\";r={available};t={window}"));
        if let (Some(policies), Ok(value)) = (&self.policy.field, value) {
            headers.append(RATELIMIT_POLICY, policies.clone());
            headers.append(RATELIMIT, value);
        }
    }
}

/// A request over a rate: 429 (RFC 6585, section 4). It says nothing of whose requests were counted.
#[derive(Clone, Debug)]
pub struct Exceeded(ServiceLimit);

impl Exceeded {
    pub(super) fn new(policy: &Arc<QuotaPolicy>, wait: Duration) -> Self {
        Self(ServiceLimit { policy: Arc::clone(policy), available: 0, window: wait })
    }

    /// How long it takes until the limit lets another request pass, if no other comes in between.
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        self.0.window
    }

    /// Sets `Retry-After` (RFC 9110, section 10.2.3; whole seconds, rounded up) and adds `RateLimit-Policy` and
    /// `RateLimit`, whose window ends at the same moment.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(self.0.window)));
        self.0.write(headers);
    }
}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (policy, wait) = (&self.0.policy, whole_seconds(self.0.window));
        let (name, burst, window) = (&policy.name, policy.burst(), policy.window());
        write!(f, "over the route's limit \"{name}\": {burst} in {window} s; retry in {wait} s")
    }
}

impl std::error::Error for Exceeded {}
