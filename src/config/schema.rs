//! The JSON Schema of the file, made from the raw shape.

use std::collections::HashMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::raw::Config;

/// The JSON Schema (draft 2020-12) of a configuration file, with a description for every key.
#[must_use]
pub fn schema() -> Value {
    generated(SchemaSettings::draft2020_12())
}

/// The same without references: what the structural check and the reference walk through.
pub(super) fn flat() -> &'static Value {
    static FLAT: LazyLock<Value> = LazyLock::new(|| {
        generated(SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true))
    });
    &FLAT
}

/// Every key that `schema` (of [`flat`]) knows, and whether a secret could stand behind it somewhere.
pub(super) fn keys(schema: &Value) -> HashMap<&str, bool> {
    let mut keys = HashMap::new();
    gather(schema, &mut keys);
    keys
}

fn gather<'s>(schema: &'s Value, keys: &mut HashMap<&'s str, bool>) {
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let secret = schema.get("x-secret") == Some(&Value::Bool(true));
        *keys.entry(name).or_default() |= secret;
        gather(schema, keys);
    }
    let nested = ["items", "additionalProperties"].into_iter().filter_map(|name| schema.get(name));
    let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    nested.chain(branches).for_each(|schema| gather(schema, keys));
}

fn generated(settings: SchemaSettings) -> Value {
    let schema = settings.for_deserialize().into_generator().into_root_schema_for::<Config>();
    let mut schema = schema.to_value();
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "Portcullis configuration".into());
    }
    schema
}

/// TOML has no null: what may be left out is not `required`, and nothing more needs saying.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(without_null);
            plain_type(members);
            plain_union(members);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn plain_type(members: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".into(), only);
        }
    }
}

/// `anyOf: [X, null]` becomes X; what was said of the key wins over what is said of the type.
fn plain_union(members: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = members.get_mut("anyOf") else { return };
    branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        members.remove("anyOf");
        for (key, value) in only {
            members.entry(key).or_insert(value);
        }
    }
}
