//! Fields of ours in an event of OCSF: each where its class has it, in the type that it has there, and otherwise as it is.

use std::time::UNIX_EPOCH;

use portcullis_events::{Field, FieldRow, FieldType, Value};
use serde_json::Value as Json;

use super::ocsf::Event;
use super::ocsf_classes::{OTHER, of_method};
use super::tree::json;
use super::{host_and_port, sequence};

/// Puts a member of a line to its place, or keeps it under our own name.
pub(super) fn put_member(event: &mut Event<'_>, name: &str, value: &Value<'_>) {
    let placed = Field::named(name).is_some_and(|field| put_field(event, field, value));
    if !placed {
        event.keep(name, json(value));
    }
}

/// Whether that said all of it.
fn put_field(event: &mut Event<'_>, field: Field, value: &Value<'_>) -> bool {
    match (field, value) {
        (Field::Time, Value::Text(time)) => put_time(event, time),
        (Field::Event, Value::Text(id)) => put_id(event, id),
        (Field::V, Value::Number(version)) => {
            event.put("metadata.log_version", version.to_string());
            true
        }
        (Field::Us, Value::Number(us)) => {
            event.put("duration", us / 1000);
            false // Microseconds are told as well.
        }
        (Field::Outcome, Value::Text(outcome)) => {
            event.put("status_code", outcome.as_ref());
            true
        }
        (Field::Truncated, _) => {
            event.put("metadata.is_truncated", true);
            false // Which fields are is told as well.
        }
        (Field::Host, Value::Text(host)) if event.class.has("http_request") => put_host(event, host),
        (Field::Method, Value::Text(method)) if of_method(method) == OTHER => false,
        (Field::UpstreamUs, Value::Number(us)) if event.class.has("http_response") => {
            event.put("http_response.latency", us / 1000);
            false
        }
        (Field::File, Value::Text(path)) if event.class.is_log() => put_file(event, path),
        (Field::Auth | Field::Amr, _) if event.class.is_authentication() => put_proof(event, field, value),
        _ => put_by_table(event, field.row(), value),
    }
}

fn put_by_table(event: &mut Event<'_>, row: &FieldRow, value: &Value<'_>) -> bool {
    let Some(path) = event.class.place(row.field) else { return false };
    let value = match (row.kind, value) {
        (FieldType::Time, Value::Text(time)) => millis(time).map(Json::from),
        _ => Some(json(value)),
    };
    let Some(value) = value else { return false };
    event.put(path, value);
    true
}

/// OCSF counts milliseconds; the text has the rest.
fn put_time(event: &mut Event<'_>, time: &str) -> bool {
    event.put("metadata.original_time", time);
    event.put("time", millis(time).unwrap_or(0));
    true
}

/// Milliseconds since 1970 of such as `2026-11-30T19:05:13.123456Z`.
fn millis(time: &str) -> Option<u64> {
    let since = humantime::parse_rfc3339(time).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

fn put_id(event: &mut Event<'_>, id: &str) -> bool {
    event.put("metadata.uid", id);
    if let Some(number) = sequence(id) {
        event.put("metadata.sequence", number);
    }
    true
}

fn put_host(event: &mut Event<'_>, host: &str) -> bool {
    let (name, port) = host_and_port(host);
    event.put("http_request.url.hostname", name);
    if let Some(port) = port {
        event.put("http_request.url.port", port);
    }
    true
}

fn put_file(event: &mut Event<'_>, path: &str) -> bool {
    event.put("file.path", path);
    event.put("file.name", path.rsplit('/').next().unwrap_or(path));
    event.put("file.type", "Regular File");
    event.put("file.type_id", 1);
    true
}

/// How the person showed who they are.
fn put_proof(event: &mut Event<'_>, field: Field, value: &Value<'_>) -> bool {
    match (field, value) {
        (Field::Auth, Value::Text(word)) => {
            let (id, caption) = if word == "session" { (4, "OpenID") } else { (6, "OAUTH 2.0") };
            event.put("auth_protocol_id", id);
            event.put("auth_protocol", caption);
        }
        (Field::Amr, Value::Texts(methods)) => {
            if methods.iter().any(|method| method == "mfa") {
                event.put("is_mfa", true);
            }
            let factors: Json =
                methods.iter().filter(|method| *method != "mfa").map(|method| factor(method)).collect();
            event.put("auth_factors", factors);
        }
        _ => {}
    }
    false // Our own word is told as well: OCSF's is coarser.
}

/// One method of a sign-in (RFC 8176).
fn factor(method: &str) -> Json {
    let (id, caption) = match method {
        "sms" => (1, "SMS"),
        "kba" => (2, "Security Question"),
        "tel" => (3, "Phone Call"),
        "face" | "fpt" | "iris" | "retina" | "vbm" => (4, "Biometric"),
        "hwk" | "sc" => (6, "Hardware Token"),
        "otp" => (7, "OTP"),
        "pwd" | "pin" => (11, "Password"),
        other => (99, other),
    };
    serde_json::json!({ "factor_type_id": id, "factor_type": caption })
}
