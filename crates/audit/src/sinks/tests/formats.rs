use portcullis_events::samples;
use proptest::prelude::*;

use super::*;
use crate::mapping::Schema;
use crate::sinks::format::render;
use crate::sinks::sink::Batch;

fn rendered(format: LineFormat, event: &dyn portcullis_events::Event) -> String {
    let recorder = Recorder::new(0, clock(), 0);
    recorder.want(KindSet::ALL, true);
    recorder.emit(event);
    let mut out = Vec::new();
    recorder.sweep(|block| render(format, &Batch { block: &block, chosen: KindSet::ALL }, &mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn requests_stand_in_the_formats_of_web_servers() {
    let event = AccessEvent {
        agent: Some(b"curl/8 \"x\"\x1b[2J"),
        http: Some("2"),
        bytes: 1380,
        status: 200,
        ..asked("/a\"b c\n")
    };
    assert_eq!(
        rendered(LineFormat::Common, &event),
        "127.0.0.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a\\\"b\\u0020c\\u0020 HTTP/2\" 200 1380\n"
    );
    assert_eq!(
        rendered(LineFormat::Combined, &event),
        "127.0.0.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a\\\"b\\u0020c\\u0020 HTTP/2\" 200 1380 \"-\" \"curl/8 \\\"x\\\"\\u001b[2J\"\n"
    );
}

#[test]
fn only_requests_that_have_ended_stand_in_them() {
    samples::full("x", &mut |event| {
        let is_request = ["access.granted", "access.refused"].contains(&event.kind().word());
        assert_eq!(!rendered(LineFormat::Combined, event).is_empty(), is_request, "{}", event.kind().word());
    });
}

#[test]
fn a_sink_says_it_in_the_words_that_it_was_asked_for() {
    let ocsf = rendered(LineFormat::Mapped(Schema::Ocsf), &asked("/a"));
    assert!(ocsf.starts_with('{') && ocsf.contains("\"class_uid\":4002") && ocsf.ends_with("}\n"), "{ocsf}");
    let ecs = rendered(LineFormat::Mapped(Schema::Ecs), &asked("/a"));
    assert!(ecs.contains("\"action\":\"access.granted\"") && ecs.ends_with("}\n"), "{ecs}");
}

#[test]
fn for_eyes_a_line_begins_with_what_matters() {
    assert_eq!(
        rendered(LineFormat::Human, &asked("/a b")),
        "2027-01-15T08:00:00.000000Z  INFO access.granted id=9d754d00dceca87e client=127.0.0.1 method=GET \
         host=wiki.corp.example path=\"/a b\" status=404 outcome=not-found bytes=0 us=684\n"
    );
}

/// What a line of the Combined Log Format is split into, by its grammar.
fn split(line: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = line.strip_suffix('\n')?;
    while !rest.is_empty() {
        let (end, skip) = match rest.as_bytes()[0] {
            b'[' => (rest.find(']')?, 1),
            b'"' => (1 + closing(&rest[1..])?, 1),
            _ => (rest.find(' ').unwrap_or(rest.len()), 0),
        };
        parts.push(rest[skip..end].to_owned());
        rest = &rest[end + skip..];
        rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    }
    Some(parts)
}

fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

proptest! {
    #[test]
    fn whatever_is_sent_lines_stay_lines_and_are_inert(text in any::<String>(), agent in prop::collection::vec(any::<u8>(), 0..200)) {
        let list = [text.clone(), text.clone()];
        let event = AccessEvent {
            agent: Some(&agent),
            host: &text,
            method: &text,
            missing: &list,
            reason: &text,
            ..asked(&text)
        };
        let mapped = [Schema::Ocsf, Schema::Ecs].map(LineFormat::Mapped);
        let formats = [LineFormat::Json, LineFormat::Human, LineFormat::Common, LineFormat::Combined];
        for format in formats.into_iter().chain(mapped) {
            let line = rendered(format, &event);
            prop_assert!(line.ends_with('\n'));
            prop_assert!(!line[..line.len() - 1].contains(char::is_control), "{line:?}");
        }
        let line = rendered(LineFormat::Combined, &event);
        let parts = split(&line).ok_or_else(|| TestCaseError::fail(line.clone()))?;
        prop_assert_eq!((parts.len(), parts[4].split(' ').count()), (9, 3), "{}", line);
    }
}
