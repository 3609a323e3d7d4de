//! The file as it may be shown: what was written, without what could be a secret (invariant 15).

use serde::Deserialize as _;
use serde_json::Value;
use toml::de::{DeValue, ValueDeserializer};

use super::check::is_secret;
use super::located::Node;
use super::schema;

/// Stands for a value that is not shown.
const HIDDEN: &str = "(hidden)";

/// What `file` says, as JSON. Hidden is what stands where a secret could stand, but for the names of
/// variables and files that secrets are taken from, and what the schema does not know.
pub(super) fn shown(file: &Node<'_>) -> Value {
    value(&[schema::flat()], file)
}

fn value(schemas: &[&Value], node: &Node<'_>) -> Value {
    let secret = schemas.iter().any(|schema| is_secret(schema));
    match node.get_ref() {
        DeValue::Table(entries) => {
            let entry = |(key, of): (&_, &_)| {
                let key: &str = AsRef::as_ref(toml::Spanned::get_ref(key));
                let known: Vec<_> =
                    branches(schemas).filter_map(|schema| member(schema, key, secret)).collect();
                (key.to_owned(), value(&known, of))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        _ if secret || schemas.is_empty() => HIDDEN.into(),
        DeValue::Array(items) => {
            let known: Vec<_> =
                branches(schemas).map(|schema| schema.get("items").unwrap_or(schema)).collect();
            items.iter().map(|item| value(&known, item)).collect()
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {
            Value::deserialize(ValueDeserializer::from(node.clone())).unwrap_or_else(|_| HIDDEN.into())
        }
    }
}

/// The schemas and, where they say that it may be one of several, those.
fn branches<'s>(schemas: &[&'s Value]) -> impl Iterator<Item = &'s Value> {
    let of = |schema: &'s Value| schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    schemas.iter().copied().chain(schemas.iter().copied().flat_map(of)).collect::<Vec<_>>().into_iter()
}

/// What a schema says of a member. What a secret table says of members that it does not name is a secret as
/// well.
fn member<'s>(schema: &'s Value, key: &str, secret: bool) -> Option<&'s Value> {
    let any = || schema.get("additionalProperties").filter(|any| any.is_object() && !secret);
    schema.get("properties").and_then(|known| known.get(key)).or_else(any)
}
