//! `docs/configuration.md`: every key, from the same schema that checks files.

mod cell;
mod order;

use serde_json::Value;

use super::schema;

/// How values are written, before the tables.
const INTRO: &str = include_str!("intro.md");

/// A table of the file: its heading, and the way to it through the schema (`*`: any name).
type Section = (&'static str, &'static [&'static str]);

const SECTIONS: [Section; 39] = [
    ("`[server]`", &["server"]),
    ("`[server]` `listen`, as a table", &["server", "listen"]),
    ("`[server]` `listen` `proxy_protocol`, as a table", &["server", "listen", "proxy_protocol"]),
    ("`[server]` `tls`", &["server", "tls"]),
    ("`[admin]`", &["admin"]),
    ("`[state]`", &["state"]),
    ("`[state]` `redis`, as a table", &["state", "redis"]),
    ("`[state]` `postgres`, as a table", &["state", "postgres"]),
    ("`[session]`", &["session"]),
    ("`[session]` `network_prefix`", &["session", "network_prefix"]),
    ("`[console]`", &["console"]),
    ("`[branding]`", &["branding"]),
    ("`[branding]` `links`", &["branding", "links"]),
    ("`[branding]` `texts`", &["branding", "texts"]),
    ("`[telemetry]`", &["telemetry"]),
    ("`[log]`", &["log"]),
    ("`[audit]`", &["audit"]),
    ("`[[audit.sinks]]`", &["audit", "sinks"]),
    ("`[[audit.sinks]]` `rotate`", &["audit", "sinks", "rotate"]),
    ("`[[audit.sinks]]` `spool`", &["audit", "sinks", "spool"]),
    ("`[[audit.sinks]]` `tls`", &["audit", "sinks", "tls"]),
    ("`[providers.NAME]`", &["providers", "*"]),
    ("Secrets", &["providers", "*", "client_secret"]),
    ("`[providers.NAME]` `claims`", &["providers", "*", "claims"]),
    ("`[providers.NAME]` `email_verified`, as a table", &["providers", "*", "email_verified"]),
    ("`[signals.NAME]`", &["signals", "*"]),
    ("`[policies.NAME]`", &["policies", "*"]),
    ("Rules", &["policies", "*", "allow"]),
    ("`[[routes]]`", &["routes"]),
    ("`[[routes]]` `identity`", &["routes", "identity"]),
    ("`[[routes]]` `limits`", &["routes", "limits"]),
    ("`[[routes]]` `session`", &["routes", "session"]),
    ("`[[routes]]` `cors`", &["routes", "cors"]),
    ("`[[routes]]` `redirect`", &["routes", "redirect"]),
    ("`[[routes]]` `timeout`", &["routes", "timeout"]),
    ("`[[routes]]` `health`", &["routes", "health"]),
    ("`[[routes]]` `ejection`", &["routes", "ejection"]),
    ("`[[routes]]` `upstream_tls`", &["routes", "upstream_tls"]),
    ("`[[routes]]` `request_headers` and `response_headers`", &["routes", "request_headers"]),
];

/// A reference of every key, in Markdown: what stands in `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let sections = SECTIONS.iter().filter_map(|(heading, way)| Some(section(heading, way, at(way)?)));
    sections.fold(INTRO.to_owned(), |text, section| text + &section)
}

/// What the schema says at `way`, and of the table there.
fn at(way: &[&str]) -> Option<(&'static Value, &'static Value)> {
    let mut key = schema::flat();
    let mut table = key;
    for step in way {
        key = match *step {
            "*" => table.get("additionalProperties")?,
            name => table.get("properties")?.get(name)?,
        };
        table = tabular(key)?;
    }
    Some((key, table))
}

/// The section on tables with the keys of `schema`, as a link on the same page names it.
fn anchor_of(schema: &Value) -> Option<String> {
    let keys = |table: &Value| order::keys(table).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let wanted = keys(schema);
    let same = |section: &&Section| at(section.1).is_some_and(|(_, table)| keys(table) == wanted);
    let (heading, _) = SECTIONS.iter().find(same)?;
    let kept = heading.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c));
    Some(kept.collect::<String>().to_ascii_lowercase().replace(' ', "-"))
}

/// The table that `schema` speaks of: itself, one of several forms, or the elements of an array.
fn tabular(schema: &Value) -> Option<&Value> {
    if schema.get("type").is_some_and(|kind| kind == "object") {
        return Some(schema);
    }
    let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    branches.chain(schema.get("items")).find_map(tabular)
}

fn section(heading: &str, way: &[&str], (key, table): (&Value, &Value)) -> String {
    let is_top = way.len() <= 1 || (way.len() == 2 && way.ends_with(&["*"]));
    let level = if is_top { "##" } else { "###" };
    let mut text = format!("\n{level} {heading}\n\n");
    for said in said(key, table) {
        text += &format!("{said}\n\n");
    }
    text += "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
    text + &order::keys(table).into_iter().map(|name| row(name, table)).collect::<String>()
}

/// What is said of the key and of its table.
fn said(key: &Value, table: &Value) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for text in [key, table].into_iter().filter_map(cell::description) {
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said
}

fn row(name: &str, table: &Value) -> String {
    let Some(key) = table.get("properties").and_then(|keys| keys.get(name)) else { return String::new() };
    let required = table
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|keys| keys.iter().any(|key| key == name));
    let default = if required { "required".to_owned() } else { cell::default(key) };
    let cells = [format!("`{name}`"), cell::kind(key), default, cell::meaning(key)];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}
