//! An event as a row of a table, in words.

use std::time::Duration;

use super::overview::{Shares, kind, outcome_in_words};
use super::process::Counted;
use super::text;
use crate::events::{Field, Kind, Level, Outcome, Seen};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventRow {
    /// `22:31:04.123`, of UTC, and the whole moment.
    pub(super) time: String,
    pub(super) exact: String,
    /// The word for what has happened.
    pub(super) word: String,
    /// How it is to be taken, as a class and in a word.
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    /// What has happened, and more about it.
    pub(super) what: String,
    pub(super) more: Option<String>,
    /// Values that can be asked for alone: as they are, and as they are shown.
    pub(super) user: Option<Shown>,
    pub(super) route: Option<Shown>,
    pub(super) client: Option<Shown>,
    pub(super) id: Option<Shown>,
    pub(super) outcome: Option<Shown>,
}

/// A value, and what is shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) value: String,
    pub(super) text: String,
}

impl EventRow {
    pub(super) fn of(seen: &Seen<'_>) -> Self {
        let exact = seen.text(Field::Time).unwrap_or_default();
        let (class, mark) = mark(seen);
        let (what, more) = told(seen);
        Self {
            time: exact.get(11..23).unwrap_or(exact).to_owned(),
            exact: text::short(exact),
            word: text::short(seen.word()),
            class,
            mark,
            what,
            more,
            user: value(seen, Field::User).or_else(|| value(seen, Field::Operator)),
            route: value(seen, Field::Route),
            client: value(seen, Field::Client),
            id: value(seen, Field::Id),
            outcome: value(seen, Field::Outcome),
        }
    }

    /// Whose name stands in the row.
    pub(super) fn user_field(&self) -> Field {
        if self.word.starts_with("management.") { Field::Operator } else { Field::User }
    }
}

fn value(seen: &Seen<'_>, field: Field) -> Option<Shown> {
    let value = seen.text(field)?;
    Some(Shown { value: value.to_owned(), text: text::short(value) })
}

fn outcome(seen: &Seen<'_>) -> Option<Outcome> {
    let word = seen.text(Field::Outcome)?;
    Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word)
}

/// Requests by their outcome, everything else by the attention that it deserves.
fn mark(seen: &Seen<'_>) -> (&'static str, &'static str) {
    if let Some(outcome) = outcome(seen) {
        return (kind(outcome).class(), kind(outcome).word());
    }
    match seen.kind().map(Kind::row).map(|row| row.level) {
        Some(Level::Info) => ("info", "event"),
        Some(Level::Warn) => ("refused", "look"),
        Some(Level::Error) => ("failed", "fault"),
        None => ("left", "unknown"),
    }
}

fn told(seen: &Seen<'_>) -> (String, Option<String>) {
    let reason = seen.text(Field::Reason).map(text::long);
    let Some(outcome) = outcome(seen) else {
        let doc = seen.kind().map_or_else(|| text::short(seen.word()), |kind| kind.row().doc.to_owned());
        let detail = [Field::Part, Field::Operation, Field::Why, Field::File, Field::Sink, Field::Provider];
        let detail = detail.into_iter().find_map(|field| seen.text(field)).map(text::short);
        return (doc, reason.or(detail));
    };
    let part = |field: Field| seen.text(field).unwrap_or("-");
    let what = format!("{} {}{}", part(Field::Method), part(Field::Host), part(Field::Path));
    let status = seen.number(Field::Status).map_or_else(|| "no answer".into(), |status| status.to_string());
    let took = seen.number(Field::Us).map(|us| took(Duration::from_micros(us)));
    let why = [reason, seen.text(Field::Rule).map(text::short)].into_iter().flatten().next();
    let words = outcome_in_words(outcome).to_owned();
    let more = [Some(status), took, Some(why.unwrap_or(words))].into_iter().flatten();
    (text::short(&what), Some(more.collect::<Vec<_>>().join(" · ")))
}

/// `840 µs`, `12.5 ms`, `3.2 s`.
fn took(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

/// How many of each outcome there are among these events, as shares of a bar.
pub(super) fn shares<'a>(events: impl Iterator<Item = &'a Seen<'a>>) -> Shares {
    let mut counted = Counted::default();
    events.filter_map(outcome).for_each(|outcome| counted.counts[outcome as usize] += 1);
    Shares::of(&counted, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_by_what_was_asked_and_what_became_of_it() {
        let line = br#"{"v":1,"time":"2026-11-30T22:31:04.123456Z","event":"p-0-1","type":"access.refused","id":"r1","client":"192.0.2.7","method":"GET","host":"wiki.example","path":"/a","route":"wiki","user":"alice","status":403,"outcome":"forbidden","us":12540,"reason":"group ops"}"#;
        let row = EventRow::of(&Seen::read(line).unwrap());
        assert_eq!((row.time.as_str(), row.class, row.mark), ("22:31:04.123", "refused", "refused"));
        assert_eq!(row.what, "GET wiki.example/a");
        assert_eq!(row.more.as_deref(), Some("403 · 12.5 ms · group ops"));
        assert_eq!(row.user.unwrap().value, "alice");
    }

    #[test]
    fn what_this_version_does_not_know_is_shown_all_the_same() {
        let row = EventRow::of(&Seen::read(br#"{"type":"later.thing"}"#).unwrap());
        assert_eq!((row.mark, row.what.as_str(), row.more), ("unknown", "later.thing", None));
        let row = EventRow::of(&Seen::read(br#"{}"#).unwrap());
        assert_eq!((row.time.as_str(), row.user), ("", None));
    }

    #[test]
    fn invariant_15_what_strangers_wrote_is_short_and_steers_nothing() {
        let line = format!(
            r#"{{"type":"access.refused","outcome":"forbidden","path":"/{}","user":"a\u202eb"}}"#,
            "é".repeat(900)
        );
        let row = EventRow::of(&Seen::read(line.as_bytes()).unwrap());
        assert!(row.what.chars().count() < 130);
        assert_eq!(row.user.unwrap().text, "a\u{fffd}b");
    }
}
