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
        write(&mut lines, "", table);
    }
    lines
}

/// What is no table stands first, as TOML wants it.
fn write(lines: &mut Vec<Line>, path: &str, table: &Map<String, Value>) {
    let (tables, pairs): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| is_table(value));
    lines.extend(pairs.into_iter().map(|(key, value)| Line::Pair(written_key(key), inline(value))));
    for (key, value) in tables {
        let path = if path.is_empty() { written_key(key) } else { format!("{path}.{}", written_key(key)) };
        match value {
            Value::Object(table) => head(lines, format!("[{path}]"), &path, table),
            Value::Array(items) => {
                for table in items.iter().filter_map(Value::as_object) {
                    head(lines, format!("[[{path}]]"), &path, table);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn head(lines: &mut Vec<Line>, head: String, path: &str, table: &Map<String, Value>) {
    // A table of nothing but tables has no line of its own.
    if table.is_empty() || head.starts_with("[[") || table.values().any(|value| !is_table(value)) {
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Table(head));
    }
    write(lines, path, table);
}

/// Whether it stands under a head of its own; small tables inside of others stand in one line.
fn is_table(value: &Value) -> bool {
    match value {
        Value::Object(table) => !is_small(table),
        Value::Array(items) => {
            !items.is_empty()
                && items.iter().all(|item| matches!(item, Value::Object(table) if !is_small(table)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A secret's place (`{ file = "…" }`), a rule with one condition.
fn is_small(table: &Map<String, Value>) -> bool {
    table.len() == 1 && !table.values().any(Value::is_object)
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
