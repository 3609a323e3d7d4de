//! That a part of the record was written elsewhere, in clear, is kept beside the store.

use std::path::Path;

use super::terminal::{complain_of, visible};
use crate::clock::Clock;
use crate::sinks::{Recipient, Recipients, personal_fields};

/// Keeps that a command has written it; `person`: whom alone it is about, by what stands for them in the store.
pub(super) fn note(store: &Path, command: &str, to: &str, person: Option<String>) {
    let recipient = Recipient {
        name: command.to_owned(),
        kind: "export".into(),
        to: to.to_owned(),
        fields: personal_fields(),
        events: Vec::new(),
        person,
    };
    let recipients = Recipients::beside(store);
    if let Err(error) = recipients.got(&recipient, Clock::system().moment().micros()) {
        let what =
            format!("{}: that this was given cannot be written down: {error}", recipients.path().display());
        complain_of(&visible(&what), Some("run this as root or as the gateway's own user"));
    }
}

/// Where something is written, whatever folder it is said from.
pub(super) fn whole(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
