//! Identifiers of traces and spans that do not repeat.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{SpanId, TraceId};
use portcullis_rules::secret::random_bytes;

/// Makes identifiers: a counter, spread over all bits from a random start. They are no secrets, and one is made for every
/// request.
#[derive(Debug)]
pub struct TraceIds {
    next: AtomicU64,
    /// What sets this process apart from others whose counters stand alike.
    own: u64,
}

impl TraceIds {
    /// With a start of its own.
    #[must_use]
    pub fn random() -> Self {
        let random = || u64::from_ne_bytes(random_bytes());
        Self { next: AtomicU64::new(random()), own: random() }
    }

    /// A new trace, and a span.
    pub fn next(&self) -> (TraceId, SpanId) {
        let number = self.next.fetch_add(1, Relaxed);
        let (high, low) = (spread(number.wrapping_add(self.own)), spread(number));
        let trace = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        let span = spread(!number ^ self.own).to_be_bytes();
        // One in 2^64 is zero, which is no identifier.
        match (TraceId::new(trace), SpanId::new(span)) {
            (Some(trace), Some(span)) => (trace, span),
            _ => self.next(),
        }
    }

    /// A new span of a trace that is known.
    pub fn next_span(&self) -> SpanId {
        self.next().1
    }
}

/// A bijection on 64 bits (the finalizer of SplitMix64), so that neighbours look unlike each other.
const fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_do_not_repeat() {
        let ids = [TraceIds::random(), TraceIds::random()];
        let made: Vec<_> = (0..20_000).map(|at| ids[at % 2].next()).collect();
        let traces: HashSet<TraceId> = made.iter().map(|(trace, _)| *trace).collect();
        let spans: HashSet<SpanId> = made.iter().map(|(_, span)| *span).collect();
        assert_eq!((traces.len(), spans.len()), (20_000, 20_000));
    }
}
