//! Which traces are recorded, by their identifiers: whoever samples as much chooses the same ones.

use super::TraceId;

/// Takes a share of all traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// The last seven bytes of the identifiers that are taken, at least.
    from: u64,
}

/// One more than the last seven bytes can be. They alone are random in all systems (W3C Trace Context 2, section 3.2.2.3).
const RANGE: u64 = 1 << 56;

impl Sampler {
    /// Takes this share, from 0 to 1.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and 2^56, and the share is not that exact"
    )]
    pub fn new(share: f64) -> Self {
        let taken = share.clamp(0.0, 1.0) * RANGE as f64;
        Self { from: RANGE - taken as u64 }
    }

    /// Whether the trace is among those.
    #[must_use]
    pub fn takes(self, trace: TraceId) -> bool {
        let number = u128::from_be_bytes(trace.bytes());
        number & u128::from(RANGE - 1) >= u128::from(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TraceIds;

    fn ending(byte: u8) -> TraceId {
        let mut bytes = [0xAA; 16];
        bytes[9..].copy_from_slice(&[byte; 7]);
        TraceId::new(bytes).unwrap()
    }

    #[test]
    fn none_all_and_a_share_are_taken() {
        let takes = |share: f64, byte: u8| Sampler::new(share).takes(ending(byte));
        assert!(!takes(0.0, 0xFF) && !takes(-1.0, 0xFF) && !takes(f64::NAN, 0xFF));
        assert!(takes(1.0, 0) && takes(2.0, 0));
        assert!(takes(0.5, 0x80) && !takes(0.5, 0x7F));
    }

    #[test]
    fn the_share_is_what_was_asked_for() {
        let (ids, sampler) = (TraceIds::random(), Sampler::new(0.1));
        let taken = (0..100_000).filter(|_| sampler.takes(ids.next().0)).count();
        assert!((9_000..11_000).contains(&taken), "{taken} of 100000");
    }
}
