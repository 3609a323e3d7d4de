//! `config/observability`: rules that Prometheus takes, alerts that are told when they should be, a dashboard whose every
//! query finds something.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::prometheus::promtool;

const FOLDER: &str = "config/observability";

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).unwrap()
}

fn succeeds(arguments: &[&str]) {
    let checked = promtool(arguments, "");
    let said = [checked.stdout, checked.stderr].concat();
    assert!(checked.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

/// What stands behind `key` on its lines.
fn values<'a>(text: &'a str, key: &str) -> BTreeSet<&'a str> {
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(key)).map(str::trim).collect()
}

/// Every query of the dashboard, as Grafana would send it.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let mut found = Vec::new();
    collect(&dashboard, &mut found);
    let sent = |query: String| {
        let query = query.replace("$__rate_interval", "1m");
        ["job", "instance", "route"]
            .iter()
            .fold(query, |query, name| query.replace(&format!("${name}"), ".*"))
    };
    found.into_iter().map(sent).collect()
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| match (name.as_str(), value) {
            ("expr", Value::String(query)) => found.push(query.clone()),
            _ => collect(value, found),
        }),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn prometheus_takes_the_rules_and_the_configuration() {
    for name in ["recording.yml", "alerts.yml"] {
        succeeds(&["check", "rules", &format!("{FOLDER}/{name}")]);
    }
    succeeds(&["check", "config", &format!("{FOLDER}/prometheus.yml")]);
}

#[test]
fn each_alert_is_told_when_it_should_be_and_not_before() {
    succeeds(&["test", "rules", "tests/observability/alerts.test.yml"]);
    let alerts = read("alerts.yml");
    let tests = fs::read_to_string("tests/observability/alerts.test.yml").unwrap();
    for alert in values(&alerts, "alert:") {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} is in no test");
    }
}

#[test]
fn whoever_is_woken_by_an_alert_is_told_what_to_do() {
    let alerts = read("alerts.yml");
    for alert in alerts.split("- alert: ").skip(1) {
        for part in ["summary: ", "description: ", "runbook: "] {
            assert!(alert.contains(part), "no {part}in {alert}");
        }
        let severity = ["critical", "warning", "info"].map(|word| format!("severity: {word} }}"));
        assert!(severity.iter().any(|word| alert.contains(word)), "{alert}");
    }
}

/// A rule for each query: the tool checks no others.
#[test]
fn every_query_of_the_dashboard_can_be_asked() {
    let rule = |query: &String| format!("  - {{ record: a, expr: {} }}\n", Value::from(query.as_str()));
    let queries = queries();
    assert!(queries.len() > 40, "{queries:?}");
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("queries.yml");
    let numbered = queries
        .iter()
        .enumerate()
        .map(|(at, query)| rule(query).replace("record: a,", &format!("record: a{at},")));
    fs::write(&file, format!("groups:\n- name: queries\n  rules:\n{}", numbered.collect::<String>()))
        .unwrap();
    succeeds(&["check", "rules", file.to_str().unwrap()]);
}

#[test]
fn what_is_asked_of_the_recording_rules_is_recorded() {
    let recording = read("recording.yml");
    let recorded = values(&recording, "record:");
    for name in names(&everything()).into_iter().filter(|(name, _)| name.contains(':')).map(|(name, _)| name)
    {
        assert!(recorded.contains(name.as_str()), "{name} is not in recording.yml");
    }
}

fn everything() -> String {
    format!("{}\n{}\n{}", read("recording.yml"), read("alerts.yml"), queries().join("\n"))
}

/// Every metric that is named there, with each label that it is chosen by.
pub(crate) fn chosen() -> BTreeSet<(String, String)> {
    let named = names(&everything()).into_iter().filter(|(name, _)| !name.contains(':'));
    named.flat_map(|(name, labels)| labels.into_iter().map(move |label| (name.clone(), label))).collect()
}

/// Names of ours in `text`, each with the labels in the braces behind it, and with an empty one.
fn names(text: &str) -> Vec<(String, Vec<String>)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        rest = &rest[start..];
        let (name, behind) = rest.split_at(rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()));
        let is_ours = name.starts_with("portcullis_") || name.contains(":portcullis_");
        if is_ours && name != "portcullis_" && !name.ends_with(':') {
            found.push((name.to_owned(), labels(behind)));
        }
        rest = behind;
    }
    found
}

fn labels(behind: &str) -> Vec<String> {
    let inside = behind.strip_prefix('{').map_or("", |inside| inside.split('}').next().unwrap());
    let unquoted: String = inside.split('"').step_by(2).collect();
    let names = unquoted.split(',').map(|part| part.split(['=', '!']).next().unwrap().trim().to_owned());
    names.filter(|name| !name.is_empty()).chain([String::new()]).collect()
}
