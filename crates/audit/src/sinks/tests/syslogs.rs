//! What is syslog's alone: the message.

use portcullis_events::samples;
use proptest::prelude::*;

use super::*;
use crate::sinks::rfc5424;

fn message(event: &dyn portcullis_events::Event) -> String {
    let recorder = Recorder::new(0, clock(), 0);
    recorder.want(KindSet::ALL, true);
    recorder.emit(event);
    let mut out = Vec::new();
    recorder.sweep(|block| {
        let line = block.text().strip_suffix(b"\n").unwrap();
        rfc5424::write(line, line, "gate", "9f2c41d07ab3", &mut out);
    });
    String::from_utf8(out).unwrap()
}

/// Fields, parameters, and the rest.
type Message<'a> = (Vec<&'a str>, Vec<(String, String)>, &'a str);

/// What RFC 5424 reads in a message: its fields up to the structured data, the parameters there, and the rest.
fn read(message: &str) -> Option<Message<'_>> {
    let (head, rest) = message.split_once(" [portcullis@32473")?;
    let (mut parameters, mut rest) = (Vec::new(), rest);
    while let Some(parameter) = rest.strip_prefix(' ') {
        let (name, value) = parameter.split_once("=\"")?;
        let (mut text, mut chars) = (String::new(), value.char_indices());
        let end = loop {
            match chars.next()? {
                (_, '\\') => text.push(chars.next()?.1),
                (at, '"') => break at,
                (_, ']') => return None,
                (_, c) => text.push(c),
            }
        };
        parameters.push((name.to_owned(), text));
        rest = &value[end + 1..];
    }
    Some((head.split(' ').collect(), parameters, rest.strip_prefix("] ")?))
}

#[test]
fn a_message_tells_what_the_line_does_and_what_is_searched_for_beside_it() {
    let mut who = portcullis_rules::identity::fixtures::alice();
    who.user = "al\"i\\c]e".to_owned();
    let text = message(&AccessEvent { who: Some(&who), ..asked("/page") });
    let (head, parameters, line) = read(&text).unwrap();
    assert_eq!(
        head,
        ["<110>1", "2027-01-15T08:00:00.000000Z", "gate", "portcullis", "9f2c41d07ab3", "access.granted"]
    );
    let value =
        |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (value("user"), value("status"), value("outcome")),
        (Some("al\"i\\c]e"), Some("404"), Some("not-found"))
    );
    assert!(line.contains("\"path\":\"/page\"") && serde_json::from_str::<serde_json::Value>(line).is_ok());
    let lost = portcullis_events::RecordLost {
        sink: None,
        process: None,
        lane: 0,
        from: 1,
        to: 1,
        count: 1,
        cause: "memory",
    };
    assert!(message(&lost).starts_with("<107>1 "), "an error");
}

proptest! {
    #[test]
    fn whatever_is_sent_a_message_is_one_and_has_its_bound(text in any::<String>(), more in 0..6000usize) {
        let long = format!("{text}{}", "é".repeat(more));
        let list: Vec<_> = (0..20).map(|_| long.clone()).collect();
        let event = AccessEvent { host: &long, missing: &list, reason: &long, ..asked(&long) };
        let message = message(&event);
        prop_assert!(message.len() <= rfc5424::LONGEST);
        let (head, parameters, line) = read(&message).ok_or_else(|| TestCaseError::fail(message.clone()))?;
        prop_assert_eq!(head.len(), 6);
        let is_cut = parameters.iter().any(|(name, _)| name == "truncated");
        prop_assert_eq!(is_cut, serde_json::from_str::<serde_json::Value>(line).is_err());
        prop_assert!(!message.chars().any(char::is_control));
    }

    #[test]
    fn a_line_that_is_none_is_a_message_all_the_same(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut out = Vec::new();
        rfc5424::write(&bytes, &bytes, "gate", "9f2c41d07ab3", &mut out);
        prop_assert!(out.starts_with(b"<110>1 - gate portcullis 9f2c41d07ab3 - [portcullis@32473] ") && out.ends_with(&bytes));
    }
}

#[test]
fn samples_of_all_kinds_are_messages() {
    samples::full("x\"]\\", &mut |event| {
        assert!(read(&message(event)).is_some(), "{}", message(event));
    });
}
