//! Time, handed in rather than looked up, so that tests own it.

use std::fmt;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment in whole seconds since 1970-01-01T00:00:00Z, the `NumericDate` of RFC 7519, section 2.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z, the last moment that RFC 3339 can write.
const END_OF_9999: u64 = 253_402_300_799;

impl Timestamp {
    /// The moment `seconds` after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero where it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// The moment for people, such as `2027-01-15T08:00:00Z` (RFC 3339); what lies beyond the year 9999 as its end.
    #[must_use]
    pub fn rfc3339(self) -> String {
        humantime::format_rfc3339_seconds(Self(self.0.min(END_OF_9999)).system()).to_string()
    }

    /// The same moment for libraries that take the system's type.
    #[must_use]
    pub fn system(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }
}

/// A moment in microseconds since 1970-01-01T00:00:00Z, for what happens too often for seconds to tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The moment so many microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Whole microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }
}

/// Tells the time: the system's, or one that a test moves by hand. Cheap to clone.
#[derive(Clone)]
pub struct Clock(TimeSource);

#[derive(Clone)]
enum TimeSource {
    System,
    Manual(Arc<Manual>),
}

struct Manual {
    /// In seconds since the epoch.
    start: AtomicU64,
    /// Nanoseconds since then.
    passed: AtomicU64,
}

impl Manual {
    fn passed(&self) -> Duration {
        Duration::from_nanos(self.passed.load(Ordering::Relaxed))
    }
}

/// What [`Clock::monotonic`] counts from; which moment it is does not matter.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(TimeSource::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(TimeSource::Manual(Arc::new(Manual {
            start: AtomicU64::new(start.seconds()),
            passed: AtomicU64::new(0),
        })))
    }

    /// The present moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            TimeSource::System => {
                Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs()))
            }
            TimeSource::Manual(manual) => Timestamp(manual.start.load(Ordering::Relaxed)) + manual.passed(),
        }
    }

    /// The present moment, to the microsecond.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn moment(&self) -> Moment {
        let span = match &self.0 {
            TimeSource::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            TimeSource::Manual(manual) => {
                Duration::from_secs(manual.start.load(Ordering::Relaxed)) + manual.passed()
            }
        };
        Moment(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }

    /// Time since some fixed moment, to the nanosecond: it never goes back, whatever is done to the wall clock.
    /// For spans, where [`Clock::now`] is too coarse.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            TimeSource::System => ORIGIN.elapsed(),
            TimeSource::Manual(manual) => manual.passed(),
        }
    }

    /// Moves a manual clock forward; the system's clock is not ours to move.
    pub fn advance(&self, span: Duration) {
        if let TimeSource::Manual(manual) = &self.0 {
            let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
            manual.passed.fetch_add(nanos, Ordering::Relaxed);
        }
    }

    /// Sets a manual wall clock, as an operator or NTP would; monotonic time goes on as before.
    #[cfg(any(test, feature = "testing"))]
    pub fn set(&self, now: Timestamp) {
        if let TimeSource::Manual(manual) = &self.0 {
            let start = now.seconds().saturating_sub(manual.passed().as_secs());
            manual.start.store(start, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_keeps_the_parts_of_seconds() {
        let clock = Clock::manual(Timestamp::from_seconds(100));
        clock.advance(Duration::from_millis(600));
        assert_eq!((clock.now().seconds(), clock.monotonic()), (100, Duration::from_millis(600)));
        clock.advance(Duration::from_millis(600));
        assert_eq!((clock.now().seconds(), clock.monotonic()), (101, Duration::from_millis(1200)));
        assert_eq!(clock.moment(), Moment::from_micros(101_200_000));
    }

    #[test]
    fn any_moment_can_be_written() {
        assert_eq!(Timestamp::from_seconds(1_800_000_000).rfc3339(), "2027-01-15T08:00:00Z");
        assert_eq!(Timestamp::from_seconds(u64::MAX).rfc3339(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn monotonic_time_does_not_go_back() {
        let clock = Clock::system();
        let earlier = clock.monotonic();
        assert!(clock.monotonic() >= earlier);
    }
}
