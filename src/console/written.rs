//! A configuration as lines of TOML, from the tree that may be shown.

use serde_json::{Map, Value};

use crate::pages::steers;

/// A line, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `[server]`, `[[routes]]`.
    Table(String),
    /// A key and its value.
    Pair(String, String),
    /// Between tables.
    Blank,
}

impl Line {
    /// The whole line.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Table(name) => name.clone(),
            Self::Pair(key, value) => format!("{key} = {value}"),
            Self::Blank => String::new(),
        }
    }
}

/// The lines of `tree`.
pub(super) fn lines(tree: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Value::Object(table) = tree {
        write(&mut lines, At { path: "", depth: 0, in_list: false }, table);
    }
    lines
}

/// Where a table stands.
#[derive(Clone, Copy)]
struct At<'a> {
    path: &'a str,
    depth: usize,
    /// Whether it is one of a list, such as a route.
    in_list: bool,
}

/// Keys that say what the others are about.
const FIRST: [&str; 3] = ["name", "host", "path"];

/// What is no table stands first, as TOML wants it.
fn write(lines: &mut Vec<Line>, at: At<'_>, table: &Map<String, Value>) {
    let (tables, mut pairs): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| is_headed(at, value));
    pairs.sort_by_key(|(key, _)| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
    lines.extend(pairs.into_iter().map(|(key, value)| Line::Pair(written_key(key), inline(value))));
    for (key, value) in tables {
        let path = match at.path {
            "" => written_key(key),
            above => format!("{above}.{}", written_key(key)),
        };
        let below = |in_list| At { path: &path, depth: at.depth + 1, in_list };
        match value {
            Value::Object(table) => head(lines, format!("[{path}]"), below(at.in_list), table),
            Value::Array(items) => {
                for table in items.iter().filter_map(Value::as_object) {
                    head(lines, format!("[[{path}]]"), below(true), table);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn head(lines: &mut Vec<Line>, head: String, at: At<'_>, table: &Map<String, Value>) {
    // A table of nothing but tables has no line of its own.
    let is_needed = head.starts_with("[[") || table.values().any(|value| !is_headed(at, value));
    if table.is_empty() || is_needed {
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Table(head));
    }
    write(lines, at, table);
}

/// Whether it stands under a head of its own; what is small and deep in the tree stands in one line.
fn is_headed(at: At<'_>, value: &Value) -> bool {
    match value {
        Value::Object(_) if at.depth == 0 => true,
        Value::Object(table) => {
            let most = if at.in_list || at.depth > 1 { SMALL } else { 0 };
            !is_small(table, most)
        }
        Value::Array(items) => {
            let is_table = |item: &Value| matches!(item, Value::Object(table) if at.depth == 0 || !is_small(table, SMALL));
            !items.is_empty() && items.iter().all(Value::is_object) && items.iter().any(is_table)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Keys of a table that stands in one line: a secret's place (`{ file = "…" }`), a rule, a rate.
const SMALL: usize = 4;

fn is_small(table: &Map<String, Value>, most: usize) -> bool {
    let is_plain = |value: &Value| match value {
        Value::Array(items) => !items.iter().any(Value::is_object),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    table.len() <= most && table.values().all(is_plain)
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let pairs = table.iter().map(|(key, value)| format!("{} = {}", written_key(key), inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn written_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) }
}

/// A basic string of TOML. What steers is escaped, also where TOML would not have it.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        c if steers(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_reads_as_the_same_tree() {
        let tree = json!({
            "server": { "listen": ["127.0.0.1:8080", "[::1]:8080"], "public_url": "https://a.example" },
            "providers": { "corp": { "issuer": "https://idp.example", "client_secret": { "file": "/x" } }, "b c": { "issuer": "y", "n": 1 } },
            "routes": [
                { "name": "wiki \"x\"\\\u{202e}", "upstream": "http://127.0.0.1:1", "limits": [{ "per": "route", "rate": "1/h" }] },
                { "path": "/a", "access": "public" },
            ],
            "policies": { "staff": { "allow": [{ "groups": ["staff"] }] } },
        });
        let text: String = lines(&tree).iter().map(|line| line.text() + "\n").collect();
        let read: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}:\n{text}"));
        assert_eq!(serde_json::to_value(read).unwrap(), tree, "{text}");
        assert!(
            !text.contains('\u{202e}') && text.contains("[[routes]]") && !text.contains("[providers]\n"),
            "{text}"
        );
    }
}
