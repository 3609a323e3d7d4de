//! What stands in the cells of the reference.

use serde_json::Value;

/// The description, on one line.
pub(super) fn description(schema: &Value) -> Option<String> {
    const NOTHING_NEW: &str = "One, or an array of them.";
    let text = schema.get("description")?.as_str()?.replace('\n', " ");
    (text != NOTHING_NEW).then_some(text)
}

/// What a key takes.
pub(super) fn kind(schema: &Value) -> String {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    match (text("x-kind"), text("type")) {
        (Some("duration"), _) => "[span](#spans-of-time)".into(),
        (Some("size"), _) => "[size](#sizes)".into(),
        (_, Some("string")) => "text".into(),
        (_, Some("boolean")) => "`true` or `false`".into(),
        (_, Some("integer")) => number(schema),
        (_, Some("number")) => fraction(schema),
        (_, Some("array")) => format!("array of {}", schema.get("items").map(kind).unwrap_or_default()),
        (_, Some("object")) => table(schema),
        _ if schema.get("oneOf").is_some() => {
            words(schema).iter().map(|(word, _)| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
        _ => forms(schema),
    }
}

fn number(schema: &Value) -> String {
    let bound = |name| schema.get(name).and_then(Value::as_u64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) if most < 1_000_000_000 => format!("number, {least} to {most}"),
        (Some(least), _) if least > 0 => format!("number, at least {least}"),
        _ => "number".into(),
    }
}

fn fraction(schema: &Value) -> String {
    let bound = |name| schema.get(name).and_then(Value::as_f64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("number, {least} to {most}"),
        _ => "number".into(),
    }
}

fn table(schema: &Value) -> String {
    if schema.get("x-secret").is_some() && schema.get("properties").is_some() {
        return "[secret](#secrets)".into();
    }
    let keys = schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|keys| keys.keys().map(String::as_str).collect::<Vec<_>>());
    match keys.as_deref() {
        None => "table of names and values".into(),
        Some(["file"]) => "`{ file = \"…\" }`".into(),
        Some(_) => match super::anchor_of(schema) {
            Some(anchor) => format!("[table](#{anchor})"),
            None => "table".into(),
        },
    }
}

/// Several forms: one or an array of the same is said in few words.
fn forms(schema: &Value) -> String {
    let forms = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match forms {
        [one, many] if many.get("items") == Some(one) => format!("{} or array", kind(one)),
        forms => {
            let mut kinds: Vec<String> = forms.iter().map(kind).collect();
            kinds.dedup();
            kinds.join(" or ")
        }
    }
}

/// The words that a key takes, and what each means.
fn words(schema: &Value) -> Vec<(&str, Option<String>)> {
    let branches = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    branches.filter_map(|branch| Some((branch.get("const")?.as_str()?, description(branch)))).collect()
}

/// What holds where the key is left out.
pub(super) fn default(schema: &Value) -> String {
    match (schema.get("x-default").and_then(Value::as_str), schema.get("default")) {
        (Some(text), _) => text.to_owned(),
        (None, Some(value)) => format!("`{}`", toml(value)),
        (None, None) => "as told there".into(),
    }
}

/// What the key means, each of its words, and an example.
pub(super) fn meaning(schema: &Value) -> String {
    let mut parts: Vec<String> = description(schema).into_iter().collect();
    parts.extend(meant(schema));
    let example = schema.pointer("/examples/0").filter(|_| schema.get("default").is_none());
    parts.extend(example.map(|example| format!("Example: `{}`", toml(example))));
    parts.join(" ")
}

fn meant(schema: &Value) -> Option<String> {
    let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let with_words = std::iter::once(schema).chain(branches).find(|schema| schema.get("oneOf").is_some())?;
    let words = words(with_words).into_iter();
    let meant: Vec<_> = words
        .filter_map(|(word, meaning)| {
            Some(format!("`\"{word}\"`: {}", inside(meaning?.trim_end_matches('.'))))
        })
        .collect();
    (!meant.is_empty()).then(|| format!("{}.", meant.join("; ")))
}

/// A sentence as a part of another: its first letter is small, unless an acronym begins it.
fn inside(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => sentence.to_owned(),
    }
}

/// A value as it is written in the file.
pub(super) fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let pairs: Vec<_> =
                members.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
