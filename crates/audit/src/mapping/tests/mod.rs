//! What others' schemas ask for is read from elsewhere: from the published schema of OCSF, and from the documentation of ECS.

mod ecs;
mod hostile;
mod ocsf;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portcullis_events::{AccessEvent, Event, KindSet, Recorder, samples};
use serde_json::Value as Json;

use super::Schema;
use crate::clock::{Clock, Timestamp};

/// The line of an event.
fn line(event: &dyn Event) -> Vec<u8> {
    let recorder = Recorder::new(0, Clock::manual(Timestamp::from_seconds(1_800_000_000)), 0);
    recorder.want(KindSet::ALL, true);
    recorder.emit(event);
    let mut line = Vec::new();
    recorder.sweep(|block| block.heads().iter().for_each(|head| line.extend_from_slice(block.line(head))));
    line
}

fn text_of(schema: Schema, event: &dyn Event) -> String {
    mapped_text(schema, &line(event))
}

fn mapped_text(schema: Schema, line: &[u8]) -> String {
    let mut out = Vec::new();
    schema.map(line, &mut out);
    String::from_utf8(out).unwrap()
}

fn mapped(schema: Schema, event: &dyn Event) -> Json {
    serde_json::from_str(&text_of(schema, event)).unwrap()
}

/// Values of the line of an event, by their paths, that are in no shape in what it becomes.
fn lost(schema: Schema, event: &dyn Event) -> Vec<(String, Json)> {
    let line = line(event);
    let told: Json = serde_json::from_str(&mapped_text(schema, &line)).unwrap();
    let values: Vec<String> = leaves(&told).into_iter().map(|(_, value)| value.to_string()).collect();
    let mut of_line = leaves(&serde_json::from_slice(&line).unwrap());
    of_line.retain(|(_, value)| {
        !values.contains(&value.to_string()) && !values.contains(&format!("\"{value}\""))
    });
    of_line
}

/// Every kind with all that it can tell and with what it must, mapped.
fn all(schema: Schema) -> Vec<(&'static str, Json)> {
    let mut found = Vec::new();
    let mut take = |event: &dyn Event| found.push((event.kind().word(), mapped(schema, event)));
    samples::full("x/y", &mut take);
    samples::full("four", &mut take);
    samples::bare(&mut take);
    found
}

/// What stands at a path with dots; a number is the place in a list.
fn at<'j>(json: &'j Json, path: &str) -> &'j Json {
    path.split('.').fold(json, |json, name| name.parse::<usize>().map_or(&json[name], |index| &json[index]))
}

/// Every value that is no tree, by its path; the items of a list have the path of the list.
fn leaves(json: &Json) -> Vec<(String, Json)> {
    fn walk(path: &str, json: &Json, found: &mut Vec<(String, Json)>) {
        match json {
            Json::Object(members) => members.iter().for_each(|(name, value)| {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&below, value, found);
            }),
            Json::Array(items) => items.iter().for_each(|item| walk(path, item, found)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                found.push((path.to_owned(), json.clone()));
            }
        }
    }
    let mut found = Vec::new();
    walk("", json, &mut found);
    found
}

/// A request with a person, as it is most often.
fn request(take: &mut dyn FnMut(&AccessEvent<'_>)) {
    let who = portcullis_rules::identity::fixtures::alice();
    let shown = portcullis_events::Shown {
        kind: portcullis_events::AuthKind::Session,
        credential: 1,
        session: 2,
        bound: Some(true),
    };
    take(&AccessEvent {
        client: std::net::Ipv4Addr::new(192, 0, 2, 7).into(),
        host: "wiki.corp.example:8443",
        who: Some(&who),
        shown: Some(shown),
        status: 200,
        outcome: portcullis_events::Outcome::Allowed,
        rule: Some(&"policy staff, rule 1"),
        agent: Some(b"curl/8"),
        http: Some("2"),
        ..samples::bare_access(portcullis_events::Access::Granted)
    });
}
