//! How long to wait between two tries: longer each time, and for each gateway another while, so that those that lost
//! the same server do not come back as one.

use std::time::Duration;

use crate::secret::random_bytes;

const MOST: Duration = Duration::from_secs(2);

/// Waits that double up to two seconds.
#[derive(Debug)]
pub struct BackOff {
    first: Duration,
    next: Duration,
}

impl BackOff {
    /// The first one is at most `first`.
    #[must_use]
    pub const fn new(first: Duration) -> Self {
        Self { first, next: first }
    }

    /// The next one is a first one again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The next wait: between half and all of what its turn allows.
    pub fn wait(&mut self) -> Duration {
        let most = self.next;
        self.next = (most * 2).min(MOST);
        let [random] = random_bytes::<1>();
        most.mul_f64(0.5 + f64::from(random) / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_differ_and_are_bounded() {
        let mut backoff = BackOff::new(Duration::from_millis(50));
        for most in [50, 100, 200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis) {
            let wait = backoff.wait();
            assert!(most / 2 <= wait && wait <= most, "{wait:?} of {most:?}");
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(50));
    }
}
