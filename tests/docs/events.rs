//! `docs/events.md` names every event that is written and every field. `UPDATE_DOCS=1` writes the tables anew.

use std::fmt::Write as _;
use std::fs;

use portcullis::events::{Field, Kind};

const DOCUMENT: &str = "docs/events.md";
const BEGIN: &str = "Fields and types may be added; none changes its meaning.\n\n";

/// Types that stand in the schema and that nothing writes yet.
const RESERVED: &[Kind] = &[
    Kind::AccessOpened,
    Kind::AccessOpen,
    Kind::RequestUnreadable,
    Kind::SignInBegun,
    Kind::StepUpAsked,
    Kind::StepUpUnmet,
    Kind::TokensRefreshed,
    Kind::TokensNotRefreshed,
    Kind::TokensRevoked,
    Kind::TokensNotRevoked,
    Kind::SessionBound,
    Kind::SessionBindingRefused,
    Kind::CredentialFirstUsed,
    Kind::CredentialRefused,
    Kind::SignalReceived,
    Kind::SignalRefused,
    Kind::LogoutTokenAccepted,
    Kind::LogoutTokenRefused,
    Kind::ConfigurationLoaded,
    Kind::KeyPublished,
    Kind::KeyRotated,
    Kind::ProviderKeysChanged,
    Kind::StoreMissed,
    Kind::ManagementRefused,
    Kind::ProcessTookOver,
    Kind::ProcessDraining,
];

fn is_written(kind: Kind) -> bool {
    let word = kind.row().word;
    let of_parts = [".lost", ".back"].iter().any(|end| word.ends_with(end)) && !word.starts_with("record.");
    !RESERVED.contains(&kind) && !of_parts
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| format!("`{}`", field.row().name)).collect::<Vec<_>>().join(", ")
}

fn tables() -> String {
    let mut text =
        String::from("| type | what has happened | always there | where it is known |\n|---|---|---|---|\n");
    for row in Kind::TABLE.iter().filter(|row| is_written(row.kind)) {
        writeln!(text, "| `{}` | {} | {} | {} |", row.word, row.doc, names(row.must), names(row.may))
            .unwrap();
    }
    text += "\n| field | what it says |\n|---|---|\n";
    for row in &Field::TABLE {
        writeln!(text, "| `{}` | {} |", row.name, row.doc.replace('|', "\\|")).unwrap();
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
