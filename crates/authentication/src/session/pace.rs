//! How much one step of a sweep removes.
//!
//! Everybody else's operations run between two steps, so that nobody waits for longer than one. What a step costs hangs on
//! the disk and on how much there is: among a million sessions each one lies on other pages, all of which are written. So
//! a step that took too long makes the next ones smaller, and those that did not make them larger again.

use std::time::Duration;

/// The most that a step removes.
const MOST: u32 = 20;
/// The least: with fewer, a sweep would be slower than sign-ins are.
const LEAST: u32 = 2;
/// What a step may take.
const SPAN: Duration = Duration::from_millis(5);

/// The size of a sweep's next step.
#[derive(Clone, Copy, Debug)]
pub struct SweepPace(u32);

impl SweepPace {
    /// Begins small: nothing is known of the disk yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(LEAST)
    }

    /// How many families the next step removes.
    #[must_use]
    pub const fn limit(self) -> u32 {
        self.0
    }

    /// The size of the step after one that took so long.
    #[must_use]
    pub fn after(self, step: Duration) -> Self {
        let too_long = mutant!(step > SPAN, "long-steps-stay-long" => false);
        Self(if too_long { (self.0 / 2).max(LEAST) } else { (self.0 + 1).min(MOST) })
    }
}

impl Default for SweepPace {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(steps: &[u64]) -> Vec<u32> {
        let next = |pace: &mut SweepPace, step: &u64| {
            *pace = pace.after(Duration::from_millis(*step));
            Some(pace.limit())
        };
        steps.iter().scan(SweepPace::new(), next).collect()
    }

    #[test]
    fn steps_that_take_long_become_smaller_and_grow_again() {
        assert_eq!(limits(&[1, 5, 5, 5, 5, 6, 1, 6, 6, 90]), [3, 4, 5, 6, 7, 3, 4, 2, 2, 2]);
        assert_eq!(limits(&[0; 30]).last(), Some(&MOST));
    }
}
