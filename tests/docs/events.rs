//! `docs/events.md` names every event and every field, and every event is written somewhere. `UPDATE_DOCS=1` writes the
//! tables anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use portcullis::events::{Field, Kind};

use crate::layering;

const DOCUMENT: &str = "docs/events.md";
const BEGIN: &str = "Fields and types may be added; none changes its meaning.\n\n";

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| format!("`{}`", field.row().name)).collect::<Vec<_>>().join(", ")
}

fn tables() -> String {
    let mut text =
        String::from("| type | what has happened | always there | where it is known |\n|---|---|---|---|\n");
    for row in &Kind::TABLE {
        writeln!(text, "| `{}` | {} | {} | {} |", row.word, row.doc, names(row.must), names(row.may))
            .unwrap();
    }
    text += "\n| field | what it says | personal |\n|---|---|---|\n";
    for row in &Field::TABLE {
        let personal = if row.personal { "yes" } else { "" };
        writeln!(text, "| `{}` | {} | {personal} |", row.name, row.doc.replace('|', "\\|")).unwrap();
    }
    text
}

#[test]
fn the_tables_of_events_are_those_of_the_code() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, _) = document.split_once(BEGIN).expect("the place of the tables");
    let expected = format!("{before}{BEGIN}{}", tables());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return fs::write(DOCUMENT, expected).unwrap();
    }
    assert!(document == expected, "{DOCUMENT} and the code differ; UPDATE_DOCS=1 writes the tables anew");
}

/// The names of all structures of events.
fn structures() -> Vec<String> {
    let mut files = Vec::new();
    layering::files("crates/events/src/event".as_ref(), &mut files);
    let texts = files.into_iter().map(|path| fs::read_to_string(path).unwrap());
    let name = |rest: &str| rest.split(['<', ' ']).next().unwrap().to_owned();
    texts.flat_map(|text| text.split("impl Event for ").skip(1).map(name).collect::<Vec<_>>()).collect()
}

#[test]
fn every_event_is_written_somewhere() {
    let (names, is_test) = (structures(), |path: &Path| path.iter().any(|part| part == "tests"));
    assert!(names.len() > 30, "{names:?}");
    let sources: Vec<_> = layering::sources()
        .into_iter()
        .filter(|path| {
            !path.starts_with("crates/events/src/event") && !path.ends_with("samples.rs") && !is_test(path)
        })
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let is_made = |name: &&String| sources.iter().any(|text| text.contains(&format!("{name} {{")));
    let unwritten: Vec<_> = names.iter().filter(|name| !is_made(name)).collect();
    assert!(unwritten.is_empty(), "nothing writes {unwritten:?}");
}
