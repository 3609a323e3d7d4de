//! The way of a request as a row of stations: it shows at a glance whose fault an error is.

/// A station.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) icon: &'static str,
    pub(super) label: &'static str,
    pub(super) state: State,
}

/// How a station fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Fine(&'static str),
    Bad(&'static str),
    Unknown(&'static str),
}

impl State {
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
pub(super) fn to_app(state: &'static str) -> Vec<Node> {
    vec![YOU, gate(WORKING), app(State::Bad(state))]
}

/// The identity provider does not do its part.
pub(super) fn to_provider() -> Vec<Node> {
    let provider = Node { icon: "key", label: "Identity provider", state: State::Bad("not reachable") };
    vec![YOU, gate(WORKING), provider, app(State::Unknown("may be fine"))]
}

/// We do not do ours.
pub(super) fn to_gate(state: &'static str) -> Vec<Node> {
    vec![YOU, gate(State::Bad(state)), app(State::Unknown("not asked"))]
}

/// We do not do ours yet.
pub(super) fn to_gate_that_starts() -> Vec<Node> {
    vec![YOU, gate(State::Unknown("starting")), app(State::Unknown("not asked"))]
}

const YOU: Node = Node { icon: "person", label: "You", state: State::Fine("online") };
const WORKING: State = State::Fine("working");

const fn gate(state: State) -> Node {
    Node { icon: "gate", label: "Gateway", state }
}

const fn app(state: State) -> Node {
    Node { icon: "app", label: "App", state }
}
