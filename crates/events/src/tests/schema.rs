use serde_json::Value as Json;

use super::each;
use crate::{Field, Kind, samples, schema};

/// Whether a value is as a schema says, as far as ours says anything.
fn is_valid(value: &Json, schema: &Json, root: &Json) -> bool {
    let rules = schema.as_object().unwrap();
    rules.iter().all(|(rule, said)| match rule.as_str() {
        "$ref" => {
            is_valid(value, root.pointer(said.as_str().unwrap().trim_start_matches('#')).unwrap(), root)
        }
        "oneOf" => said.as_array().unwrap().iter().filter(|one| is_valid(value, one, root)).count() == 1,
        "const" => value == said,
        "enum" => said.as_array().unwrap().contains(value),
        "type" => match said.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            other => panic!("a type of schema: {other}"),
        },
        "maxLength" => value.as_str().unwrap().chars().count() as u64 <= said.as_u64().unwrap(),
        "minimum" => value.as_u64() >= said.as_u64(),
        "items" => value.as_array().unwrap().iter().all(|item| is_valid(item, said, root)),
        "required" => said.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "properties" => {
            let members = value.as_object().unwrap();
            members.iter().all(|(name, value)| said.get(name).is_none_or(|rule| is_valid(value, rule, root)))
        }
        "additionalProperties" => {
            value.as_object().unwrap().keys().all(|name| rules["properties"].get(name).is_some())
        }
        "title" | "description" | "$schema" | "$defs" | "format" | "x-personal" => true,
        other => panic!("a word of schema: {other}"),
    })
}

#[test]
fn every_line_is_valid_by_the_schema() {
    let schema: Json = serde_json::from_str(&schema()).unwrap();
    let long = "\u{1b}é".repeat(5000);
    let lines =
        each(|take| ["x", "\u{202E}\"\n", &long].into_iter().for_each(|text| samples::full(text, take)));
    for (kind, line) in lines.into_iter().chain(each(samples::bare)) {
        let value: Json = serde_json::from_str(&line).unwrap();
        assert!(is_valid(&value, &schema, &schema), "{}: {line}", kind.word());
    }
}

#[test]
fn the_schema_refuses_what_no_event_tells() {
    let schema: Json = serde_json::from_str(&schema()).unwrap();
    let (_, line) = each(samples::bare).swap_remove(0);
    let good: Json = serde_json::from_str(&line).unwrap();
    let changed = |name: &str, value: Json| {
        let mut other = good.clone();
        other[name] = value;
        other
    };
    assert!(is_valid(&good, &schema, &schema));
    for bad in
        [changed("type", "access".into()), changed("cookie", "x".into()), changed("outcome", "fine".into())]
    {
        assert!(!is_valid(&bad, &schema, &schema), "{bad}");
    }
    let mut short = good.clone();
    short.as_object_mut().unwrap().remove("us");
    assert!(!is_valid(&short, &schema, &schema));
}

#[test]
fn the_schema_has_every_kind_and_field() {
    let schema: Json = serde_json::from_str(&schema()).unwrap();
    assert_eq!(schema["oneOf"].as_array().unwrap().len(), Kind::TABLE.len());
    for row in &Field::TABLE {
        assert_eq!(schema["$defs"][row.name]["description"], row.doc);
        assert_eq!(schema["$defs"][row.name].get("x-personal").is_some(), row.personal);
    }
}
