//! `NumericDate` (RFC 7519, section 2): seconds since the epoch, with parts of a second or without.

use serde_json::{Map, Value};

use crate::clock::Timestamp;

/// The number above which not every whole second can be told from the next.
const LAST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The date that the claim called `name` holds, in its last whole second; `None` where it is missing or no date.
pub(super) fn numeric_date(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    lenient(claims.get(name)?)
}

/// The same of a value. What lies too far ahead is the end of time.
pub(super) fn lenient(value: &Value) -> Option<Timestamp> {
    let fraction = || value.as_f64().filter(|seconds| *seconds >= 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; not negative")]
    value.as_u64().or_else(|| fraction().map(|seconds| seconds as u64)).map(Timestamp::from_seconds)
}

/// A date whose fraction is rounded by `round`; `None` for what is no date, or lies so far ahead that its seconds are
/// not told apart.
pub(crate) fn strict(value: &Value, round: fn(f64) -> f64) -> Option<Timestamp> {
    let rounded = || value.as_f64().map(round).filter(|seconds| (0.0..=LAST_EXACT).contains(seconds));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    value.as_u64().or_else(|| rounded().map(|seconds| seconds as u64)).map(Timestamp::from_seconds)
}
