//! An event as the Elastic Common Schema has it; what that has no name for is a label.

use portcullis_events::{Field, FieldRow, Kind, Level, Seen, Value};
use serde_json::Value as Json;

use super::tree::{get, json, put, put_named};
use super::{Result, ecs_kinds, host_and_port, result, sequence};

/// The version of the schema.
pub const VERSION: &str = "8.17.0";

/// The largest `long` of Elasticsearch.
const LONGEST: u64 = i64::MAX as u64;

/// The event that a line of ours tells.
pub(super) fn event(seen: &Seen<'_>) -> Json {
    let mut event = Json::Null;
    let kind = seen.kind();
    put(&mut event, "ecs.version", VERSION);
    put_service(&mut event);
    put_category(&mut event, kind);
    put(&mut event, "event.outcome", outcome(result(seen, kind)));
    for (name, value) in seen.members() {
        put_member(&mut event, name, value);
    }
    put_related(&mut event, seen);
    event
}

fn put_service(event: &mut Json) {
    put(event, "service.name", "portcullis");
    put(event, "service.type", "portcullis");
    put(event, "service.version", env!("CARGO_PKG_VERSION"));
    put(event, "event.module", "portcullis");
    put(event, "event.dataset", "portcullis.record");
}

fn put_category(event: &mut Json, kind: Option<Kind>) {
    let (categories, types) = kind.map_or((&[][..], &[][..]), ecs_kinds::of);
    put(event, "event.kind", "event");
    put(event, "event.category", categories.iter().copied().collect::<Json>());
    let place = mutant!("event.type", "ecs-renamed-type" => "event.types");
    put(event, place, types.iter().copied().collect::<Json>());
    if let Some(kind) = kind {
        put(event, "message", kind.row().doc);
        put(event, "log.level", level(kind.row().level));
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

const fn outcome(result: Result) -> &'static str {
    match result {
        Result::Success => "success",
        Result::Failure => "failure",
        Result::Other => "unknown",
    }
}

fn put_member(event: &mut Json, name: &str, value: &Value<'_>) {
    let placed = Field::named(name).is_some_and(|field| put_field(event, field.row(), value));
    if !placed {
        // A dot in a name would make a tree of it.
        put_named(event, "labels", &name.replace('.', "_"), label(value));
    }
}

/// Whether that said all of it.
fn put_field(event: &mut Json, row: &FieldRow, value: &Value<'_>) -> bool {
    match (row.field, value) {
        (Field::Event, Value::Text(id)) => {
            put(event, "event.id", id.as_ref());
            if let Some(number) = sequence(id) {
                put(event, "event.sequence", number.min(LONGEST));
            }
            true
        }
        (Field::Us, Value::Number(us)) => {
            put(event, "event.duration", us.saturating_mul(1000).min(LONGEST));
            true
        }
        (Field::Outcome, _) => false, // One of three words there; the exact one is a label.
        (Field::Host, Value::Text(host)) => {
            let (name, port) = host_and_port(host);
            put(event, "url.domain", name);
            if let Some(port) = port {
                put(event, "url.port", port);
            }
            true
        }
        (field, Value::Number(number)) if row.ecs.is_some() && field != Field::V => {
            put(event, row.ecs.unwrap_or_default(), (*number).min(LONGEST));
            true
        }
        (_, value) => put_by_table(event, row, value),
    }
}

fn put_by_table(event: &mut Json, row: &FieldRow, value: &Value<'_>) -> bool {
    let Some(path) = row.ecs else { return false };
    put(event, path, json(value));
    true
}

/// Labels are words: a number and a yes become text, and so does a list of changes.
fn label(value: &Value<'_>) -> Json {
    match value {
        Value::Text(_) | Value::Texts(_) => json(value),
        Value::Number(number) => number.to_string().into(),
        Value::Flag(flag) => flag.to_string().into(),
        Value::Other(raw) => (*raw).into(),
    }
}

/// Whom and what the event is about, for whoever looks for one of them in all events.
fn put_related(event: &mut Json, seen: &Seen<'_>) {
    let people = [Field::User, Field::Subject, Field::Operator].map(|field| seen.text(field));
    put_all(event, "related.user", &people);
    put_all(event, "related.ip", &[seen.text(Field::Client)]);
    let host = get(event, "url.domain").and_then(Json::as_str).map(str::to_owned);
    put_all(event, "related.hosts", &[host.as_deref()]);
}

fn put_all(event: &mut Json, path: &str, texts: &[Option<&str>]) {
    let mut texts: Vec<&str> = texts.iter().flatten().copied().filter(|text| !text.is_empty()).collect();
    texts.dedup();
    if !texts.is_empty() {
        put(event, path, texts.into_iter().collect::<Json>());
    }
}
