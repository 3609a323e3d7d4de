//! `[audit]` and `[[audit.sinks]]`.

use std::time::Duration;

use super::warnings::nothing_is_said_of;
use super::{each_is_told, longer, settings};
use crate::mapping::Schema;
use crate::segments::StoreSettings;
use crate::sinks::{LineFormat, Selection, SinkKind};

fn sink(lines: &str) -> String {
    longer(&format!("[[audit.sinks]]\n{lines}"))
}

#[test]
fn a_file_is_kept_with_what_is_said_of_it() {
    let file = |lines: &str| {
        let sink =
            settings(&sink(&format!("kind = \"file\"\npath = \"events.jsonl\"\n{lines}"))).sinks.remove(0);
        let SinkKind::File(file) = sink.kind else { panic!() };
        (sink.name, file, sink.selection)
    };
    let (name, by_default, all) = file("");
    assert_eq!(
        (&*name, by_default.mode, by_default.format, all),
        ("file", 0o600, LineFormat::Json, Selection::ALL)
    );
    assert!(by_default.path.ends_with("events.jsonl"));
    assert_eq!((by_default.rotation.size, by_default.rotation.keep), (Some(100 << 20), Some(30)));
    for (word, schema) in [("ocsf", Schema::Ocsf), ("ecs", Schema::Ecs)] {
        let (_, file, _) = file(&format!("format = \"json\"\nschema = \"{word}\""));
        assert_eq!(file.format, LineFormat::Mapped(schema));
        nothing_is_said_of(&[sink(&format!("kind = \"stdout\"\nschema = \"{word}\""))]);
    }
    let (name, file, some) = file(
        "name = \"requests\"\nmode = \"0640\"\nformat = \"combined\"\nonly = [\"access.*\"]\n\
         rotate = { size = \"1MiB\", every = \"1day\", keep = 3, total = \"10MiB\" }",
    );
    assert_eq!((&*name, file.mode, file.format), ("requests", 0o640, LineFormat::Combined));
    assert_eq!(some, Selection::only(["access.*"]).unwrap());
    assert_eq!(file.rotation.every, Some(Duration::from_secs(86_400)));
    assert_eq!(
        (file.rotation.size, file.rotation.keep, file.rotation.total),
        (Some(1 << 20), Some(3), Some(10 << 20))
    );
    nothing_is_said_of(&[sink("kind = \"stdout\"\nformat = \"human\"\nexcept = \"access.granted\"")]);
}

#[test]
fn what_a_sink_cannot_be_is_told() {
    let file = |lines: &str| sink(&format!("kind = \"file\"\npath = \"e.jsonl\"\n{lines}"));
    each_is_told(&[
        (sink("kind = \"file\""), "a sink of the kind \"file\" without its file", "path"),
        (file("format = \"common\"\nschema = \"ocsf\""), "`schema` of lines that are no JSON", "json"),
        (sink("kind = \"stdout\"\nformat = \"human\"\nschema = \"ecs\""), "`schema` of lines", "json"),
        (file("mode = \"0400\""), "not the mode of a file", "0600"),
        (file("mode = \"0777\""), "not the mode of a file", "0600"),
        (file("name = \"log\""), "`log` is no name for a sink", "not \"log\""),
        (file("only = \"access.*\"\nexcept = \"access.*\""), "both `only` and `except`", "one of the two"),
        (file("only = \"acess.*\""), "no event is called \"acess.*\"", "sign-in.*"),
        (sink("kind = \"stdout\"\npath = \"x\""), "`path` of a sink that is no file", "\"file\""),
        (
            file("\n[[audit.sinks]]\nkind = \"file\"\npath = \"other\""),
            "two sinks are called `file`",
            "of its own",
        ),
        (
            file("\n[[audit.sinks]]\nkind = \"file\"\nname = \"b\"\npath = \"e.jsonl\""),
            "two sinks write to one place",
            "one of the two",
        ),
        (longer("[audit]\nmemory = \"1KiB\""), "no room for events, or more than a gateway has", "1MiB"),
    ]);
}

/// A configuration with a state file.
fn stateful(lines: &str) -> String {
    longer(lines).replacen("[server]\n", "[server]\nstate = \"/var/lib/portcullis/state\"\n", 1)
}

/// One whose state ends with the process.
fn without_state(lines: &str) -> String {
    longer(lines).replacen("[server]\n", "[server]\nstate = \"memory\"\n", 1)
}

#[test]
fn events_are_kept_beside_the_state_file_unless_something_else_is_said() {
    let stores = |text: &str| {
        let sinks = settings(text).sinks;
        let stores = sinks.into_iter().filter_map(|sink| match sink.kind {
            SinkKind::Store(store) => Some((sink.name.to_string(), store)),
            SinkKind::File(_) | SinkKind::Output(_) | SinkKind::Spooled(_) => None,
        });
        stores.collect::<Vec<_>>()
    };
    let (keep, size) = (Duration::from_secs(365 * 86_400), 10 << 30);
    let beside = StoreSettings { path: "/var/lib/portcullis/state-audit".into(), keep, size };
    assert_eq!(stores(&stateful("")), [("store".to_owned(), beside.clone())]);
    assert_eq!(stores(&stateful("[audit]\nstore = true")), [("store".to_owned(), beside)]);
    assert_eq!(stores(&stateful("[audit]\nstore = false")), []);
    assert_eq!(stores(&without_state("")), [], "without a state file");
    let said = "[[audit.sinks]]\nkind = \"store\"\nname = \"a\"\npath = \"/srv/events\"\nkeep = \"30days\"\nsize = \"1GiB\"";
    let elsewhere =
        StoreSettings { path: "/srv/events".into(), keep: Duration::from_secs(30 * 86_400), size: 1 << 30 };
    assert_eq!(stores(&stateful(said)), [("a".to_owned(), elsewhere)]);
}

#[test]
fn what_a_store_cannot_be_is_told() {
    let store = |lines: &str| sink(&format!("kind = \"store\"\npath = \"/srv/events\"\n{lines}"));
    let file = "[[audit.sinks]]\nkind = \"file\"\npath = \"/srv/events/e.jsonl\"";
    each_is_told(&[
        (sink("kind = \"store\""), "a sink of the kind \"store\" without its folder", "path"),
        (store("keep = \"1h\""), "the span of time is too short", "2days"),
        (store("size = \"100MiB\""), "less than two segments of events, of 256 MiB each", "512MiB"),
        (store("rotate = { keep = 3 }"), "`rotate` of a sink that is no file", "\"file\""),
        (sink("kind = \"stdout\"\nkeep = \"3days\""), "`keep` of a sink of the kind \"stdout\"", "\"store\""),
        (store(file), "two sinks write to one place", "one of the two"),
        (
            without_state("[audit]\nstore = true"),
            "a store of events, and no state file that it lies beside",
            "[server] state",
        ),
        (
            longer("[audit]\nstore = false\n[[audit.sinks]]\nkind = \"store\"\npath = \"/srv/events\""),
            "no store of events, and a sink of the kind \"store\"",
            "one of the two",
        ),
        (
            store("[[audit.sinks]]\nkind = \"store\"\nname = \"b\"\npath = \"/srv/events\""),
            "two sinks write to one place",
            "one of the two",
        ),
    ]);
}
