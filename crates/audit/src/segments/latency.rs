//! How long requests took, in eight steps.

/// Counts of spans, by their length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency(pub [u64; 8]);

impl Latency {
    /// The longest span of each step but the last, which has none: in microseconds.
    pub const STEPS: [u64; 7] = [1_000, 5_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

    /// One span.
    #[must_use]
    pub fn of(us: u64) -> Self {
        let mut one = Self::default();
        one.0[Self::STEPS.partition_point(|longest| *longest < us)] = 1;
        one
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count = count.saturating_add(more));
    }

    /// All of them.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// As few bytes as there can be: seven bits each, the lowest first.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12);
        for mut count in self.0 {
            while count > 0x7F {
                bytes.push((count & 0x7F) as u8 | 0x80);
                count >>= 7;
            }
            bytes.push(count as u8);
        }
        bytes
    }

    /// What [`Latency::to_bytes`] has written; none where it is something else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut counts, mut bytes) = ([0; 8], bytes.iter());
        for count in &mut counts {
            for shift in (0..64).step_by(7) {
                let byte = *bytes.next()?;
                *count |= u64::from(byte & 0x7F) << shift;
                if byte < 0x80 {
                    break;
                }
            }
        }
        bytes.next().is_none().then_some(Self(counts))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_span_is_counted_at_its_step() {
        for (us, step) in [(0, 0), (1_000, 0), (1_001, 1), (10_000_000, 6), (10_000_001, 7), (u64::MAX, 7)] {
            assert_eq!(Latency::of(us).0.iter().position(|count| *count == 1), Some(step), "{us}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(counts in any::<[u64; 8]>(), junk in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(Latency::from_bytes(&Latency(counts).to_bytes()), Some(Latency(counts)));
            let _ = Latency::from_bytes(&junk);
        }
    }
}
