//! Who has looked at what people did: that is an event as well.

use http::StatusCode;
use url::form_urlencoded;

use super::acts::caller;
use super::answer::Visit;
use super::process::Process;
use crate::operate::Call;
use crate::reports::Report;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Live,
    Events,
    Export,
    Story,
    People,
    Person,
    Use,
    Report(Report),
    ReportFile(Report),
    Review,
}

impl Reading {
    /// What the record calls it.
    const fn operation(self) -> &'static str {
        match self {
            Self::Live => "watch-events",
            Self::Events => "list-events",
            Self::Export => "export-events",
            Self::Story => "show-request",
            Self::People => "list-people",
            Self::Person => "show-person",
            Self::Use => "show-use",
            Self::Report(_) => "show-report",
            Self::ReportFile(_) => "export-report",
            Self::Review => "show-access",
        }
    }

    /// Which report, where it is one.
    const fn report(self) -> Option<&'static str> {
        match self {
            Self::Report(report) | Self::ReportFile(report) => Some(report.word()),
            Self::Live
            | Self::Events
            | Self::Export
            | Self::Story
            | Self::People
            | Self::Person
            | Self::Use
            | Self::Review => None,
        }
    }
}

/// The names that are told of what is asked for: others mean nothing, and could say anything.
const NAMES: [&str; 18] = [
    "client", "id", "method", "name", "names", "outcome", "provider", "q", "route", "session", "since",
    "span", "status", "subject", "type", "until", "user", "zone",
];

/// Records that somebody looks, and by which names they ask; what they ask for is theirs to know.
pub(super) fn record(visit: Visit<'_>, process: &dyn Process, reading: Reading, query: &str) {
    if mutant!(false, "console-reading-unrecorded" => true) {
        return;
    }
    let mut names: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| !value.is_empty() && NAMES.contains(&name.as_ref()))
        .map(|(name, _)| name.into_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> = reading.report().map(str::to_owned).into_iter().chain(names).collect();
    let (operator, caller) = caller(visit);
    let recorder = process.operations().recorder.clone();
    let call = Call::reading(reading.operation(), operator, caller, recorder);
    call.because(Some(names.join(", ").as_str()).filter(|names| !names.is_empty()));
    call.is_answered(StatusCode::OK);
}
