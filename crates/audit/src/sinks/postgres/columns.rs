//! An event as a row: what people ask by, read from its line.

use std::net::IpAddr;
use std::time::SystemTime;

use portcullis_events::{Field, Seen, Value, is_inert};
use tokio_postgres::Row as Answer;
use tokio_postgres::types::{ToSql, Type};

/// Columns of texts, each with the field that it tells.
pub(super) const TEXTS: [(&str, Field); 21] = [
    ("event", Field::Event),
    ("type", Field::Type),
    ("id", Field::Id),
    ("method", Field::Method),
    ("host", Field::Host),
    ("path", Field::Path),
    ("route", Field::Route),
    ("provider", Field::Provider),
    ("subject", Field::Subject),
    ("user_name", Field::User),
    ("auth", Field::Auth),
    ("acr", Field::Acr),
    ("session", Field::Session),
    ("credential", Field::Credential),
    ("outcome", Field::Outcome),
    ("rule", Field::Rule),
    ("missing", Field::Missing),
    ("reason", Field::Reason),
    ("why", Field::Why),
    ("operator", Field::Operator),
    ("operation", Field::Operation),
];

/// Columns of numbers.
pub(super) const NUMBERS: [(&str, Field); 3] =
    [("status", Field::Status), ("bytes", Field::Bytes), ("us", Field::Us)];

/// All columns that are read from a line, in the order in which [`Row`] is written and read.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let names = TEXTS.iter().chain(&NUMBERS).map(|(name, _)| *name);
    ["time", "client"].into_iter().chain(names)
}

/// What the columns of an event hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) time: SystemTime,
    client: Option<IpAddr>,
    texts: Vec<Option<String>>,
    numbers: Vec<Option<i64>>,
}

/// A day of UTC, as the names of its tables end: `20261130`.
pub(super) type Day = String;

impl Row {
    /// What is read from a line, and the day that it belongs to; none where the line is no event.
    pub(super) fn of(line: &[u8]) -> Option<(Self, Day)> {
        let seen = Seen::read(line).ok()?;
        let written = seen.text(Field::Time)?;
        let time = humantime::parse_rfc3339(written).ok()?;
        let day = written.get(..10)?.replace('-', "");
        let texts: Vec<_> = TEXTS.iter().map(|(_, field)| text(&seen, *field)).collect();
        // The first two are never missing: events are known by them.
        texts.iter().take(2).all(Option::is_some).then_some(())?;
        let numbers = NUMBERS.iter().map(|(_, field)| number(&seen, *field)).collect();
        let client = seen.text(Field::Client).and_then(|client| client.parse().ok());
        Some((Self { time, client, texts, numbers }, day))
    }

    /// What an answer holds whose columns are [`names`], from this one on.
    pub(super) fn read(answer: &Answer, from: usize) -> Result<Self, tokio_postgres::Error> {
        let (texts, numbers) = (from + 2, from + 2 + TEXTS.len());
        Ok(Self {
            time: answer.try_get(from)?,
            client: answer.try_get(from + 1)?,
            texts: (0..TEXTS.len()).map(|at| answer.try_get(texts + at)).collect::<Result<_, _>>()?,
            numbers: (0..NUMBERS.len()).map(|at| answer.try_get(numbers + at)).collect::<Result<_, _>>()?,
        })
    }

    /// The first column in which two differ.
    pub(super) fn differs(&self, other: &Self) -> Option<&'static str> {
        let same = [self.time == other.time, self.client == other.client].into_iter();
        let same = same.chain(self.texts.iter().zip(&other.texts).map(|(one, other)| one == other));
        let same = same.chain(self.numbers.iter().zip(&other.numbers).map(|(one, other)| one == other));
        names().zip(same).find_map(|(name, same)| (!same).then_some(name))
    }
}

/// Rows by columns, as a statement takes them: an array each.
#[derive(Debug, Default)]
pub(super) struct Columns {
    times: Vec<SystemTime>,
    clients: Vec<Option<IpAddr>>,
    texts: [Vec<Option<String>>; TEXTS.len()],
    numbers: [Vec<Option<i64>>; NUMBERS.len()],
}

impl Columns {
    pub(super) fn push(&mut self, row: &Row) {
        self.times.push(row.time);
        self.clients.push(row.client);
        self.texts.iter_mut().zip(&row.texts).for_each(|(all, text)| all.push(text.clone()));
        self.numbers.iter_mut().zip(&row.numbers).for_each(|(all, number)| all.push(*number));
    }

    /// In the order of [`names`].
    pub(super) fn values(&self) -> impl Iterator<Item = &(dyn ToSql + Sync)> {
        let first: [&(dyn ToSql + Sync); 2] = [&self.times, &self.clients];
        let texts = self.texts.iter().map(|all| all as &(dyn ToSql + Sync));
        first.into_iter().chain(texts).chain(self.numbers.iter().map(|all| all as &(dyn ToSql + Sync)))
    }
}

/// The types of [`Columns::values`].
pub(super) fn types() -> impl Iterator<Item = Type> {
    let texts = TEXTS.iter().map(|_| Type::TEXT_ARRAY);
    let numbers = NUMBERS.iter().map(|_| Type::INT8_ARRAY);
    [Type::TIMESTAMPTZ_ARRAY, Type::INET_ARRAY].into_iter().chain(texts).chain(numbers)
}

/// A text as a column has it: inert on every terminal (invariant 28), and without NUL, which the server does not take.
fn text(seen: &Seen<'_>, field: Field) -> Option<String> {
    let text = match seen.value(field)? {
        Value::Other(_) => return None,
        value @ (Value::Text(_) | Value::Number(_) | Value::Flag(_) | Value::Texts(_)) => value.joined(", "),
    };
    let inert = |letter: char| if is_inert(letter) { letter } else { char::REPLACEMENT_CHARACTER };
    Some(mutant!(text.chars().map(inert).collect(), "postgres-columns-as-they-came" => text))
}

fn number(seen: &Seen<'_>, field: Field) -> Option<i64> {
    seen.number(field).map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use portcullis_events::{KindSet, Recorder, samples};

    use super::*;
    use crate::clock::Clock;

    #[test]
    fn every_event_is_a_row_whatever_its_values_are() {
        for text in ["alice", "\0\u{1b}[2J\u{202e}<b>'; DROP TABLE x--", &"\u{9b}日\"\\".repeat(4000)] {
            let (recorder, mut count) = (Recorder::new(0, Clock::system(), 64 << 20), 0);
            recorder.want(KindSet::ALL, true);
            samples::full(text, &mut |event| assert!(recorder.emit(event).is_some()));
            recorder.sweep(|block| {
                for head in block.heads() {
                    let (row, day) = Row::of(block.line(head)).unwrap();
                    assert_eq!((day.len(), row.differs(&row)), (8, None));
                    assert!(row.texts.iter().flatten().all(|text| text.chars().all(is_inert)), "{row:?}");
                    count += 1;
                }
            });
            assert!(count > 50, "{count}");
        }
        let bare = "{\"time\":\"2026-11-30T00:00:00Z\"}";
        let timeless = "{\"time\":\"x\",\"event\":\"a\",\"type\":\"b\"}";
        for wrong in ["", "{}", bare, timeless] {
            assert_eq!(Row::of(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_column_that_differs_is_named() {
        let line = |user: &str, status: u16| {
            let line = format!(
                "{{\"v\":1,\"time\":\"2026-11-30T19:05:13.000001Z\",\"event\":\"9f-0-1\",\"type\":\"x\",\
                 \"client\":\"192.0.2.7\",\"user\":\"{user}\",\"status\":{status},\"missing\":[\"a\",\"b\"]}}\n"
            );
            Row::of(line.as_bytes()).unwrap().0
        };
        assert_eq!(line("alice", 200).differs(&line("alice", 200)), None);
        assert_eq!(line("alice", 200).differs(&line("bob", 200)), Some("user_name"));
        assert_eq!(line("alice", 200).differs(&line("alice", 403)), Some("status"));
        assert_eq!(line("a", 1).texts[16].as_deref(), Some("a, b"));
    }
}
