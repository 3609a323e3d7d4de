//! What the last hour was like, minute by minute: the counters of the process, looked at once a minute. No request pays for
//! it. A minute of which the end was not seen, for the process was not there or the machine slept, is not known, which is
//! another thing than nothing; one of which the beginning was not seen counts from when it was first looked at.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::telemetry::{BUCKETS, Outcome};

/// Minutes that are told, the present one with them.
pub const MINUTES: usize = 60;

/// Seconds of one.
const MINUTE: u64 = 60;

/// What has been counted since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests by [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// The same by how long they took: up to each of [`BUCKETS`], and longer.
    pub latencies: [u64; BUCKETS.len() + 1],
    /// Sign-ins that succeeded, and those that failed.
    pub sign_ins: (u64, u64),
}

impl Counters {
    /// What has come since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let less = |now: u64, before: u64| now.saturating_sub(before);
        Self {
            outcomes: std::array::from_fn(|at| less(self.outcomes[at], before.outcomes[at])),
            latencies: std::array::from_fn(|at| less(self.latencies[at], before.latencies[at])),
            sign_ins: (less(self.sign_ins.0, before.sign_ins.0), less(self.sign_ins.1, before.sign_ins.1)),
        }
    }

    /// All requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// The bucket that the request falls into which `share` of a thousand do not exceed; none without requests. It is the
    /// exact answer to how long such a request took at most, and no guess within the bucket.
    #[must_use]
    pub fn percentile(&self, share: u64) -> Option<usize> {
        let all: u64 = self.latencies.iter().sum();
        // The rank of the request, from 1: so many, rounded up.
        let rank = (u128::from(all) * u128::from(share)).div_ceil(1000).max(1);
        let mut below = 0_u128;
        self.latencies.iter().position(|count| {
            below += u128::from(*count);
            below >= rank
        })
    }
}

/// A minute by the clock of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute {
    /// When it began.
    pub begins: Timestamp,
    /// What was counted in it; none where that is not known.
    pub counted: Option<Counters>,
}

/// The counters as they stood when the last minutes began.
#[derive(Debug)]
pub struct History {
    /// By the number of the minute.
    begun: Mutex<BTreeMap<u64, Begun>>,
}

/// How a minute began.
#[derive(Clone, Copy, Debug)]
struct Begun {
    counters: Counters,
    /// Whether that was seen when it did: then it is how the one before ended, too.
    in_time: bool,
}

impl History {
    /// One that begins `at` this moment, with a process that has counted nothing.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        let begun = Begun { counters: Counters::default(), in_time: false };
        Self { begun: Mutex::new(BTreeMap::from([(number(at), begun)])) }
    }

    /// Notes that a minute begins, give or take a few seconds; what is older than the hour is forgotten.
    pub fn note(&self, at: Timestamp, counters: Counters) {
        let mut begun = self.begun();
        let (now, in_time) = (number(at), at.seconds() % MINUTE <= LATEST);
        // Where the clock was set back, what came after is another story.
        begun.retain(|minute, _| *minute <= now && now - *minute <= MINUTES as u64);
        begun.entry(now).or_insert(Begun { counters, in_time });
    }

    /// The last hour up to `now`, where the counters stand so; the oldest minute first. Where nobody has noted yet that this
    /// minute has begun, it begins now.
    #[must_use]
    pub fn minutes(&self, now: Timestamp, counters: &Counters) -> Vec<Minute> {
        self.note(now, *counters);
        let (begun, last) = (self.begun(), number(now));
        let minute = |ago: u64| {
            let minute = last.saturating_sub(ago);
            let next = || begun.get(&(minute + 1)).filter(|next| next.in_time).map(|next| &next.counters);
            let end = if ago == 0 { Some(counters) } else { next() };
            let counted = begun.get(&minute).zip(end).map(|(begin, end)| end.since(&begin.counters));
            Minute { begins: Timestamp::from_seconds(minute * MINUTE), counted }
        };
        (0..MINUTES as u64).rev().map(minute).collect()
    }

    fn begun(&self) -> MutexGuard<'_, BTreeMap<u64, Begun>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds after the full minute up to which its counters are taken for those of its beginning.
const LATEST: u64 = 5;

const fn number(at: Timestamp) -> u64 {
    at.seconds() / MINUTE
}

/// Until the next minute begins.
#[must_use]
pub fn until_next_minute(clock: &Clock) -> Duration {
    let micros = clock.moment().micros() % (MINUTE * 1_000_000);
    Duration::from_micros(MINUTE * 1_000_000 - micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minute: u64, second: u64) -> Timestamp {
        Timestamp::from_seconds(minute * 60 + second)
    }

    fn counters(allowed: u64) -> Counters {
        let mut counters = Counters::default();
        counters.outcomes[Outcome::Allowed as usize] = allowed;
        counters.latencies[0] = allowed;
        counters
    }

    fn told(history: &History, now: Timestamp, all: u64) -> Vec<Option<u64>> {
        let minutes = history.minutes(now, &counters(all));
        assert_eq!(minutes.len(), MINUTES);
        minutes.iter().map(|minute| minute.counted.map(|counted| counted.requests())).collect()
    }

    #[test]
    fn each_minute_has_what_was_counted_in_it_and_what_nobody_saw_is_not_known() {
        let history = History::new(at(1000, 30));
        history.note(at(1001, 0), counters(5));
        history.note(at(1002, 1), counters(5));
        let minutes = told(&history, at(1002, 40), 7);
        assert_eq!(minutes[57..], [Some(5), Some(0), Some(2)]);
        assert!(minutes[..57].iter().all(Option::is_none), "there was no process");
        // The machine sleeps, and wakes within a minute, which counts from then on.
        history.note(at(1010, 30), counters(9));
        history.note(at(1011, 0), counters(11));
        let minutes = told(&history, at(1011, 59), 12);
        assert_eq!(minutes[58..], [Some(2), Some(1)]);
        assert!(minutes[51..58].iter().all(Option::is_none), "{minutes:?}");
        assert_eq!(minutes[48..51], [Some(5), Some(0), None], "the one that it fell asleep in has no end");
    }

    #[test]
    fn a_clock_that_is_set_back_tells_no_minute_twice() {
        let history = History::new(at(1000, 0));
        history.note(at(1001, 0), counters(5));
        history.note(at(900, 0), counters(8));
        assert_eq!(told(&history, at(900, 30), 9)[58..], [None, Some(1)]);
        assert!(told(&history, at(1001, 30), 9)[..59].iter().all(Option::is_none));
    }

    #[test]
    fn who_looks_before_the_clock_does_begins_the_minute() {
        let history = History::new(at(1000, 59));
        assert_eq!(told(&history, at(1001, 0), 3)[58..], [Some(3), Some(0)]);
        history.note(at(1001, 1), counters(4));
        assert_eq!(told(&history, at(1001, 9), 5)[58..], [Some(3), Some(2)]);
    }

    proptest! {
        /// Against a list of every single request.
        #[test]
        fn invariant_14_minutes_add_up_to_what_was_counted(counts in prop::collection::vec(0u64..50, 1..150)) {
            let history = History::new(at(1000, 0));
            let mut all = 0;
            for (minute, count) in counts.iter().enumerate() {
                if minute > 0 {
                    history.note(at(1000 + minute as u64, 0), counters(all));
                }
                all += count;
            }
            let last = 1000 + counts.len() as u64 - 1;
            let minutes: Vec<_> = told(&history, at(last, 59), all).into_iter().flatten().collect();
            let expected = &counts[counts.len().saturating_sub(MINUTES)..];
            prop_assert_eq!(minutes, expected);
            prop_assert!(history.begun().len() <= MINUTES + 1);
        }

        /// Against the requests one by one, in their order.
        #[test]
        fn a_percentile_is_the_request_of_that_rank(latencies in prop::collection::vec(0usize..=BUCKETS.len(), 0..60), share in 1u64..=1000) {
            let mut counted = Counters::default();
            latencies.iter().for_each(|bucket| counted.latencies[*bucket] += 1);
            let mut sorted = latencies;
            sorted.sort_unstable();
            let rank = (0..sorted.len()).find(|at| (*at as u64 + 1) * 1000 >= share * sorted.len() as u64);
            prop_assert_eq!(counted.percentile(share), rank.map(|at| sorted[at]));
        }
    }

    #[test]
    fn the_next_minute_is_at_most_one_away() {
        let clock = Clock::manual(Timestamp::from_seconds(59));
        assert_eq!(until_next_minute(&clock), Duration::from_secs(1));
        let clock = Clock::manual(Timestamp::from_seconds(120));
        assert_eq!(until_next_minute(&clock), Duration::from_secs(60));
    }
}
