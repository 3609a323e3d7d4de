//! The API's description (OpenAPI 3.1.1), made from the table of its operations and the types that it speaks.

use std::sync::LazyLock;

use http::Method;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

use super::model::{ErasePerson, FindPeople, ListSessions};
use super::operation::Operation;
use super::record_model::{AskReport, EventList, ListEvents, Reading, ReportDocument, ReportFormat};
use super::{
    EndSessions, EndedSessions, Problem, ProviderOverview, Reason, RouteLimits, SessionList, SignalsOverview,
};
use crate::operate::{ErasedPerson, FoundPeople, NextAssertionKey};
use crate::reports::Report;

/// Statuses that any operation may answer with, and when.
const FAULTS: [(&str, &str); 5] = [
    ("400", "A parameter, a member or the body is wrong"),
    ("401", "The token is missing or another"),
    ("421", "The listener was called by a name that is not its own"),
    ("500", "A fault of the gateway's"),
    ("503", "The session store is away, or the process is about to end"),
];

/// Further ones where a body is read.
const BODY_FAULTS: [(&str, &str); 2] =
    [("413", "The body is larger than 16 KiB"), ("415", "The body is not application/json")];

/// The whole document.
pub(super) fn description() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    &DOCUMENT
}

fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in Operation::ALL {
        let path = paths.entry(operation.path()).or_insert_with(|| json!({}));
        path[operation.method().as_str().to_lowercase()] = described(operation, &mut schemas);
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Portcullis management API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sessions, providers and the process of a running gateway. Served on the unix socket of \
                            `[admin] socket`, to root and the gateway's own user, and on `[admin] listen` behind \
                            `[admin] token`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } }
        }
    })
}

fn described(operation: Operation, schemas: &mut SchemaGenerator) -> Value {
    let (summary, status, good) = match operation {
        Operation::ListSessions => ("Lists sign-ins", "200", schema::<SessionList>(schemas)),
        Operation::EndSessions => (
            "Ends sign-ins, with all their sessions and open streams",
            "200",
            schema::<EndedSessions>(schemas),
        ),
        Operation::ListProviders => {
            ("Lists the configured providers", "200", schema::<Vec<ProviderOverview>>(schemas))
        }
        Operation::ListSignals => {
            ("Lists the streams of signals", "200", schema::<Vec<SignalsOverview>>(schemas))
        }
        Operation::ListLimits => (
            "The rates of each route as loaded, and what is at its bound now; routes without rates are left out",
            "200",
            schema::<Vec<RouteLimits>>(schemas),
        ),
        Operation::ListEvents => (
            "Lists what has happened, as the store of events tells it: newest first",
            "200",
            schema::<EventList>(schemas),
        ),
        Operation::FindPeople => (
            "What the store of events has of whoever has a subject, and who has got it in clear",
            "200",
            schema::<FoundPeople>(schemas),
        ),
        Operation::ErasePerson => (
            "Erases somebody from the store of events: the key of what is personal of them is destroyed",
            "200",
            schema::<ErasedPerson>(schemas),
        ),
        Operation::ShowReport => (
            "Makes a report of what the store of events holds, as `portcullis report` does",
            "200",
            schema::<ReportDocument>(schemas),
        ),
        Operation::NoteReading => (
            "Records that a command has read the files of the record, which nobody else could tell",
            "200",
            json!({ "type": "object" }),
        ),
        Operation::ShowConfiguration => (
            "The configuration in force, as the file says it and without secrets",
            "200",
            json!({ "type": "object" }),
        ),
        Operation::RotateAssertionKey => (
            "Publishes the next key of assertions, which signs an hour later; the one that is published already, where there is one",
            "200",
            schema::<NextAssertionKey>(schemas),
        ),
        Operation::Reload => {
            ("Has the configuration read again, as SIGHUP does", "202", json!({ "type": "object" }))
        }
        Operation::Drain => (
            "Has the process end once its requests have, as SIGTERM does",
            "202",
            json!({ "type": "object" }),
        ),
        Operation::Describe => ("This document", "200", json!({ "type": "object" })),
    };
    let mut described = json!({
        "operationId": operation.id(),
        "summary": summary,
        "responses": responses(operation, status, good, schemas)
    });
    match operation {
        Operation::ListSessions => {
            described["parameters"] = parameters(&schema_for!(ListSessions).to_value())
        }
        Operation::ListEvents => {
            described["parameters"] = parameters(&schema_for!(ListEvents).to_value());
            described["responses"]["404"] = problem("No store keeps events here", schemas);
        }
        Operation::FindPeople => {
            described["parameters"] = parameters(&schema_for!(FindPeople).to_value());
            described["responses"]["404"] = problem("No store keeps events here", schemas);
        }
        Operation::ErasePerson => {
            described["requestBody"] = body(schema::<ErasePerson>(schemas));
            described["responses"]["404"] =
                problem("The store has nothing of them, or there is none", schemas);
            described["responses"]["409"] =
                problem("Several people have the subject, or they are signed in", schemas);
        }
        Operation::ShowReport => report(&mut described, schemas),
        Operation::NoteReading => described["requestBody"] = body(schema::<Reading>(schemas)),
        Operation::EndSessions => described["requestBody"] = body(schema::<EndSessions>(schemas)),
        Operation::RotateAssertionKey | Operation::Reload | Operation::Drain => {
            described["requestBody"] = body(schema::<Reason>(schemas));
        }
        Operation::ListProviders
        | Operation::ListSignals
        | Operation::ListLimits
        | Operation::ShowConfiguration
        | Operation::Describe => {}
    }
    described
}

/// Its name stands in the path, and it is written in several ways.
fn report(described: &mut Value, schemas: &mut SchemaGenerator) {
    let mut parameters = parameters(&schema_for!(AskReport).to_value());
    let words = Report::TABLE.map(|(_, word, _)| word);
    let name = json!({
        "name": "name", "in": "path", "required": true, "description": "Which report.",
        "schema": { "type": "string", "enum": words }
    });
    if let Some(all) = parameters.as_array_mut() {
        all.push(name);
        // What is a type of its own in the program stands here itself.
        let format = json!({ "type": "string", "enum": ["json", "csv", "html", "table"], "default": "json" });
        all.iter_mut().filter(|one| one["name"] == "format").for_each(|one| one["schema"] = format.clone());
    }
    described["parameters"] = parameters;
    for format in [ReportFormat::Csv, ReportFormat::Html, ReportFormat::Table] {
        described["responses"]["200"]["content"][format.media_type()] =
            json!({ "schema": { "type": "string" } });
    }
    let when = "No store keeps events here, or there is no such report";
    described["responses"]["404"] = problem(when, schemas);
}

fn schema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

fn problem(when: &str, schemas: &mut SchemaGenerator) -> Value {
    response(when, "application/problem+json", schema::<Problem>(schemas))
}

fn body(schema: Value) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": schema } } })
}

fn responses(operation: Operation, status: &str, good: Value, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    responses.insert(status.into(), response("Done", "application/json", good));
    let with_body = operation.method() == Method::POST;
    for (status, when) in FAULTS.iter().chain(BODY_FAULTS.iter().filter(|_| with_body)) {
        let problem = schema::<Problem>(schemas);
        responses.insert((*status).into(), response(when, "application/problem+json", problem));
    }
    // The listener refuses another name before it looks for the API.
    responses["421"] = response(FAULTS[2].1, "text/plain; charset=utf-8", json!({ "type": "string" }));
    responses.into()
}

fn response(when: &str, media_type: &str, schema: Value) -> Value {
    json!({ "description": when, "content": { media_type: { "schema": schema } } })
}

/// The members of the type that a query is read into.
fn parameters(schema: &Value) -> Value {
    let members = schema["properties"].as_object().cloned().unwrap_or_default();
    let needed = schema["required"].as_array().cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        without_null(&mut schema);
        let required = needed.iter().any(|needed| *needed == *name);
        json!({ "name": name, "in": "query", "required": required, "description": description, "schema": schema })
    };
    members.into_iter().map(parameter).collect()
}

/// A parameter is there or not; it is never null.
fn without_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if schema["default"].is_null() {
        schema.as_object_mut().map(|schema| schema.remove("default"));
    }
}
