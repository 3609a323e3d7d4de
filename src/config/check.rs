//! The structural check: every value against the JSON Schema, all faults at once.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::located::{Node, Place};
use super::words::{is_slip, listed, nearest};

/// Words that are planned but not understood yet, so that they are not taken for misspelt.
const LATER: [&str; 7] = ["tests", "acme", "store", "when", "api-key", "client-certificate", "audit"];

/// The part of `node` that fits `schema` (of [`super::schema::flat`]); says everything that does not.
///
/// A key that does not fit is left out, so that the rest can still be read and its faults be told in the same
/// report; what would be left without a required key is left out whole, an array as soon as an element is.
pub(super) fn check<'t>(schema: &Value, node: &Node<'t>, diagnostics: &mut Diagnostics) -> Option<Node<'t>> {
    if is_secret(schema) {
        hide(schema, node, diagnostics);
    }
    let Some(schema) = branch(schema, node.get_ref()) else {
        diagnostics.fault(wrong_kind(schema, node));
        return None;
    };
    let sound = match node.get_ref() {
        DeValue::Table(entries) => DeValue::Table(table(schema, node, entries, diagnostics)?),
        DeValue::Array(items) => {
            let element = schema.get("items").unwrap_or(&Value::Null);
            let sound: Vec<_> = items.iter().map(|item| check(element, item, diagnostics)).collect();
            DeValue::Array(sound.into_iter().collect::<Option<_>>()?)
        }
        DeValue::Integer(number) => keep(node, integer(schema, node, number), diagnostics)?,
        DeValue::String(text) => keep(node, word(schema, node, text), diagnostics)?,
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => node.get_ref().clone(),
    };
    Some(Spanned::new(node.span(), sound))
}

/// The value as it is, where it was `checked` and found good; a fault otherwise.
fn keep<'t>(
    node: &Node<'t>,
    checked: Result<(), Diagnostic>,
    diagnostics: &mut Diagnostics,
) -> Option<DeValue<'t>> {
    checked.map_err(|diagnostic| diagnostics.fault(diagnostic)).ok().map(|()| node.get_ref().clone())
}

/// The part of `schema` that speaks of values of this kind.
fn branch<'s>(schema: &'s Value, value: &DeValue<'_>) -> Option<&'s Value> {
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(branches) => branches.iter().find_map(|schema| branch(schema, value)),
        None => kinds(schema).iter().any(|named| fits(named, kind(value))).then_some(schema),
    }
}

/// A whole number is a number as well.
fn fits(named: &str, kind: &str) -> bool {
    named == kind || (named == "number" && kind == "integer")
}

fn wrong_kind(schema: &Value, node: &Node<'_>) -> Diagnostic {
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
        return Diagnostic::new(place, "a secret is written in the configuration")
            .expected("expected `{ env = \"NAME\" }` or `{ file = \"PATH\" }`")
            .help("take the secret out of this file, and renew it if others could read it");
    }
    Diagnostic::new(place, format!("{found} does not fit here"))
        .expected(format!("expected {}", listed(&names)))
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

fn table<'t>(
    schema: &Value,
    node: &Node<'t>,
    entries: &DeTable<'t>,
    diagnostics: &mut Diagnostics,
) -> Option<DeTable<'t>> {
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let free = schema.get("additionalProperties").filter(|free| free.is_object());
    let mut sound = DeTable::new();
    // Keys that are not reported as missing: something has been said of them, or of what they are misspelt
    // as.
    let mut excused = Vec::new();
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        if let Some(schema) = known.get(name).or(free) {
            let fitting = match single(schema, value) {
                Some(element) => {
                    diagnostics.fault(single_brackets(name, value));
                    check(element, value, diagnostics);
                    None
                }
                None => check(schema, value, diagnostics),
            };
            excused.extend(fitting.is_none().then_some(name));
            fitting.and_then(|value| sound.insert(key.clone(), value));
        } else {
            // The value is shown only where the key is a slip of the finger for one that holds no secret.
            let meant = nearest(name, known.keys().map(String::as_str));
            if !meant.is_some_and(|meant| is_slip(name, meant) && !known.get(meant).is_some_and(is_secret)) {
                hide_all(value, diagnostics);
            }
            excused.push(meant.unwrap_or(name));
            diagnostics.fault(unknown_key(key.span(), name, meant, known));
        }
    }
    // Beside a planned key nothing is called missing: it may stand for that.
    let later = excused.iter().any(|name| LATER.contains(name));
    let mut missing = required(schema).filter(|key| !sound.contains_key(*key)).peekable();
    let complete = missing.peek().is_none();
    for key in missing.filter(|key| !later && !excused.contains(key)) {
        diagnostics.fault(missing_key(node, key, known.get(key)));
    }
    if !complete || !excused.is_empty() {
        diagnostics.spoil(node.span());
    }
    complete.then_some(sound)
}

/// What `schema` says of an element, where it wants an array of tables and `node` is one table.
fn single<'s>(schema: &'s Value, node: &Node<'_>) -> Option<&'s Value> {
    let element = schema.get("items").filter(|_| branch(schema, node.get_ref()).is_none())?;
    branch(element, node.get_ref()).filter(|_| node.get_ref().is_table())
}

fn single_brackets(name: &str, node: &Node<'_>) -> Diagnostic {
    Diagnostic::new(Place::of(node), format!("`[{name}]` is one table, but there may be several"))
        .expected(format!("expected `[[{name}]]`, in two brackets"))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn unknown_key(span: Range<usize>, key: &str, meant: Option<&str>, known: &Map<String, Value>) -> Diagnostic {
    if LATER.contains(&key) {
        return Diagnostic::spanning(span, format!("{} is not supported yet", quoted(key)))
            .help("this version does not understand it; leave it out");
    }
    let diagnostic = Diagnostic::spanning(span, format!("unknown key {}", quoted(key)));
    match meant {
        Some(meant) => diagnostic.expected(format!("did you mean `{meant}`?")),
        None => {
            let keys: Vec<_> = known.keys().map(String::as_str).collect();
            let help = format!("known keys are {}", keys.join(", "));
            diagnostic.expected("not a key of this table").help(help)
        }
    }
}

fn missing_key(node: &Node<'_>, key: &str, schema: Option<&Value>) -> Diagnostic {
    let example = schema.and_then(|schema| schema.pointer("/examples/0")).and_then(Value::as_str);
    let diagnostic = Diagnostic::new(Place::of(node), format!("`{key}` is missing"));
    match example {
        Some(example) => diagnostic.expected(format!("expected `{key} = \"{example}\"` or the like")),
        None => diagnostic.expected(format!("expected the key `{key}`")),
    }
}

fn integer(schema: &Value, node: &Node<'_>, number: &DeInteger<'_>) -> Result<(), Diagnostic> {
    let bound = |name| schema.get(name).and_then(Value::as_i64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
    let fits = |value| value >= least.unwrap_or(i64::MIN) && value <= most.unwrap_or(i64::MAX);
    if value.is_some_and(fits) {
        return Ok(());
    }
    let expected = match (least, most) {
        (Some(least), Some(most)) => format!("expected a whole number from {least} to {most}"),
        (Some(least), None) => format!("expected a whole number of at least {least}"),
        _ => "expected a whole number of 64 bits".into(),
    };
    Err(Diagnostic::new(Place::of(node), "the number is out of range").expected(expected))
}

fn word(schema: &Value, node: &Node<'_>, text: &str) -> Result<(), Diagnostic> {
    let Some(words) = words(schema).filter(|words| !words.contains(&text)) else { return Ok(()) };
    let place = Place::of(node);
    if LATER.contains(&text) {
        let known = format!("expected {}", listed(&in_quotes(&words)));
        return Err(Diagnostic::new(place, format!("{} is not supported yet", quoted(text))).expected(known));
    }
    let diagnostic = Diagnostic::new(place, format!("unknown word {}", quoted(text)))
        .expected(format!("expected {}", listed(&in_quotes(&words))));
    Err(match nearest(text, words.iter().copied()) {
        Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
        None => diagnostic,
    })
}

/// The words that a string may be, where only some may be.
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let branches = schema.get("oneOf").and_then(Value::as_array)?;
    Some(branches.iter().filter_map(|branch| branch.get("const").and_then(Value::as_str)).collect())
}

fn in_quotes(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("\"{word}\"")).collect()
}

pub(super) fn is_secret(schema: &Value) -> bool {
    schema.get("x-secret") == Some(&Value::Bool(true))
}

/// Hides what stands where a secret could stand, but for the names of variables and files that secrets are
/// taken from.
fn hide(schema: &Value, node: &Node<'_>, diagnostics: &mut Diagnostics) {
    let DeValue::Table(entries) = node.get_ref() else { return hide_all(node, diagnostics) };
    for (key, value) in entries {
        if schema.pointer("/properties").and_then(|known| known.get(key.get_ref().as_ref())).is_none() {
            hide_all(value, diagnostics);
        }
    }
}

/// Hides every value in `node`: what stands behind a key that is not ours could be anything.
fn hide_all(node: &Node<'_>, diagnostics: &mut Diagnostics) {
    diagnostics.mask(node.span());
    // The values one by one, too: the span of a table that a dotted key has made is that of the key alone.
    match node.get_ref() {
        DeValue::Table(entries) => entries.values().for_each(|value| hide_all(value, diagnostics)),
        DeValue::Array(items) => items.iter().for_each(|item| hide_all(item, diagnostics)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
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
