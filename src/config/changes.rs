//! What is different between two configurations, as they may be shown.

use std::collections::BTreeMap;

use serde_json::Value;

/// A key whose value has changed. Secrets are masked in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedKey {
    /// The way to it, such as `session.idle_timeout`, or `routes[wiki.corp.example/].policy`: a route is named by what it
    /// claims, so that one in front of it does not rename it.
    pub key: String,
    /// What it was; none: it was not there.
    pub before: Option<String>,
    /// What it is; none: it is gone.
    pub after: Option<String>,
}

/// What has changed from `before` to `after`, in the order of the keys.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<ChangedKey> {
    let (before, mut after) = (leaves(before), leaves(after));
    let mut changed = BTreeMap::new();
    for (key, value) in before {
        let now = after.remove(&key);
        if now.as_ref() != Some(&value) {
            changed.insert(key, (Some(value), now));
        }
    }
    changed.extend(after.into_iter().map(|(key, value)| (key, (None, Some(value)))));
    changed.into_iter().map(|(key, (before, after))| ChangedKey { key, before, after }).collect()
}

fn leaves(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    gather(String::new(), value, &mut found);
    found
}

fn gather(key: String, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => members.iter().for_each(|(name, value)| {
            let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
            gather(key, value, found);
        }),
        Value::Array(elements) if !elements.is_empty() => {
            for (name, value) in names(&key, elements).into_iter().zip(elements) {
                gather(format!("{key}[{name}]"), value, found);
            }
        }
        Value::String(text) => {
            found.insert(key, text.clone());
        }
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            found.insert(key, value.to_string());
        }
    }
}

/// What tells the elements of a list apart: routes by what they claim, all others by their place.
fn names(key: &str, elements: &[Value]) -> Vec<String> {
    let mut names = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let mut name = index.to_string();
        if mutant!(key == "routes", "routes-named-by-their-place" => false) {
            name = claim(element);
            // No such configuration loads; the one before may have been another version's.
            let same = elements[..index].iter().filter(|other| claim(other) == name).count();
            if same > 0 {
                name = format!("{name} #{}", same + 1);
            }
        }
        names.push(name);
    }
    names
}

/// Host, path and methods of a route.
fn claim(route: &Value) -> String {
    let text = |name: &str| route.get(name).and_then(Value::as_str);
    let methods = route.get("methods").and_then(Value::as_array).into_iter().flatten();
    let methods: Vec<_> = methods.filter_map(Value::as_str).collect();
    let claimed = format!("{}{}", text("host").unwrap_or("*"), text("path").unwrap_or("/"));
    if methods.is_empty() { claimed } else { format!("{} {claimed}", methods.join(",")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_new_what_is_gone_and_what_is_different_is_told_by_its_way() {
        let before = json!({"session": {"max_age": "12h", "bind": "auto"}, "routes": [{"host": "a.example"}], "x": []});
        let after = json!({"session": {"max_age": "8h"}, "routes": [{"host": "b.example"}, {"host": "a.example"}], "x": []});
        let key = |key: &str, before: Option<&str>, after: Option<&str>| ChangedKey {
            key: key.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        let told = [
            key("routes[b.example/].host", None, Some("b.example")),
            key("session.bind", Some("auto"), None),
            key("session.max_age", Some("12h"), Some("8h")),
        ];
        assert_eq!(changes(&before, &after), told);
        assert_eq!(changes(&after, &after), []);
    }
}
