//! How much of a lane strangers may fill. What they bring about is told, up to so much in a second: a flood of it neither
//! pushes other events out of memory, nor old files off the disk. Of the rest the number is told (invariant 28).

use std::time::Duration;

/// Events of strangers that a lane takes in a second.
pub(crate) const BUDGET: u32 = 250;

const SECOND: u64 = 1_000_000;
/// How often it is told how many were left out.
const MINUTE: u64 = 60 * SECOND;

/// Strangers' events of one lane. Moments are microseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    second: u64,
    /// Taken in that second.
    taken: u32,
    /// Left out and not told yet, and since when.
    left_out: u64,
    since: u64,
    ever: u64,
}

impl Strangers {
    /// Whether another one is taken.
    pub(crate) fn admit(&mut self, now: u64) -> bool {
        if now / SECOND != self.second {
            (self.second, self.taken) = (now / SECOND, 0);
        }
        if mutant!(self.taken < BUDGET, "stranger-events-unbounded" => true) {
            self.taken += 1;
            return true;
        }
        if self.left_out == 0 {
            self.since = now;
        }
        self.left_out += 1;
        self.ever += 1;
        false
    }

    /// Whether it is to be told how many were left out; `last`: nobody will ask again.
    pub(crate) const fn is_due(&self, now: u64, last: bool) -> bool {
        self.left_out > 0 && (last || now.abs_diff(self.since) >= MINUTE)
    }

    /// How many were left out, since when and for how long; told by this.
    pub(crate) const fn told(&mut self, now: u64) -> (u64, u64, Duration) {
        let count = self.left_out;
        self.left_out = 0;
        (count, self.since, Duration::from_micros(now.saturating_sub(self.since)))
    }

    pub(crate) const fn ever(&self) -> u64 {
        self.ever
    }
}
