//! What people read and copy: the reference, the schema, the examples.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{GOOD, Machine, changed, settings};
use crate::config::schema::flat;
use crate::config::{Settings, load, reference, schema};

const REFERENCE: &str = "docs/configuration.md";

/// `UPDATE_DOCS=1 cargo test --lib config::` writes it anew.
#[test]
fn the_reference_is_the_one_that_the_program_would_write() {
    let wanted = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(REFERENCE, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(REFERENCE).unwrap_or_default();
    assert!(there == wanted, "{REFERENCE} is not up to date: run `UPDATE_DOCS=1 cargo test --lib config::`");
}

/// Every table of the schema that has keys, by its keys.
fn tables(schema: &Value, found: &mut BTreeSet<Vec<String>>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(keys)) = members.get("properties") {
                found.insert(keys.keys().cloned().collect());
            }
            members.values().for_each(|value| tables(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| tables(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_reference_tells_every_key_and_its_meaning() {
    let text = reference();
    let mut found = BTreeSet::new();
    tables(flat(), &mut found);
    for keys in found.iter().filter(|keys| !keys.contains(&"server".to_owned()) && **keys != ["file"]) {
        let told = text.split("\n| Key |").skip(1).any(|section| {
            let rows: BTreeSet<_> = section
                .lines()
                .skip(2)
                .take_while(|line| line.starts_with('|'))
                .filter_map(|line| line.split('`').nth(1))
                .collect();
            rows == keys.iter().map(String::as_str).collect()
        });
        assert!(told, "no table of the reference has the keys {keys:?}");
    }
    assert!(!text.contains("|  |"), "a cell is empty:\n{text}");
}

#[test]
fn the_links_of_the_reference_lead_somewhere() {
    let text = reference();
    let anchor = |line: &str| {
        let kept = line.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().trim().to_ascii_lowercase().replace(' ', "-")
    };
    let anchors: BTreeSet<_> = text.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let links = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    let lost: Vec<_> = links.filter(|link| !anchors.contains(*link)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn the_files_of_the_reference_load() {
    let text = reference();
    let files: Vec<_> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!files.is_empty());
    for file in files {
        let (_, report) = Machine::furnished(file).variable("CORP_CLIENT_SECRET", "x").load().unwrap();
        assert_eq!(report.render(false), "");
    }
}

#[test]
fn the_examples_load_and_nothing_is_said_of_them() {
    for name in ["one-app", "many-apps", "api"] {
        let path = format!("config/{name}.toml");
        let machine = Machine::default()
            .file(&path, std::fs::read(&path).unwrap())
            .variable("CORP_CLIENT_SECRET", "x")
            .variable("PARTNER_CLIENT_SECRET", "x");
        let (settings, report) = load(Path::new(&path), &machine).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(report.render(false), "", "{path}");
        assert!(!settings.routes.is_empty());
    }
}

#[test]
fn the_schema_is_one_that_editors_understand() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "Portcullis configuration");
    assert!(schema["required"] == serde_json::json!(["server"]) && schema["additionalProperties"] == false);
    let text = schema.to_string();
    assert!(!text.contains("\"null\""), "TOML has no null");
}

/// Every key that the schema gives a default: written out, it changes nothing.
#[test]
fn the_defaults_that_are_told_are_the_defaults() {
    let mut tried = 0;
    let tables = [
        ("server", "/properties/server", ""),
        ("session", "/properties/session", ""),
        ("log", "/properties/log", ""),
        ("providers.corp", "/properties/providers/additionalProperties", ""),
        ("routes", "/properties/routes/items", ""),
        ("routes", "/properties/routes/items/properties/timeout", "timeout"),
        ("routes", "/properties/routes/items/properties/ejection", "ejection"),
        ("routes", "/properties/routes/items/properties/identity", "identity"),
        ("routes", "/properties/routes/items/properties/health", "health"),
        ("providers.corp", "/properties/providers/additionalProperties/properties/claims", "claims"),
    ];
    for (table, pointer, inside) in tables {
        let keys = flat().pointer(pointer).unwrap()["properties"].as_object().unwrap();
        for (key, default) in keys.iter().filter_map(|(key, schema)| Some((key, schema.get("default")?))) {
            let written = format!("{key} = {default}");
            let path = if inside == "health" { "path = \"/\"" } else { "" };
            let (with, without) = match inside {
                "" => (written, key.clone()),
                "health" => {
                    (format!("{inside} = {{ {path}, {written} }}"), format!("{inside} = {{ {path} }}"))
                }
                _ => (format!("{inside} = {{ {written} }}"), inside.to_owned()),
            };
            assert_eq!(meant(&changed(table, &with)), meant(&changed(table, &without)), "{table} {with}");
            tried += 1;
        }
    }
    assert!(tried > 35, "{tried}");
    assert_ne!(meant(GOOD), meant(&changed("session", "max_age = \"11h\"")));
}

/// What a file means, whatever it says.
fn meant(file: &str) -> Settings {
    Settings { written: Arc::default(), ..settings(file) }
}
