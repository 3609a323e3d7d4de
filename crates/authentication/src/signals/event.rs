//! An event of a token, read.

use serde_json::{Map, Value};

use super::EventType;
use super::security_event_error::SecurityEventError as Fault;
use super::subject::Subject;

const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";
/// Of before the final specification, and of one transmitter still.
const RISC_VERIFICATION: &str = "https://schemas.openid.net/secevent/risc/event-type/verification";

type Members = Map<String, Value>;

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// The stream works (Shared Signals Framework 1.0, section 8.1.4.1): the state that was asked for, where it was.
    Verification(Option<String>),
    /// The transmitter has paused the stream, ended it, or goes on with it (section 8.1.5).
    StreamUpdated(String),
    /// Something is so from now on.
    Known {
        /// What.
        kind: EventType,
        /// Of whom.
        subject: Subject,
        /// What else it says.
        said: Members,
    },
    /// A type that nothing here knows.
    Unknown,
}

impl Event {
    /// The one event of a token (Shared Signals Framework 1.0, section 4.1.7).
    pub(super) fn of(claims: &Members) -> Result<Self, Fault> {
        let events = claims.get("events").and_then(Value::as_object).ok_or(Fault::NotOneEvent)?;
        if mutant!(events.len() > 1, "several-events" => false) {
            return Err(Fault::NotOneEvent);
        }
        let (uri, event) = events.iter().next().ok_or(Fault::NotOneEvent)?;
        let event = event.as_object().ok_or(Fault::NotOneEvent)?;
        let text = |name: &'static str| match event.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Fault::BadClaim("events")),
        };
        if uri == RISC_VERIFICATION || uri.strip_prefix(SSF) == Some("verification") {
            return text("state").map(Self::Verification);
        }
        if uri.strip_prefix(SSF) == Some("stream-updated") {
            return text("status")?.map(Self::StreamUpdated).ok_or(Fault::BadClaim("events"));
        }
        match EventType::of_uri(uri) {
            Some(kind) => Ok(Self::Known { kind, subject: Subject::of(claims, event)?, said: event.clone() }),
            None => Ok(Self::Unknown),
        }
    }

    /// Whom it is about, where it is about somebody.
    pub(super) const fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Known { subject, .. } => Some(subject),
            Self::Verification(_) | Self::StreamUpdated(_) | Self::Unknown => None,
        }
    }

    /// How it is called in log and metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Verification(_) => "verification",
            Self::StreamUpdated(_) => "stream-updated",
            Self::Known { kind, .. } => kind.name(),
            Self::Unknown => "unknown",
        }
    }
}
