//! How each part on the path of a request fares, so that a person sees at a glance whose fault an error is.

/// A part that requests pass, as the page shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathPart {
    pub(super) icon: &'static str,
    pub(super) label: &'static str,
    pub(super) status: Status,
}

/// How a part fares, in a word or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Fine(&'static str),
    Bad(&'static str),
    Unknown(&'static str),
}

impl Status {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Fine(_) => "fine",
            Self::Bad(_) => "bad",
            Self::Unknown(_) => "unknown",
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Fine(text) | Self::Bad(text) | Self::Unknown(text) => text,
        }
    }
}

/// The app fails, for the reason `how`.
pub(super) fn app_fails(how: &'static str) -> Vec<PathPart> {
    vec![YOU, gate(WORKING), app(Status::Bad(how))]
}

/// The identity provider cannot be reached.
pub(super) fn provider_fails() -> Vec<PathPart> {
    let provider = PathPart { icon: "key", label: "Identity provider", status: Status::Bad("not reachable") };
    vec![YOU, gate(WORKING), provider, app(Status::Unknown("may be fine"))]
}

/// The gateway itself fails, for the reason `how`.
pub(super) fn gate_fails(how: &'static str) -> Vec<PathPart> {
    vec![YOU, gate(Status::Bad(how)), app(Status::Unknown("not asked"))]
}

const YOU: PathPart = PathPart { icon: "person", label: "You", status: Status::Fine("online") };
const WORKING: Status = Status::Fine("working");

const fn gate(status: Status) -> PathPart {
    PathPart { icon: "gate", label: "Gateway", status }
}

const fn app(status: Status) -> PathPart {
    PathPart { icon: "app", label: "App", status }
}
