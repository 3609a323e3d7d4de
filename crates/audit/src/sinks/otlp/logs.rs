//! Events as `ExportLogsServiceRequest`. What is known of an event keeps its meaning: fields that OpenTelemetry has a name
//! for are told by that name (`Field::TABLE`), all others by ours behind `portcullis.`.

use std::time::UNIX_EPOCH;

use portcullis_events::{Field, Level, Seen, Value};

use super::common::{attribute, export, flag, nanos, number, text, texts};
use super::protobuf::Message;

/// What has a place of its own in a record.
const ELSEWHERE: [Field; 4] = [Field::V, Field::Time, Field::Type, Field::Trace];

/// A message with these lines; `now` is when they are read, in microseconds since 1970.
pub(super) fn message<'l>(instance: &str, lines: impl Iterator<Item = &'l [u8]>, now: u64) -> Message {
    export(instance, lines.filter_map(|line| record(line, now)))
}

/// The record of an event; none of what is no line of a record.
fn record(line: &[u8], now: u64) -> Option<Message> {
    let seen = Seen::read(line).ok()?;
    let mut record = Message::default();
    let time = seen.text(Field::Time).and_then(micros);
    record.fixed64(1, nanos(time.unwrap_or(now)));
    let (severity, word) = severity(seen.kind().map_or(Level::Info, |kind| kind.row().level));
    record.number(2, severity);
    record.bytes(3, word.as_bytes());
    record.message(5, &text(seen.word()));
    let elsewhere = |name: &str| ELSEWHERE.iter().any(|field| field.row().name == name);
    for (name, value) in seen.members().filter(|(name, _)| !elsewhere(name)) {
        record.message(6, &attribute(&told_as(name), &any(value)));
    }
    seen.text(Field::Trace).and_then(trace).iter().for_each(|trace| record.bytes(9, trace));
    record.fixed64(11, nanos(now));
    record.bytes(12, seen.word().as_bytes());
    Some(record)
}

/// Microseconds from 1970 to a moment.
fn micros(moment: &str) -> Option<u64> {
    let since = humantime::parse_rfc3339(moment).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_micros()).ok()
}

fn told_as(name: &str) -> String {
    let known = Field::TABLE.iter().find(|row| row.name == name).and_then(|row| row.otel);
    known.map_or_else(|| format!("portcullis.{name}"), str::to_owned)
}

fn any(value: &Value<'_>) -> Message {
    match value {
        Value::Text(value) => text(value),
        Value::Number(value) => number(i64::try_from(*value).unwrap_or(i64::MAX)),
        Value::Flag(value) => flag(*value),
        Value::Texts(values) => texts(values.iter().map(AsRef::as_ref)),
        Value::Other(json) => text(json),
    }
}

const fn severity(level: Level) -> (u64, &'static str) {
    match level {
        Level::Info => (9, "INFO"),
        Level::Warn => (13, "WARN"),
        Level::Error => (17, "ERROR"),
    }
}

/// The bytes of a trace's identifier.
fn trace(digits: &str) -> Option<[u8; 16]> {
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some(number.to_be_bytes())
}
