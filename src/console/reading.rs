//! Who has looked at what people did: that is an event as well.

use http::StatusCode;
use url::form_urlencoded;

use super::acts::call;
use super::answer::Visit;
use super::process::Process;

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
        }
    }
}

/// Records that somebody looks, and by which names they ask; what they ask for is theirs to know.
pub(super) fn record(visit: Visit<'_>, process: &dyn Process, reading: Reading, query: &str) {
    if mutant!(false, "console-reading-unrecorded" => true) {
        return;
    }
    let mut names: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| !value.is_empty() && !["after", "behind"].contains(&name.as_ref()))
        .map(|(name, _)| name.chars().take(20).collect::<String>())
        .take(16)
        .collect();
    names.sort_unstable();
    names.dedup();
    let call = call(visit, process, reading.operation());
    call.because(Some(names.join(", ").as_str()).filter(|names| !names.is_empty()));
    call.is_answered(StatusCode::OK);
}
