//! ECS: by names, types and categories written down from its documentation (`ecs.txt`). No program of theirs has looked at it.

use super::*;

const FIELDS: &str = include_str!("ecs.txt");

/// The rows of the part of the file under a heading.
fn part(heading: &str) -> BTreeMap<&'static str, &'static str> {
    let rows = FIELDS.lines().skip_while(|line| *line != heading).skip(1);
    rows.take_while(|line| !line.is_empty()).map(|line| line.split_once(' ').unwrap()).collect()
}

fn is_of_type(value: &Json, kind: &str) -> bool {
    match kind {
        "keyword" | "text" => value.is_string(),
        "long" => value.as_u64().is_some_and(|number| i64::try_from(number).is_ok()),
        "date" => value.as_str().is_some_and(|text| humantime::parse_rfc3339(text).is_ok()),
        "ip" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
        _ => false,
    }
}

#[test]
fn every_field_is_one_of_theirs_and_of_its_type() {
    let fields = part("[fields]");
    for (word, json) in all(Schema::Ecs) {
        for (path, value) in leaves(&json) {
            let label = path.strip_prefix("labels.").filter(|name| !name.contains('.'));
            let kind = label.map_or_else(|| fields.get(path.as_str()).copied(), |_| Some("keyword"));
            assert!(kind.is_some_and(|kind| is_of_type(&value, kind)), "{word}: {path} = {value}");
        }
    }
}

#[test]
fn every_event_says_the_words_that_they_sort_by() {
    let (categories, words) = (part("[categories]"), part("[words]"));
    let known = |part: &str, word: &str| words[part].split(' ').any(|known| known == word);
    for (word, json) in all(Schema::Ecs) {
        let list = |name: &str| -> Vec<String> {
            let items = json["event"][name].as_array().unwrap_or_else(|| panic!("{word}: no {name}"));
            items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
        };
        let expected: Vec<&str> =
            list("category").iter().flat_map(|category| categories[category.as_str()].split(' ')).collect();
        assert!(list("type").iter().all(|kind| expected.contains(&kind.as_str())), "{word}: {json}");
        assert!(!list("type").is_empty() && !list("category").is_empty(), "{word}");
        for name in ["kind", "outcome"] {
            assert!(known(name, json["event"][name].as_str().unwrap()), "{word}: {name}");
        }
        assert_eq!(json["event"]["action"], word);
    }
}

#[test]
fn a_request_says_who_asked_for_what_and_what_became_of_it() {
    request(&mut |event| {
        let json = mapped(Schema::Ecs, event);
        let expected = [
            ("@timestamp", "2027-01-15T08:00:00.000000Z".into()),
            ("event.category", vec!["network", "web"].into()),
            ("event.type", vec!["access", "allowed"].into()),
            ("event.outcome", "success".into()),
            ("event.action", "access.granted".into()),
            ("event.duration", 684_000.into()),
            ("user.name", event.who.unwrap().user.as_str().into()),
            ("source.ip", "192.0.2.7".into()),
            ("related.ip", vec!["192.0.2.7"].into()),
            ("related.hosts", vec!["wiki.corp.example"].into()),
            ("url.domain", "wiki.corp.example".into()),
            ("url.port", 8443.into()),
            ("http.request.method", "GET".into()),
            ("http.response.status_code", 200.into()),
            ("rule.name", "policy staff, rule 1".into()),
            ("user_agent.original", "curl/8".into()),
            ("labels.outcome", "allowed".into()),
            ("labels.bound", "true".into()),
        ];
        for (path, value) in expected {
            let value: Json = value;
            assert_eq!(at(&json, path), &value, "{path} in {json}");
        }
    });
}

#[test]
fn nothing_that_a_line_says_is_lost() {
    samples::full("zz-mark", &mut |event| {
        for (path, value) in lost(Schema::Ecs, event) {
            let too_long = value.as_u64().is_some_and(|number| i64::try_from(number).is_err());
            let in_parts = path.starts_with("changes") || ["host", "us"].contains(&path.as_str());
            assert!(too_long || in_parts, "{}: {path} = {value}", event.kind().word());
        }
    });
}
