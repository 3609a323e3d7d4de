//! `docs/compliance.md` promises nothing that is not there: what stands in its tables as code is an event, a report, a command
//! or a key.

use std::collections::BTreeSet;
use std::fs;

use portcullis::events::Kind;
use portcullis::reports::Report;

/// What is neither an event nor a report.
const OTHERS: &[&str] = &[
    "config/observability/",
    "except",
    "keep",
    "mask_path",
    "only",
    "personal",
    "portcullis audit person",
    "portcullis events",
    "portcullis sessions end",
    "required = true",
    "size",
];

fn named() -> BTreeSet<String> {
    let document = fs::read_to_string("docs/compliance.md").unwrap();
    let rows = document.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

#[test]
fn what_the_tables_of_controls_name_is_there() {
    let kinds = Kind::TABLE.iter().map(|row| row.word);
    let reports = Report::TABLE.iter().map(|(_, word, _)| *word);
    let known: BTreeSet<_> = kinds.chain(reports).chain(OTHERS.iter().copied()).collect();
    let unknown: Vec<_> = named().into_iter().filter(|name| !known.contains(name.as_str())).collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn every_report_answers_some_control() {
    let named = named();
    let table = Report::TABLE.iter().map(|(_, word, _)| *word);
    let missing: Vec<_> = table.filter(|word| !named.contains(*word)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
