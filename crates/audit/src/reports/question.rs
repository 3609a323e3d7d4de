//! What somebody wants to know.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use portcullis_events::KindSet;

use crate::clock::Moment;
use crate::segments::{Event, Filter, FilterError};

macro_rules! reports {
    ($($(#[doc = $doc:literal])+ $report:ident $word:literal,)+) => {
        /// A report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Report { $($(#[doc = $doc])+ $report,)+ }

        impl Report {
            /// Every one, with its word and what it tells.
            pub const TABLE: [(Self, &'static str, &'static str); [$(Self::$report),+].len()] =
                [$((Self::$report, $word, concat!($($doc),+).trim_ascii()),)+];
        }
    };
}

reports! {
    /// How many signed in, each day, and how many could not.
    SignIns "sign-ins",
    /// How much was asked for, each day, and what became of it.
    Access "access",
    /// What was refused, by which rule and why.
    Refusals "refusals",
    /// Each app: how much it is used, by how many, and how fast it answers.
    Apps "apps",
    /// Each person: when they came last, and what they did.
    People "people",
    /// Each session: whose it is, from when to when, and why it ended.
    Sessions "sessions",
    /// Each provider: sign-ins, failures, and how often it was away.
    Providers "providers",
    /// People, apps, providers and rules that nobody has seen or used for the whole time.
    Dormant "dormant",
    /// Who can reach what, by which rule, and whether they did.
    AccessReview "access-review",
    /// What was changed, by whom: configuration, keys, calls of operators.
    Changes "changes",
    /// What looks odd, with what could explain it.
    Anomalies "anomalies",
}

impl Report {
    /// The report of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, _)| *known == word).map(|(report, ..)| *report)
    }

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        const TABLE: &[(Report, &str, &str); Report::TABLE.len()] = &Report::TABLE;
        TABLE[self as usize].1
    }

    /// What it tells.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        const TABLE: &[(Report, &str, &str); Report::TABLE.len()] = &Report::TABLE;
        TABLE[self as usize].2
    }
}

/// A question to the record.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which report.
    pub report: Report,
    /// From when on, in microseconds since 1970.
    pub since: u64,
    /// Before when.
    pub until: u64,
    /// The zone whose days are counted, and in which times are written.
    pub zone: TimeZone,
    /// What is looked at; its times do not count.
    pub filter: Filter,
    /// Whether people are named; otherwise each has a number that is the same in all reports of this store.
    pub names: bool,
}

/// Why something cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// There is no such zone.
    #[error("{0:?} is no time zone: expected one such as Europe/Berlin, or UTC")]
    Zone(String),
    /// It is no time.
    #[error(
        "{0:?} is no time: expected a span such as 30d, a day such as 2026-11-30, or 2026-11-30T19:05:13Z"
    )]
    Time(String),
    /// The end is not behind the beginning.
    #[error("the end of the time is not behind its beginning")]
    Empty,
    /// It is too long.
    #[error("more than ten years")]
    TooLong,
    /// The rest of it.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

const DAY: u64 = 86_400_000_000;

/// The longest time that is asked about.
const LONGEST: u64 = 3_660 * DAY;

impl Question {
    /// A question about a time: from when to when, each as a span before now, a day of the zone, or a moment. Without an end
    /// it is now.
    ///
    /// # Errors
    /// Where the zone or a time is none, or the time has no length or too much.
    pub fn new(
        report: Report,
        since: &str,
        until: Option<&str>,
        zone: &str,
        now: Moment,
    ) -> Result<Self, QuestionError> {
        let zone = TimeZone::get(zone).map_err(|_| QuestionError::Zone(beginning(zone)))?;
        let time = |text: &str| time(text, &zone, now).ok_or_else(|| QuestionError::Time(beginning(text)));
        let (since, until) = (time(since)?, until.map_or(Ok(now.micros()), time)?);
        match until.checked_sub(since) {
            None | Some(0) => Err(QuestionError::Empty),
            Some(LONGEST..) => Err(QuestionError::TooLong),
            Some(_) => Ok(Self { report, since, until, zone, filter: Filter::default(), names: true }),
        }
    }

    /// What the store is asked for.
    pub(super) fn bounded(&self, kinds: KindSet) -> Filter {
        self.filter.clone().kinds(kinds).since(self.since).until(self.until)
    }

    /// Whether an event is one of this time. What stands for many counts where its first is.
    pub(super) fn counts(&self, event: &Event) -> bool {
        let leaves_out = mutant!(false, "report-leaves-out-the-open-segment" => event.goes_on);
        !leaves_out && (self.since..self.until).contains(&event.time)
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

fn time(text: &str, zone: &TimeZone, now: Moment) -> Option<u64> {
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        let begins = day.to_zoned_datetime(zone.clone()).ok()?.timestamp();
        return u64::try_from(begins.as_microsecond()).ok();
    }
    let ago = |span: Duration| now.micros().checked_sub(u64::try_from(span.as_micros()).ok()?);
    let of = |time: SystemTime| u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok();
    let moment = humantime::parse_rfc3339(text).ok().and_then(of);
    moment.or_else(|| humantime::parse_duration(text).ok().and_then(ago))
}
