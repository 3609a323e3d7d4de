//! How each part on the path of a request fares: it shows at a glance whose fault an error is.

/// A part that the request passes, as the page shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
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

/// The app does not do its part.
pub(super) fn app_fails(how: &'static str) -> Vec<Node> {
    vec![YOU, gate(WORKING), app(Status::Bad(how))]
}

/// The identity provider does not do its part.
pub(super) fn provider_fails() -> Vec<Node> {
    let provider = Node { icon: "key", label: "Identity provider", status: Status::Bad("not reachable") };
    vec![YOU, gate(WORKING), provider, app(Status::Unknown("may be fine"))]
}

/// We do not do ours.
pub(super) fn gate_fails(how: &'static str) -> Vec<Node> {
    vec![YOU, gate(Status::Bad(how)), app(Status::Unknown("not asked"))]
}

const YOU: Node = Node { icon: "person", label: "You", status: Status::Fine("online") };
const WORKING: Status = Status::Fine("working");

const fn gate(status: Status) -> Node {
    Node { icon: "gate", label: "Gateway", status }
}

const fn app(status: Status) -> Node {
    Node { icon: "app", label: "App", status }
}
