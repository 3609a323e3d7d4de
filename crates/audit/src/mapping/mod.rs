//! Events in the words of others: as the Open Cybersecurity Schema Framework and the Elastic Common Schema have them.
//!
//! A line of ours is flat, and is written once. Whoever asks for other words gets them here, on the thread of the sink that
//! was asked: no request waits for it. What a schema has no place for is kept under our own name, so that nothing is lost by
//! it. Values stay what they are: text of a stranger never becomes a name, and is as inert as in our own line.

mod ecs;
mod ecs_kinds;
mod ocsf;
mod ocsf_classes;
mod ocsf_fields;
#[cfg(test)]
mod tests;
mod tree;

use portcullis_events::{Field, Kind, Level, Seen};

pub use ecs::VERSION as ECS_VERSION;
pub use ocsf::VERSION as OCSF_VERSION;

/// A vocabulary of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The Open Cybersecurity Schema Framework.
    Ocsf,
    /// The Elastic Common Schema.
    Ecs,
}

impl Schema {
    /// Writes a line of ours in its words: one line of JSON, line feed included. Of what is no line of ours, nothing.
    pub fn map(self, line: &[u8], out: &mut Vec<u8>) {
        let Ok(seen) = Seen::read(line) else { return };
        let event = match self {
            Self::Ocsf => ocsf::event(&seen),
            Self::Ecs => ecs::event(&seen),
        };
        tree::write(&event, out);
        out.push(b'\n');
    }
}

/// How it went, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Result {
    Success,
    Failure,
    /// It neither succeeded nor failed: somebody left in the middle.
    Other,
}

/// How it went: by the outcome of a request, by the status of a call, else by what the kind says.
fn result(seen: &Seen<'_>, kind: Option<Kind>) -> Result {
    match (seen.text(Field::Outcome), seen.number(Field::Status)) {
        (Some("allowed" | "public" | "own"), _) => Result::Success,
        (Some("aborted"), _) => Result::Other,
        (Some(_), _) | (None, Some(400..)) => Result::Failure,
        (None, _) => match kind.map(|kind| kind.row().level) {
            Some(Level::Info) => Result::Success,
            Some(Level::Warn | Level::Error) => Result::Failure,
            None => Result::Other,
        },
    }
}

/// The host, and the port where one is written behind it.
fn host_and_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') && (!name.contains(':') || name.ends_with(']')) => {
            port.parse().map_or((host, None), |port| (name, Some(port)))
        }
        _ => (host, None),
    }
}

/// The number of an event in its lane.
fn sequence(event: &str) -> Option<u64> {
    event.rsplit_once('-').and_then(|(_, number)| number.parse().ok())
}
