//! What would take an access away: the lines of the configuration that grant it, and those that would be others.

use serde_json::{Map, Value, json};

use super::configuration::{Row, changes, texts};
use super::text;
use super::written::lines;
use crate::reports::Access;
use crate::segments::Who;

/// What would have to be changed.
pub(super) struct TakenAway {
    /// In sentences.
    pub(super) sentences: Vec<String>,
    /// The lines, where it can be done in one place.
    pub(super) rows: Vec<Row>,
}

impl TakenAway {
    /// Of `who`, who may reach `access` by the configuration that is `written`.
    pub(super) fn new(written: &Value, who: &Who, access: &Access) -> Self {
        let policies = written.get("policies").and_then(Value::as_object);
        let by = |name: &&String| access.by.starts_with(&format!("policy {name}, "));
        match policies.and_then(|policies| policies.keys().find(by)) {
            Some(name) => Self::by_policy(written, name, who, access),
            None if access.by.starts_with("policy route, ") => Self {
                sentences: vec![
                    "The route's own rules grant it: change its `allow` or `deny`, or where a group grants it, take the person \
                     out of the group at the provider."
                        .to_owned(),
                ],
                rows: Vec::new(),
            },
            None => Self {
                sentences: vec![
                    "No policy grants it: everybody who is signed in may. Give the route a policy, or take the person's \
                     account away at the provider."
                        .to_owned(),
                ],
                rows: Vec::new(),
            },
        }
    }

    fn by_policy(written: &Value, name: &str, who: &Who, access: &Access) -> Self {
        let mut after = written.clone();
        // Somebody without a name cannot be named.
        if who.user.is_empty() {
            let group = "Take the person out of the group that grants it, at the provider.".to_owned();
            return Self { sentences: vec![group], rows: Vec::new() };
        }
        if let Some(policy) = after.pointer_mut("/policies").and_then(|policies| policies.get_mut(name)) {
            deny(policy, who);
        }
        let mut sentences = vec![
            "Where a group grants it, take the person out of the group at the provider. Otherwise these lines keep this one \
             person out, whatever else allows them:"
                .to_owned(),
        ];
        let others = routes_of(written, name);
        let others: Vec<_> = others.into_iter().filter(|route| *route != access.route).collect();
        if !others.is_empty() {
            sentences.push(format!(
                "The policy is that of other apps as well, which the person loses by it: {}.",
                text::long(&others.join(", "))
            ));
        }
        let rows = changes(&texts(&lines(written)), &texts(&lines(&after)));
        Self { sentences, rows }
    }
}

/// One rule more that keeps somebody out.
fn deny(policy: &mut Value, who: &Who) {
    let Some(policy) = policy.as_object_mut() else { return };
    let rule = json!({ "users": [who.user], "providers": [who.provider] });
    let mut rules = match policy.remove("deny") {
        Some(Value::Array(rules)) => rules,
        Some(rule) => vec![rule],
        None => Vec::new(),
    };
    rules.push(rule);
    policy.insert("deny".into(), rules.into());
}

/// The routes that a policy is of, by name.
fn routes_of(written: &Value, policy: &str) -> Vec<String> {
    let has = |route: &&Map<String, Value>| {
        let named = ["policy", "policies"].into_iter().filter_map(|key| route.get(key));
        let mut named = named.flat_map(|value| match value {
            Value::Array(values) => values.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                vec![value]
            }
        });
        named.any(|name| name.as_str() == Some(policy))
    };
    let routes = written.get("routes").and_then(Value::as_array).into_iter().flatten();
    let name = |route: &Map<String, Value>| {
        let part = |key: &str| route.get(key).and_then(Value::as_str).unwrap_or_default();
        let place = format!("{}{}", part("host"), part("path"));
        route.get("name").and_then(Value::as_str).map_or(place, str::to_owned)
    };
    routes.filter_map(Value::as_object).filter(has).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::Verdict;

    fn taken(by: &str) -> TakenAway {
        let written = json!({
            "policies": { "staff": { "allow": [{ "groups": ["staff"] }], "deny": { "groups": ["guests"] } } },
            "routes": [
                { "name": "wiki", "policy": "staff" },
                { "host": "chat.example", "policy": ["staff"] },
                { "name": "open", "access": "signed-in" },
            ],
        });
        let who = Who { user: "alice".into(), provider: "corp".into(), ..Who::default() };
        TakenAway::new(
            &written,
            &who,
            &Access { route: "wiki".into(), verdict: Verdict::Yes, by: by.into(), print: String::new() },
        )
    }

    #[test]
    fn the_lines_keep_one_person_out_and_it_is_said_what_else_they_lose() {
        let taken = taken("policy staff, allow rule 1");
        let new: Vec<_> = taken.rows.iter().filter(|row| row.class == "new").collect();
        assert_eq!(new.len(), 1);
        assert!(
            new[0].text.contains("users = [\"alice\"]") && new[0].text.contains("guests"),
            "{}",
            new[0].text
        );
        assert!(taken.sentences[1].contains("chat.example"), "{:?}", taken.sentences);
    }

    #[test]
    fn where_no_policy_grants_it_that_is_said() {
        let taken = taken("the route is open to everybody who is signed in");
        assert!(taken.rows.is_empty() && taken.sentences[0].contains("No policy"), "{:?}", taken.sentences);
    }
}
