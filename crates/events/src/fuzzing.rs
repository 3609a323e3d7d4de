//! Lines with whatever strangers send, and whatever is no line, read back.

#![allow(clippy::panic, reason = "it fails as tests do")]

use std::borrow::Cow;

use portcullis_rules::clock::{Clock, Timestamp};
use serde_json::Value as Json;

use super::{Field, LONGEST_LINE, Recorder, Seen, Value, samples};

/// Every kind, with any bytes in each of its texts: one line of valid JSON that is inert on a terminal and not too long, and
/// says what it was told, as far as it says that nothing is missing.
pub fn events(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let recorder = Recorder::new(0, Clock::manual(Timestamp::from_seconds(1_800_000_000)), 0);
    recorder.want(super::KindSet::ALL, true);
    samples::full(&text, &mut |event| {
        recorder.emit(event);
        recorder.sweep(|block| {
            assert_eq!(block.heads().len(), 1);
            line(block.text());
            told(block.text(), &text);
        });
    });
}

/// What holds of any line.
pub(crate) fn line(line: &[u8]) {
    assert!(line.len() <= LONGEST_LINE, "{} bytes", line.len());
    let text = str::from_utf8(line).unwrap_or_else(|error| panic!("{error}: {}", line.escape_ascii()));
    let body = text.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {text:?}"));
    let turns = |letter: char| matches!(letter, '\u{61C}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    assert!(!body.contains(|letter: char| letter.is_control() || turns(letter)), "not inert: {body:?}");
    let json: Json = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let seen = Seen::read(line).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(as_json(&seen), json, "two readers disagree");
}

/// Each text says what it was told, or the beginning of it.
fn told(line: &[u8], text: &str) {
    let seen = Seen::read(line).unwrap_or_else(|error| panic!("{error}"));
    let cut = |field| seen.texts(Field::Truncated).iter().any(|name| *name == Field::row(field).name);
    for field in [Field::Id, Field::Path, Field::User, Field::Reason, Field::Host] {
        let Some(said) = seen.text(field) else { continue };
        let fits = if cut(field) { text.starts_with(said) && said.len() < text.len() } else { said == text };
        assert!(fits || (text.is_empty() && said == "-"), "{field:?} says {said:?}");
    }
}

/// Any bytes as a line: what is read is what another reader reads, and a line is never taken for something else.
pub fn recorded_lines(data: &[u8]) {
    let json = serde_json::from_slice::<serde_json::Map<String, Json>>(data);
    match (Seen::read(data), json) {
        (Ok(seen), Ok(json)) => assert_eq!(as_json(&seen), Json::Object(json)),
        // Numbers that no machine can hold.
        (Ok(_), Err(error)) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
        // Stricter: names twice, lists within lists within lists.
        (Err(_), Ok(_)) | (Err(_), Err(_)) => {}
    }
}

fn as_json(seen: &Seen<'_>) -> Json {
    let texts = |texts: &[Cow<'_, str>]| texts.iter().map(|text| Json::from(text.as_ref())).collect();
    let value = |value: &Value<'_>| match value {
        Value::Text(text) => text.as_ref().into(),
        Value::Number(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Texts(list) => Json::Array(texts(list)),
        Value::Other(raw) => serde_json::from_str(raw).unwrap_or_else(|error| panic!("{error}: {raw}")),
    };
    Json::Object(seen.members().map(|(name, said)| (name.to_owned(), value(said))).collect())
}

#[cfg(test)]
mod smoke {
    use portcullis_rules::fuzzing::smoke;

    #[test]
    fn events() {
        smoke("events", 300, super::events);
    }

    #[test]
    fn recorded_lines() {
        smoke("recorded_lines", 20_000, super::recorded_lines);
    }
}
