//! What strangers write stays text of one line, whatever schema it is in.

use portcullis_events::Access;
use proptest::prelude::*;

use super::*;

const SCHEMAS: [Schema; 2] = [Schema::Ocsf, Schema::Ecs];

fn is_inert(line: &str) -> bool {
    let turns = |c: char| matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    line.strip_suffix('\n').is_some_and(|line| !line.contains(|c: char| c.is_control() || turns(c)))
}

proptest! {
    #[test]
    fn whatever_is_sent_a_mapped_line_is_one_inert_line_of_json(text in any::<String>(), agent in prop::collection::vec(any::<u8>(), 0..200)) {
        let list = [text.clone(), text.clone()];
        let event = AccessEvent {
            agent: Some(&agent),
            host: &text,
            method: &text,
            missing: &list,
            reason: &text,
            path: &text,
            ..samples::bare_access(Access::Refused)
        };
        for schema in SCHEMAS {
            let line = text_of(schema, &event);
            prop_assert!(is_inert(&line), "{line:?}");
            prop_assert!(serde_json::from_str::<Json>(&line).is_ok(), "{line:?}");
        }
    }

    #[test]
    fn of_what_is_no_line_of_ours_nothing_is_told(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assume!(serde_json::from_slice::<Json>(&bytes).is_err());
        for schema in SCHEMAS {
            let mut out = Vec::new();
            schema.map(&bytes, &mut out);
            prop_assert!(out.is_empty());
        }
    }
}

#[test]
fn a_value_that_looks_like_a_name_stays_a_value() {
    let line = "{\"v\":1,\"type\":\"signed-out\",\"a.b\":\"c.d\",\"__proto__\":{\"x\":1},\"host\":\"\u{202e}[::1]:80\",\"id\":\"\\\",\\\"user\\\":\\\"root\"}";
    for schema in SCHEMAS {
        let mut out = Vec::new();
        schema.map(line.as_bytes(), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(is_inert(&text), "{text:?}");
        let json: Json = serde_json::from_str(&text).unwrap();
        assert!(json["a"].is_null() && json["user"]["name"].as_str().is_none_or(str::is_empty), "{json}");
        assert!(leaves(&json).iter().any(|(_, value)| value == "\",\"user\":\"root"), "{json}");
    }
}

#[test]
fn a_host_is_split_only_where_a_port_is_written() {
    use crate::mapping::host_and_port;
    for (text, expected) in [
        ("wiki", ("wiki", None)),
        ("wiki:80", ("wiki", Some(80))),
        ("[::1]:80", ("[::1]", Some(80))),
        ("[::1]", ("[::1]", None)),
        ("::1", ("::1", None)),
        ("wiki:99999", ("wiki:99999", None)),
        ("wiki:", ("wiki:", None)),
    ] {
        assert_eq!(host_and_port(text), expected);
    }
}
