//! A scale of counts: from nothing to a round number that nothing exceeds, with round steps.

use super::HEIGHT;

/// Steps at most.
const STEPS: u64 = 4;

/// A scale from 0 up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) struct Scale {
    step: u64,
    steps: u64,
}

impl Scale {
    /// The finest one of whole, round steps (1, 2 or 5 times a power of ten) that has room for `most`.
    pub(in crate::console) fn up_to(most: u64) -> Self {
        let most = most.max(1);
        let step = steps().find(|step| most.div_ceil(*step) <= STEPS).unwrap_or(u64::MAX);
        Self { step, steps: most.div_ceil(step) }
    }

    /// The number at its upper end.
    pub(in crate::console) const fn top(self) -> u64 {
        self.step.saturating_mul(self.steps)
    }

    /// The numbers that are written beside it, from the upper end down to 0, equally far apart.
    pub(in crate::console) fn ticks(self) -> impl Iterator<Item = u64> {
        (0..=self.steps).rev().map(move |tick| self.step.saturating_mul(tick))
    }

    /// How high `value` is in a plot, in units, rounded to the next one.
    pub(in crate::console) fn height(self, value: u64) -> u64 {
        let top = u128::from(self.top());
        let scaled = (u128::from(value.min(self.top())) * u128::from(HEIGHT) * 2 + top) / (2 * top);
        u64::try_from(scaled).unwrap_or(HEIGHT)
    }

    /// Where the lines of its ticks are in a plot, from above.
    pub(in crate::console) fn lines(self) -> Vec<u64> {
        self.ticks().map(|tick| HEIGHT - self.height(tick)).collect()
    }
}

/// 1, 2, 5, 10, 20, 50, …
fn steps() -> impl Iterator<Item = u64> {
    (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_are_round() {
        let ticks = |most| Scale::up_to(most).ticks().collect::<Vec<_>>();
        assert_eq!(ticks(0), [1, 0]);
        assert_eq!(ticks(3), [3, 2, 1, 0]);
        assert_eq!(ticks(7), [8, 6, 4, 2, 0]);
        assert_eq!(ticks(100), [100, 50, 0]);
        assert_eq!(ticks(101), [150, 100, 50, 0]);
        assert_eq!(ticks(1_234), [1_500, 1_000, 500, 0]);
    }

    proptest! {
        #[test]
        fn nothing_is_above_it_and_ticks_are_where_they_say(most in 0u64..u64::MAX / 4, part in 0u64..=1000) {
            let scale = Scale::up_to(most);
            prop_assert!(scale.top() >= most && scale.steps <= STEPS);
            // No finer one would do.
            let finer = steps().take_while(|step| *step < scale.step).last();
            prop_assert!(finer.is_none_or(|finer| most.max(1).div_ceil(finer) > STEPS));
            // Exact to half a unit, by arithmetic that cannot round.
            let value = u64::try_from(u128::from(scale.top()) * u128::from(part) / 1000).unwrap();
            let (drawn, top) = (u128::from(scale.height(value)), u128::from(scale.top()));
            let (is, should) = (drawn * top, u128::from(value) * u128::from(HEIGHT));
            prop_assert!(is.abs_diff(should) * 2 <= top, "{value} of {top} is drawn at {drawn}");
            for (tick, line) in scale.ticks().zip(scale.lines()) {
                prop_assert_eq!(HEIGHT - line, scale.height(tick));
            }
        }

        #[test]
        fn more_is_never_drawn_lower(most in 1u64..1_000_000, one in 0u64..1_000_000, other in 0u64..1_000_000) {
            let scale = Scale::up_to(most);
            prop_assert_eq!(one <= other || scale.height(one) >= scale.height(other), true);
        }
    }
}
