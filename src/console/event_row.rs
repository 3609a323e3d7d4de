//! An event as a row of a table, in words.

use std::borrow::Borrow;
use std::time::Duration;

use askama::Template;
use url::form_urlencoded;

use super::overview::{Shares, kind, outcome_in_words};
use super::process::Counted;
use super::shell::Shell;
use super::terms::Terms;
use super::text;
use crate::events::{Field, Kind, Level, Outcome, Seen, Value};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventRow {
    /// `2026-11-30`, `22:31:04.123`, of UTC, and the whole moment.
    pub(super) date: String,
    pub(super) time: String,
    pub(super) exact: String,
    /// The word for what has happened.
    pub(super) word: String,
    /// How it is to be taken, as a class and in a word.
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    /// How many it stands for, where it stands for several.
    pub(super) many: Option<String>,
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
            date: exact.get(..10).unwrap_or_default().to_owned(),
            time: exact.get(11..23).unwrap_or(exact).to_owned(),
            exact: text::short(exact),
            word: text::short(seen.word()),
            class,
            mark,
            many: many(seen),
            what,
            more,
            user: value(seen, Field::User).or_else(|| value(seen, Field::Operator)),
            route: value(seen, Field::Route),
            client: value(seen, Field::Client),
            id: value(seen, Field::Id),
            outcome: value(seen, Field::Outcome),
        }
    }

    /// The class of what it is shown on.
    pub(super) fn tint(&self) -> &'static str {
        match self.class {
            "ok" => "good",
            "refused" => "warn",
            "failed" => "bad",
            _ => "",
        }
    }

    /// Whose name stands in the row.
    pub(super) fn user_field(&self) -> Field {
        let is_operators = self.word.starts_with("management.") || self.word == "record.read";
        if is_operators { Field::Operator } else { Field::User }
    }
}

/// `12 times until 22:40:01`.
fn many(seen: &Seen<'_>) -> Option<String> {
    let Some(Value::Number(count @ 2..)) = seen.named("count") else { return None };
    let Some(Value::Text(until)) = seen.named("until") else { return None };
    Some(format!("{} times until {}", text::grouped(count), until.get(11..19).unwrap_or(until)))
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
        let more: Vec<_> = [detail, reason].into_iter().flatten().collect();
        return (doc, (!more.is_empty()).then(|| more.join(" · ")));
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

/// Where events are shown from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The memory of this process.
    Tail,
    /// The store.
    Record,
}

impl Source {
    /// Whether events of a value can be left out there.
    pub(super) const fn leaves_out(self, field: Field) -> bool {
        match self {
            Self::Tail => true,
            Self::Record => matches!(field, Field::Type | Field::Outcome),
        }
    }
}

/// A row with its links.
#[derive(Template)]
#[template(path = "console/event_row.html")]
pub(super) struct Row<'a> {
    shell: &'a Shell,
    source: Source,
    /// The page that it leads to, and what its address says beside the conditions.
    base: &'a str,
    kept: String,
    terms: &'a Terms,
    row: EventRow,
}

impl<'a> Row<'a> {
    pub(super) const fn new(
        shell: &'a Shell,
        source: Source,
        base: &'a str,
        kept: String,
        terms: &'a Terms,
        row: EventRow,
    ) -> Self {
        Self { shell, source, base, kept, terms, row }
    }

    fn only(&self, field: impl Borrow<Field>, shown: &Shown) -> String {
        format!("{}{}", self.kept, self.terms.only(*field.borrow(), &shown.value))
    }

    /// Where it can be left out.
    fn but(&self, field: impl Borrow<Field>, shown: &Shown) -> Option<String> {
        let field = *field.borrow();
        let query = || format!("{}{}", self.kept, self.terms.but(field, &shown.value));
        self.source.leaves_out(field).then(query)
    }

    /// The query of the page about its request.
    #[expect(clippy::unused_self, reason = "templates reach it through the row")]
    fn story(&self, id: &Shown) -> String {
        form_urlencoded::Serializer::new(String::new()).append_pair("id", &id.value).finish()
    }

    fn only_type(&self) -> String {
        let only = Kind::named(&self.row.word).map(|kind| self.terms.only(Field::Type, kind.row().word));
        format!("{}{}", self.kept, only.unwrap_or_else(|| self.terms.query()))
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
