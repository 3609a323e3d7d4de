//! What must never happen, where the code sees to it, and which tests show it: `docs/invariants.md` says all three, and
//! is held to the code from both sides.
//!
//! Source files cite an invariant in words ("invariant 13"); tests begin their names with its number
//! (`invariant_13_…`). `UPDATE_DOCS=1` writes the lists of files anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/invariants.md";

type Files = BTreeMap<u32, BTreeSet<PathBuf>>;

/// The files that cite each invariant outside of tests, and those with tests of it.
fn cited() -> (Files, Files) {
    let mut files = crate::layering::sources();
    crate::layering::files(Path::new("tests"), &mut files);
    let (mut places, mut tests) = (Files::new(), Files::new());
    for file in files.into_iter().filter(|file| !file.starts_with("tests/peers")) {
        let text = fs::read_to_string(&file).unwrap();
        for number in text.split("fn invariant_").skip(1).filter_map(leading_number) {
            tests.entry(number).or_default().insert(file.clone());
        }
        for number in numbers(&text).filter(|_| !is_test(&file)) {
            places.entry(number).or_default().insert(file.clone());
        }
    }
    (places, tests)
}

fn is_test(file: &Path) -> bool {
    let name = file.to_string_lossy();
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("tests.rs")
}

fn leading_number(text: &str) -> Option<u32> {
    text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Those of "invariant 7" and "invariants 13, 15 and 18".
fn numbers(text: &str) -> impl Iterator<Item = u32> {
    let lists = text
        .split("nvariant")
        .skip(1)
        .map(|rest| rest.trim_start_matches('s'))
        .filter(|rest| rest.starts_with(' '));
    lists.flat_map(|list| {
        let words = list.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
        words.map_while(leading_number).collect::<Vec<_>>()
    })
}

/// The document's invariants: number, and the lines below the heading.
fn told() -> (String, Vec<(u32, String)>) {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    let mut parts = text.split("\n### ");
    let preface = parts.next().unwrap().to_owned();
    (preface, parts.map(|part| (leading_number(part).unwrap(), part.to_owned())).collect())
}

fn line(title: &str, files: &Files, number: u32) -> Option<String> {
    let named = files.get(&number)?.iter().fold(String::new(), |mut all, file| {
        let comma = if all.is_empty() { "" } else { ", " };
        write!(all, "{comma}`{}`", file.display()).unwrap();
        all
    });
    Some(format!("- {title}: {named}"))
}

/// The same invariant with the lists as the code gives them.
fn with_lists(part: &str, number: u32, (places, tests): &(Files, Files)) -> String {
    let is_list = |line: &&str| line.starts_with("- Held in: ") || line.starts_with("- Tests: ");
    let (body, rest) = part.split_once("\n## ").map_or((part, None), |(body, rest)| (body, Some(rest)));
    let mut lines: Vec<String> =
        body.trim_end().lines().filter(|line| !is_list(line)).map(str::to_owned).collect();
    lines.extend(line("Held in", places, number));
    lines.extend(line("Tests", tests, number));
    let rest = rest.map(|rest| format!("\n\n## {}", rest.trim_end())).unwrap_or_default();
    lines.join("\n") + &rest + "\n"
}

#[test]
fn each_invariant_names_the_files_that_hold_it_and_its_tests() {
    let (preface, told) = told();
    let cited = cited();
    let written: Vec<u32> = told.iter().map(|(number, _)| *number).collect();
    assert_eq!(written, (1..=written.len() as u32).collect::<Vec<_>>(), "{DOCUMENT}: numbers go up by one");
    let unknown = cited.0.keys().chain(cited.1.keys()).find(|number| !written.contains(number));
    assert_eq!(unknown, None, "the code speaks of an invariant that {DOCUMENT} does not hold");
    let parts = told.iter().map(|(number, part)| with_lists(part, *number, &cited));
    let expected = format!("{preface}\n### {}", parts.collect::<Vec<_>>().join("\n### "));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return fs::write(DOCUMENT, expected).unwrap();
    }
    let now = fs::read_to_string(DOCUMENT).unwrap();
    let first = expected.lines().zip(now.lines()).find(|(expected, now)| expected != now);
    assert!(
        expected == now,
        "{DOCUMENT} and the code differ, first at {first:?}; UPDATE_DOCS=1 writes the lists anew"
    );
}

#[test]
fn each_invariant_is_held_and_tested_or_said_not_to_be() {
    let (places, tests) = cited();
    for (number, part) in told().1 {
        let waits = part.contains("\nNot yet enforced");
        let holds = places.contains_key(&number) && tests.contains_key(&number);
        assert!(
            holds || waits,
            "invariant {number} has no place or no test, and is not said to wait for one"
        );
    }
}
