use std::collections::BTreeSet;
use std::fmt;

use proptest::prelude::*;

use super::{each, lines, recorder};
use crate::{Access, AccessEvent, Event, Field, FieldSet, Flags, Kind, Seen, fuzzing, samples};

fn fields(line: &str) -> FieldSet {
    let seen = Seen::read(line.as_bytes()).unwrap();
    let fields: Vec<_> = seen.members().map(|(name, _)| Field::named(name).unwrap()).collect();
    FieldSet::of(&fields)
}

const HEAD: [Field; 4] = [Field::V, Field::Time, Field::Event, Field::Type];

#[test]
fn each_kind_tells_what_its_row_says() {
    let (full, bare) = (each(|take| samples::full("x", take)), each(samples::bare));
    for row in &Kind::TABLE {
        let told = |all: &[(Kind, String)]| {
            let lines = all.iter().filter(|(kind, _)| *kind == row.kind);
            let told: Vec<_> = lines.map(|(_, line)| fields(line)).collect();
            assert!(!told.is_empty(), "there is no sample of {}", row.word);
            told.into_iter().fold(FieldSet::default(), FieldSet::and)
        };
        let must = FieldSet::of(row.must).and(FieldSet::of(&HEAD));
        assert_eq!(told(&bare).common(must), must, "{} leaves out what it must tell", row.word);
        assert_eq!(told(&full), must.and(FieldSet::of(row.may)), "{}", row.word);
    }
}

#[test]
fn a_line_is_as_it_is_documented() {
    let recorder = recorder(0);
    recorder.emit(&samples::bare_access(Access::Granted));
    let line = lines(&recorder).concat();
    let expected = format!(
        r#"{{"v":1,"time":"2027-01-15T08:00:00.000000Z","event":"{}-0-1","type":"access.granted","id":"9d754d00dceca87e","client":"127.0.0.1","method":"GET","host":"wiki.corp.example","path":"/","status":404,"outcome":"not-found","bytes":0,"us":684}}"#,
        recorder.process()
    );
    assert_eq!(line, expected + "\n");
}

#[test]
fn the_longest_values_make_a_line_within_the_bound_that_says_what_was_cut() {
    for text in ["x".repeat(9000), "\u{1b}".repeat(3000), "\u{E0041}".repeat(3000), "日".repeat(3000)] {
        for (kind, line) in each(|take| samples::full(&text, take)) {
            fuzzing::line(line.as_bytes());
            let seen = Seen::read(line.as_bytes()).unwrap();
            let cut: BTreeSet<_> = seen.texts(Field::Truncated).iter().map(ToString::to_string).collect();
            let short = |field: &Field| {
                let said =
                    seen.text(*field).map(str::len).or_else(|| Some(seen.texts(*field).concat().len()));
                said.is_some_and(|length| length > 0 && length < text.len())
            };
            let own = kind.row().must.iter().chain(kind.row().may).filter(|field| {
                let text = [crate::FieldType::Text, crate::FieldType::Texts].contains(&field.row().kind);
                text && **field != Field::Session && **field != Field::Credential && **field != Field::Client
            });
            let expected: BTreeSet<_> =
                own.filter(|field| short(field)).map(|field| field.row().name.to_owned()).collect();
            let changes = BTreeSet::from(["changes".to_owned()]);
            assert_eq!(
                cut.difference(&changes).cloned().collect::<BTreeSet<_>>(),
                expected,
                "{}",
                kind.word()
            );
        }
    }
}

#[test]
fn heads_tell_what_the_lines_are() {
    let recorder = recorder(0);
    samples::full("x", &mut |event| assert!(recorder.emit(event).is_some()));
    recorder.sweep(|block| {
        for head in block.heads() {
            let line = block.line(head);
            let seen = Seen::read(line).unwrap();
            assert_eq!((seen.kind(), line.last()), (Some(head.kind), Some(&b'\n')));
            assert!(seen.text(Field::Event).unwrap().ends_with(&format!("-0-{}", head.seq)));
            let personal = fields(str::from_utf8(line).unwrap()).iter().any(|field| field.row().personal);
            assert_eq!(head.flags.has(Flags::PERSONAL), personal, "{}", seen.word());
            let number = |field| seen.number(field).unwrap_or(0);
            if head.kind == Kind::AccessGranted {
                assert_eq!((head.bytes, head.us), (number(Field::Bytes), u32::MAX));
                assert_eq!((head.route, head.session), (7, 0x1F0C));
            }
            if head.status != 0 {
                assert_eq!(u64::from(head.status), number(Field::Status));
            }
        }
    });
}

#[test]
fn agents_that_are_no_text_are_replaced_and_flagged() {
    let recorder = recorder(0);
    recorder.emit(&AccessEvent { agent: Some(b"curl\xFF/8"), ..samples::bare_access(Access::Refused) });
    let line = lines(&recorder).concat();
    let seen = Seen::read(line.as_bytes()).unwrap();
    assert_eq!(seen.text(Field::Agent), Some("curl\u{FFFD}/8"));
    assert_eq!(seen.texts(Field::Replaced), ["agent"]);
}

#[test]
fn what_shows_itself_is_escaped_as_well() {
    struct Rule;
    impl fmt::Display for Rule {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("policy \"staff\"")?;
            f.write_str(", \u{202E}rule 1\n")
        }
    }
    let recorder = recorder(0);
    recorder.emit(&AccessEvent { rule: Some(&Rule), ..samples::bare_access(Access::Granted) });
    let line = lines(&recorder).concat();
    assert!(line.contains(r#""rule":"policy \"staff\", \u202erule 1\u000a""#), "{line}");
}

#[test]
fn a_line_that_breaks_off_leaves_no_trace_and_takes_no_number() {
    struct Breaks;
    impl fmt::Display for Breaks {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose")
        }
    }
    let recorder = recorder(0);
    let event = samples::bare_access(Access::Granted);
    let breaks =
        std::panic::AssertUnwindSafe(|| recorder.emit(&AccessEvent { rule: Some(&Breaks), ..event }));
    assert!(std::panic::catch_unwind(breaks).is_err());
    assert_eq!(recorder.emit(&event).unwrap().seq, 1);
    let lines = lines(&recorder);
    assert_eq!(lines.len(), 1);
    fuzzing::line(lines[0].as_bytes());
}

#[cfg(debug_assertions)]
#[test]
fn an_event_that_tells_what_its_kind_has_not_is_noticed() {
    struct Wrong;
    impl Event for Wrong {
        fn kind(&self) -> Kind {
            Kind::SignInBegun
        }
        fn write(&self, line: &mut crate::Line<'_>) {
            line.number(Field::Bytes, 1);
        }
    }
    let recorder = recorder(0);
    let emit = std::panic::AssertUnwindSafe(|| recorder.emit(&Wrong));
    assert!(std::panic::catch_unwind(emit).is_err());
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any::<String>(),
        2 => "[ -~]{0,40}",
        1 => prop::sample::select(vec!["\u{1b}[2J", "\"}\n{\"v\":1", "\u{9b}31m", "\u{202E}", "\0", "\r\n", "\\", "\u{7f}", "\u{FEFF}"])
            .prop_map(str::to_owned),
        1 => ("[a-zü\u{1}]", 1..9000usize).prop_map(|(letter, times)| letter.repeat(times)),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_make_one_valid_line(text in hostile()) {
        fuzzing::events(text.as_bytes());
    }

    #[test]
    fn any_bytes_of_an_agent_make_one_valid_line(agent in prop::collection::vec(any::<u8>(), 0..600)) {
        let recorder = recorder(0);
        recorder.emit(&AccessEvent { agent: Some(&agent), ..samples::bare_access(Access::Granted) });
        fuzzing::line(lines(&recorder).concat().as_bytes());
    }
}
