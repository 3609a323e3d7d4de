//! The structural check: every value against the JSON Schema, all faults at once.

use serde_json::{Map, Value};
use toml::de::{DeInteger, DeTable, DeValue};

use super::at::{Node, Place};
use super::remark::{Remark, Remarks, quoted};
use super::words::{listed, nearest};

/// Words that are planned but not understood yet, so that they are not taken for misspelt.
const LATER: [&str; 9] =
    ["tests", "acme", "store", "when", "acr", "max_auth_age", "api-key", "client-certificate", "audit"];

/// Says everything in which `node` differs from `schema` (of [`super::schema::flat`]).
pub(super) fn check(schema: &Value, node: &Node<'_>, remarks: &mut Remarks) {
    if is_secret(schema) {
        hide(schema, node, remarks);
    }
    let Some(schema) = branch(schema, node.get_ref()) else {
        return remarks.fault(wrong_kind(schema, node));
    };
    match node.get_ref() {
        DeValue::Table(entries) => table(schema, node, entries, remarks),
        DeValue::Array(items) => {
            let element = schema.get("items").unwrap_or(&Value::Null);
            items.iter().for_each(|item| check(element, item, remarks));
        }
        DeValue::Integer(number) => integer(schema, node, number, remarks),
        DeValue::String(text) => word(schema, node, text, remarks),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// The part of `schema` that speaks of values of this kind.
fn branch<'s>(schema: &'s Value, value: &DeValue<'_>) -> Option<&'s Value> {
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(branches) => branches.iter().find_map(|schema| branch(schema, value)),
        None => kinds(schema).contains(&kind(value)).then_some(schema),
    }
}

fn wrong_kind(schema: &Value, node: &Node<'_>) -> Remark {
    let mut names: Vec<String> = Vec::new();
    for kind in kinds(schema) {
        let name = described(schema, kind);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let place = Place::of(node);
    let found = with_article(kind(node.get_ref()));
    if is_secret(schema) && kind(node.get_ref()) == "string" {
        return Remark::new(place, "a secret is written in the configuration")
            .expected("expected `{ env = \"NAME\" }` or `{ file = \"PATH\" }`")
            .help("take the secret out of this file, and renew it if others could read it");
    }
    Remark::new(place, format!("{found} does not fit here")).expected(format!("expected {}", listed(&names)))
}

/// A kind in words, with an example where the schema has one.
fn described(schema: &Value, kind: &str) -> String {
    let name = with_article(kind);
    let example = schema.pointer("/examples/0").and_then(Value::as_str);
    match (kind, example) {
        ("string", Some(example)) => format!("{name} such as \"{example}\""),
        ("string", None) => words(schema).map_or(name, |words| listed(&in_quotes(&words))),
        _ => name,
    }
}

fn table(schema: &Value, node: &Node<'_>, entries: &DeTable<'_>, remarks: &mut Remarks) {
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let free = schema.get("additionalProperties").filter(|free| free.is_object());
    let mut excused = Vec::new();
    for (key, value) in entries {
        match known.get(key.get_ref().as_ref()).or(free) {
            Some(schema) => check(schema, value, remarks),
            None => {
                remarks.mask(value.span());
                let meant = nearest(key.get_ref(), known.keys().map(String::as_str));
                excused.push(meant.unwrap_or_default());
                remarks.fault(unknown_key(Place::of(value), key.span(), key.get_ref(), meant, known));
            }
        }
    }
    let later = entries
        .keys()
        .any(|key| LATER.contains(&key.get_ref().as_ref()) && !known.contains_key(key.get_ref().as_ref()));
    for key in
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        if !later && !entries.contains_key(key) && !excused.contains(&key) {
            remarks.fault(missing(node, key, known.get(key)));
        }
    }
}

fn unknown_key(
    _: Place<'_>,
    span: std::ops::Range<usize>,
    key: &str,
    meant: Option<&str>,
    known: &Map<String, Value>,
) -> Remark {
    if LATER.contains(&key) {
        return Remark::spanning(span, format!("{} is not supported yet", quoted(key)))
            .help("this version does not understand it; leave it out");
    }
    let remark = Remark::spanning(span, format!("unknown key {}", quoted(key)));
    match meant {
        Some(meant) => remark.expected(format!("did you mean `{meant}`?")),
        None => remark.expected("not a key of this table").help(known_keys(known)),
    }
}

fn known_keys(known: &Map<String, Value>) -> String {
    let keys: Vec<_> = known.keys().map(String::as_str).collect();
    format!("known keys are {}", keys.join(", "))
}

fn missing(node: &Node<'_>, key: &str, schema: Option<&Value>) -> Remark {
    let example = schema.and_then(|schema| schema.pointer("/examples/0")).and_then(Value::as_str);
    let remark = Remark::new(Place::of(node), format!("`{key}` is missing"));
    match example {
        Some(example) => remark.expected(format!("expected `{key} = \"{example}\"` or the like")),
        None => remark.expected(format!("expected the key `{key}`")),
    }
}

fn integer(schema: &Value, node: &Node<'_>, number: &DeInteger<'_>, remarks: &mut Remarks) {
    let bound = |name| schema.get(name).and_then(Value::as_i64);
    let (least, most) = (bound("minimum").unwrap_or(i64::MIN), bound("maximum").unwrap_or(i64::MAX));
    let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
    if value.is_none_or(|value| value < least || value > most) {
        let expected = match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("expected a whole number from {least} to {most}"),
            (Some(least), None) => format!("expected a whole number of at least {least}"),
            _ => "expected a whole number of 64 bits".into(),
        };
        remarks.fault(Remark::new(Place::of(node), "the number is out of range").expected(expected));
    }
}

fn word(schema: &Value, node: &Node<'_>, text: &str, remarks: &mut Remarks) {
    let Some(words) = words(schema) else { return };
    if words.contains(&text) {
        return;
    }
    let remark = Remark::new(Place::of(node), format!("unknown word {}", quoted(text)))
        .expected(format!("expected {}", listed(&in_quotes(&words))));
    remarks.fault(match nearest(text, words.iter().copied()) {
        _ if LATER.contains(&text) => remark.help(format!("`{text}` is not supported yet")),
        Some(meant) => remark.help(format!("did you mean \"{meant}\"?")),
        None => remark,
    });
}

/// The words that a string may be, where only some may be.
fn words(schema: &Value) -> Option<Vec<&str>> {
    let listed = |list: &'_ Value| list.as_array().cloned();
    let _ = listed;
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let branches = schema.get("oneOf").and_then(Value::as_array)?;
    Some(branches.iter().filter_map(|branch| branch.get("const").and_then(Value::as_str)).collect())
}

fn in_quotes(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("\"{word}\"")).collect()
}

fn is_secret(schema: &Value) -> bool {
    schema.get("x-secret") == Some(&Value::Bool(true))
}

/// Hides what stands where a secret could stand; the names of variables and files are none.
fn hide(schema: &Value, node: &Node<'_>, remarks: &mut Remarks) {
    let DeValue::Table(entries) = node.get_ref() else { return remarks.mask(node.span()) };
    for (key, value) in entries {
        if schema.pointer("/properties").and_then(|known| known.get(key.get_ref().as_ref())).is_none() {
            remarks.mask(value.span());
        }
    }
}

/// The kinds of value that `schema` speaks of.
fn kinds(schema: &Value) -> Vec<&str> {
    if let Some(Value::Array(branches)) = schema.get("anyOf") {
        return branches.iter().flat_map(kinds).collect();
    }
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("oneOf").is_some() => vec!["string"],
        _ => Vec::new(),
    }
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "datetime",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "datetime" => "a date",
        "array" => "an array",
        _ => "a table",
    }
    .to_owned()
}
