//! Days as people count them: of a zone, with 23 or 25 hours where its clocks are changed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A day of a zone, and when it begins and ends, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// When it begins.
    pub from: u64,
    /// When the next one begins.
    pub to: u64,
}

impl Day {
    /// How many hours it has, where there are not twenty-four.
    #[must_use]
    pub fn odd_hours(&self) -> Option<u64> {
        let hours = (self.to - self.from) / 3_600_000_000;
        (hours != 24).then_some(hours)
    }
}

/// The days of a time, one after another.
#[derive(Clone, Debug)]
pub struct Calendar {
    days: Vec<Day>,
}

impl Calendar {
    /// The days that a time meets.
    #[must_use]
    pub fn new(since: u64, until: u64, zone: &TimeZone) -> Self {
        let mut days = Vec::new();
        let mut date = timestamp(since).to_zoned_datetime(zone.clone()).date();
        while let Some(day) = day(date, zone).filter(|day| day.from < until) {
            days.push(day);
            let Ok(next) = date.checked_add(1.day()) else { break };
            date = next;
        }
        Self { days }
    }

    /// The days.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Which day a moment is on.
    #[must_use]
    pub fn day_of(&self, micros: u64) -> Option<usize> {
        let index = self.days.partition_point(|day| day.to <= micros);
        self.days.get(index).filter(|day| day.from <= micros).map(|_| index)
    }
}

fn day(date: Date, zone: &TimeZone) -> Option<Day> {
    let begins = |date: Date| {
        let begins = date.to_zoned_datetime(zone.clone()).ok()?.timestamp().as_microsecond();
        Some(u64::try_from(begins).unwrap_or(0))
    };
    Some(Day { date, from: begins(date)?, to: begins(date.checked_add(1.day()).ok()?)? })
}

/// A moment, such as jiff has it.
pub(super) fn timestamp(micros: u64) -> Timestamp {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

/// A moment as people of a zone write it, such as `2026-11-30 20:05:13+01:00`.
pub(super) fn local(micros: u64, zone: &TimeZone) -> String {
    timestamp(micros).to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
}
