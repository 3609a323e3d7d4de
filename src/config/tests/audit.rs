//! `[audit]` and `[[audit.sinks]]`.

use std::time::Duration;

use super::warnings::nothing_is_said_of;
use super::{each_is_told, longer, settings};
use crate::mapping::Schema;
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
