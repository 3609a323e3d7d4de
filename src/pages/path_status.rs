//! How each part on the path of a request fares, so that a person sees at a glance whose fault an error is.

use crate::words::Word;

/// A part that requests pass, as the page shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathPart {
    pub(super) icon: &'static str,
    pub(super) label: Word,
    pub(super) status: Status,
}

/// How a part fares, in a word or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Fine(Word),
    Bad(Word),
    Unknown(Word),
}

impl Status {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Fine(_) => "fine",
            Self::Bad(_) => "bad",
            Self::Unknown(_) => "unknown",
        }
    }

    pub(super) const fn word(self) -> Word {
        match self {
            Self::Fine(word) | Self::Bad(word) | Self::Unknown(word) => word,
        }
    }
}

/// The app fails, for the reason `how`.
pub(super) fn app_fails(how: Word) -> Vec<PathPart> {
    vec![YOU, gate(WORKING), app(Status::Bad(how))]
}

/// The identity provider cannot be reached.
pub(super) fn provider_fails() -> Vec<PathPart> {
    let provider =
        PathPart { icon: "key", label: Word::PartProvider, status: Status::Bad(Word::PartNotReachable) };
    vec![YOU, gate(WORKING), provider, app(Status::Unknown(Word::PartMaybeFine))]
}

/// The gateway itself fails, for the reason `how`.
pub(super) fn gate_fails(how: Word) -> Vec<PathPart> {
    vec![YOU, gate(Status::Bad(how)), app(Status::Unknown(Word::PartNotAsked))]
}

const YOU: PathPart =
    PathPart { icon: "person", label: Word::PartYou, status: Status::Fine(Word::PartOnline) };
const WORKING: Status = Status::Fine(Word::PartWorking);

const fn gate(status: Status) -> PathPart {
    PathPart { icon: "gate", label: Word::PartGateway, status }
}

const fn app(status: Status) -> PathPart {
    PathPart { icon: "app", label: Word::PartApp, status }
}
