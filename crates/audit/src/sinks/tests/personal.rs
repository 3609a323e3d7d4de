//! Sinks that are to get no names get none, whatever they write.

use std::fs;

use tempfile::TempDir;

use portcullis_events::{Field, Seen};
use portcullis_rules::identity::fixtures;
use proptest::prelude::*;

use super::*;
use crate::mapping::Schema;
use crate::sinks::personal::write;

const SECRET: &[u8] = b"a key that nobody can guess so easily";

/// One of each kind, each text of which is `text`.
fn lines(text: &str) -> Vec<Vec<u8>> {
    let recorder = Recorder::new(1, clock(), 64 << 20);
    recorder.want(KindSet::ALL, true);
    samples::full(text, &mut |event| assert!(recorder.emit(event).is_some()));
    let mut lines = Vec::new();
    recorder.sweep(|block| lines.extend(block.heads().iter().map(|head| block.line(head).to_vec())));
    lines
}

fn written(line: &[u8], key: Option<&PseudonymKey>) -> String {
    let mut out = Vec::new();
    write(line, key, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn nothing_personal_is_left_and_everything_else_is() {
    let key = PseudonymKey::of(SECRET);
    for line in lines("who-is-this") {
        let before = Seen::read(&line).unwrap();
        for key in [Some(&key), None] {
            let text = written(&line, key);
            let after = Seen::read(text.as_bytes()).unwrap();
            for (name, value) in before.members() {
                let row = Field::named(name).unwrap().row();
                if row.field == Field::Changes {
                    assert_eq!(after.named(name), None, "what rules say of people: {text}");
                    continue;
                }
                match (row.personal, after.named(name), key) {
                    (false, found, _) => assert_eq!(found, Some(value), "{text}"),
                    (true, found, None) => assert_eq!(found, None, "{text}"),
                    (true, found, Some(_)) => assert!(found.is_some_and(|found| found != value), "{text}"),
                }
            }
            assert!(text.len() <= portcullis_events::LONGEST_LINE && text.ends_with("}\n"));
        }
    }
}

#[test]
fn a_pseudonym_is_the_same_for_the_same_value_and_key_alone() {
    let (key, other) =
        (PseudonymKey::of(SECRET), PseudonymKey::of(b"another key of some length, for others"));
    assert_eq!(key.subject("corp", "00u1"), PseudonymKey::of(SECRET).subject("corp", "00u1"));
    let all = [
        key.subject("corp", "00u1"),
        key.subject("partner", "00u1"),
        key.subject("corp0", "0u1"),
        key.name("00u1"),
        other.subject("corp", "00u1"),
        other.name("00u1"),
    ];
    let different: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    assert!(all.iter().all(|text| text.len() == 32));
}

#[test]
fn an_address_stays_one_that_is_routed_nowhere_and_tells_its_family_alone() {
    let key = PseudonymKey::of(SECRET);
    let of = |address: &str| key.address(address.parse().unwrap()).to_string();
    assert!(of("192.0.2.7").starts_with("fd04:") && of("2001:db8::7").starts_with("fd06:"));
    assert_eq!(of("192.0.2.7"), of("::ffff:192.0.2.7"), "one client, however it is written");
    assert_ne!(of("192.0.2.7")[..9], of("192.0.2.8")[..9], "neighbours look like anybody");
}

#[test]
fn files_chains_and_schemas_have_pseudonyms_and_a_reload_changes_that() {
    let folder = TempDir::new().unwrap();
    let recorder = Recorder::new(1, clock(), 8 << 20);
    let log = LogSink::to(Box::new(io::sink()), LineFormat::Json).unwrap();
    let audit = Audit::start(recorder.clone(), &log).unwrap().with_pseudonyms(PseudonymKey::of(SECRET));
    let sink = |name: &str, format, chain, personal| SinkSettings {
        name: name.into(),
        kind: SinkKind::File(FileSettings { format, chain, ..file_settings(&folder.path().join(name)) }),
        personal,
        ..file_sink(&folder.path().join(name))
    };
    let settings = |personal| Settings {
        log: Selection::NONE,
        sinks: vec![
            sink("json", LineFormat::Json, true, personal),
            sink("human", LineFormat::Human, false, personal),
            sink("combined", LineFormat::Combined, false, personal),
            sink("ecs", LineFormat::Mapped(Schema::Ecs), false, personal),
            sink("ocsf", LineFormat::Mapped(Schema::Ocsf), false, personal),
        ],
    };
    let who = fixtures::alice();
    let happens = |path: &str| {
        let event = samples::bare_access(Access::Granted);
        let client = "203.0.113.99".parse().unwrap();
        recorder.emit(&AccessEvent { who: Some(&who), client, path, agent: Some(b"an agent"), ..event });
        assert!(audit.flush(Duration::from_secs(30)));
    };
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    audit.apply(&settings(Personal::Pseudonyms)).unwrap();
    happens("/secret-path");
    let stands_for = PseudonymKey::of(SECRET).name(&who.user);
    for name in ["json", "human", "combined", "ecs", "ocsf"] {
        let text = read(name);
        for personal in [who.user.as_str(), who.subject.as_str(), "203.0.113.99", "secret-path", "an agent"] {
            assert!(!text.contains(personal), "{name}: {personal} in {text}");
        }
        assert!(text.contains(&stands_for) && text.contains("fd04:"), "{name}: {text}");
    }
    audit.apply(&settings(Personal::LeftOut)).unwrap();
    happens("/2");
    assert_eq!(read("json").matches(&stands_for).count(), 1, "the first one alone");
    audit.apply(&settings(Personal::Clear)).unwrap();
    happens("/3");
    assert!(read("json").contains(&format!("\"user\":\"{}\"", who.user)));
}

proptest! {
    #[test]
    fn whatever_a_stranger_says_stays_inert(text in any::<String>(), junk in any::<Vec<u8>>()) {
        let key = PseudonymKey::of(SECRET);
        for line in lines(&text).iter().chain([&junk]) {
            let told = written(line, Some(&key));
            prop_assert!(told.chars().all(|c| c == '\n' || !c.is_control()));
            prop_assert!(told.is_empty() || Seen::read(told.as_bytes()).is_ok());
        }
    }
}
