//! The tests that `docs/shared-signals.md` names are there, and its table of events is what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Document;
use crate::layering::{files, sources};

#[test]
fn every_requirement_of_the_profile_has_its_test() {
    let document = Document::read("docs/shared-signals.md");
    let section = document.text.split("\n## The interoperability profile").nth(1).unwrap();
    let named: BTreeSet<_> = section
        .lines()
        .filter_map(|line| line.strip_suffix("` |")?.rsplit_once('`'))
        .map(|(_, name)| name)
        .collect();
    assert!(named.len() >= 10, "{named:?}");
    let mut paths = sources();
    files(Path::new("tests"), &mut paths);
    let all: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in named {
        assert!(all.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}

#[test]
fn every_event_is_in_the_table() {
    let document = Document::read("docs/shared-signals.md");
    let section = document.text.split("\n## What each event does").nth(1).unwrap();
    let table = section.split("\n\n").nth(1).unwrap();
    for event in portcullis::signals::EventType::all() {
        assert!(table.contains(&format!("`{}`", event.name())), "{}", event.name());
    }
}
