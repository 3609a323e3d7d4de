//! What `portcullis audit person` says to people.

use std::fmt::Write as _;

use super::terminal::{Paint, visible};
use crate::operate::{ErasedPerson, PersonOverview, ReceivedInClear};

/// What the record has of somebody.
pub(super) fn overview_text(person: &PersonOverview, paint: Paint) -> String {
    let PersonOverview { provider, subject, user, segments, received, .. } = person;
    let name = user.as_deref().map(|user| format!(", called {}", visible(user))).unwrap_or_default();
    let mut text = format!("{} at {}{name}\n", paint.bold(&visible(subject)), visible(provider));
    let span = person.first.as_ref().zip(person.last.as_ref());
    let span = span.map(|(first, last)| format!(", from {first} to {last}")).unwrap_or_default();
    let _ = writeln!(text, "  {} events in {} files{span}", person.events, segments.len());
    for share in segments {
        let _ = writeln!(text, "    {}: {}", visible(&share.file), share.events);
    }
    let _ = writeln!(text, "  {} sign-ins", person.sign_ins);
    let _ = writeln!(text, "  stands in the store as {}", person.person);
    let _ = writeln!(text, "  stands at sinks with pseudonyms as subject {}", person.pseudonyms.subject);
    if let Some(user) = &person.pseudonyms.user {
        let _ = writeln!(text, "    and as user {user}");
    }
    text + &received_text(received)
}

/// What erasing them came to.
pub(super) fn erased_text(erased: &ErasedPerson) -> String {
    let ErasedPerson { person, events, ended, received } = erased;
    let told =
        format!("erased: {events} events are those of {person} now, and {ended} sign-ins were ended\n");
    told + &received_text(received)
}

fn received_text(received: &[ReceivedInClear]) -> String {
    let mut text = String::from(match received.is_empty() {
        true => "  nobody has got what is personal of them in clear\n",
        false => "  in clear, what is personal of them has gone to:\n",
    });
    for ReceivedInClear { name, kind, to, fields, events, since, until } in received {
        let until = until.as_deref().map_or_else(|| "until now".to_owned(), |until| format!("to {until}"));
        let (name, to) = (visible(name), visible(to));
        let _ = writeln!(text, "    {name} ({kind}, {to}) from {since} {until}: {}", fields.join(", "));
        if !events.is_empty() {
            let _ = writeln!(text, "      of {}", events.join(", "));
        }
    }
    text
}
