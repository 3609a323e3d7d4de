//! A limit as the algorithm wants it, and as clients are told of it.

use std::fmt::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use http::HeaderValue;

use super::{LimitSettings, Per};

/// The longest that a full burst may take to come back, in nanoseconds (146 years): sums of such spans and the
/// time since the start stay within 64 bits.
const LONGEST: u64 = u64::MAX / 4;

/// A quota policy (draft-ietf-httpapi-ratelimit-headers, section 3.1).
///
/// It has no partition key (`pk`): the name says whom it counts, and with a digest at hand strangers could search
/// for keys that share a place with somebody else's.
#[derive(Debug)]
pub(super) struct QuotaPolicy {
    pub(super) name: String,
    pub(super) quota: Quota,
    /// The `RateLimit-Policy` field of the whole route: the same for all of its answers.
    pub(super) field: Option<HeaderValue>,
}

impl QuotaPolicy {
    /// The policies of a route, in the order of its `limits`.
    pub(super) fn all(limits: &[LimitSettings]) -> Vec<Self> {
        let quotas = limits.iter().map(quota);
        let mut policies: Vec<_> = names(limits)
            .into_iter()
            .zip(quotas)
            .map(|(name, quota)| Self { name, quota, field: None })
            .collect();
        let field = field(&policies);
        policies.iter_mut().for_each(|policy| policy.field.clone_from(&field));
        policies
    }

    /// The requests that may come at once (`q`).
    pub(super) const fn burst(&self) -> u32 {
        self.quota.burst_size().get()
    }

    /// The time in which the rate gives so many requests again.
    pub(super) const fn time_for(&self, requests: u32) -> Duration {
        self.quota.replenish_interval().saturating_mul(requests)
    }

    /// The time in which a full burst comes back (`w`), in seconds.
    pub(super) const fn window(&self) -> u64 {
        whole_seconds(self.time_for(self.burst()))
    }
}

/// Seconds, rounded up: whoever waits that long has waited long enough. At least 1, for a window of no time is
/// none (section 3.1.3).
pub(super) const fn whole_seconds(span: Duration) -> u64 {
    let part = if span.subsec_nanos() > 0 { 1 } else { 0 };
    let seconds = span.as_secs().saturating_add(part);
    if seconds == 0 { 1 } else { seconds }
}

/// What cannot be represented becomes stricter, never laxer: intervals are rounded up, bursts are cut.
fn quota(limit: &LimitSettings) -> Quota {
    let interval = limit.rate.period.as_nanos().div_ceil(limit.rate.count.get().into());
    let interval = u64::try_from(interval).unwrap_or(LONGEST).clamp(1, LONGEST);
    let most = u32::try_from(LONGEST / interval).unwrap_or(u32::MAX);
    let burst = NonZeroU32::new(limit.burst.get().min(most)).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(Duration::from_nanos(interval));
    quota.unwrap_or_else(|| Quota::per_hour(NonZeroU32::MIN)).allow_burst(burst)
}

/// `address`, `principal`, `route`, `header`; the second of a kind is `address-2`.
fn names(limits: &[LimitSettings]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(limits.len());
    for word in limits.iter().map(|limit| word(&limit.per)) {
        let before = names.iter().filter(|name| name.split('-').next() == Some(word)).count();
        names.push(if before == 0 { word.to_owned() } else { format!("{word}-{}", before + 1) });
    }
    names
}

const fn word(per: &Per) -> &'static str {
    match per {
        Per::Address => "address",
        Per::Principal => "principal",
        Per::Route => "route",
        Per::Header(_) => "header",
    }
}

/// A list of structured fields (RFC 9651, section 3.1).
fn field(policies: &[QuotaPolicy]) -> Option<HeaderValue> {
    let mut text = String::new();
    for policy in policies {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}\"{}\";q={};w={}", policy.name, policy.burst(), policy.window());
    }
    HeaderValue::try_from(text).ok()
}
