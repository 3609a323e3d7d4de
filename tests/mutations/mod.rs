//! The list of mistakes that a test must notice (`README.md` here) says what the code says, and no release build holds
//! any of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::layering::{SOURCES, files};

const LIST: &str = "tests/mutations/list.toml";
const MODULE: &str = "crates/rules/src/mutants.rs";

/// As the program is asked for a mistake by.
const VARIABLE: &str = "PORTCULLIS_MUTANT";

/// The numbers of `docs/invariants.md` that the program holds by now.
fn invariants() -> Vec<i64> {
    let text = fs::read_to_string("docs/invariants.md").unwrap();
    let enforced = text.split("\n### ").skip(1).filter(|part| !part.contains("Not yet enforced"));
    enforced.map(|part| part.split('.').next().unwrap().parse().unwrap()).collect()
}

fn list() -> toml::Table {
    fs::read_to_string(LIST).unwrap().parse().unwrap()
}

fn text<'a>(mutant: &'a toml::Value, key: &str) -> &'a str {
    mutant.get(key).and_then(toml::Value::as_str).unwrap_or_else(|| panic!("no {key}: {mutant:?}"))
}

fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| files(Path::new(folder), &mut paths));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// What stands in the parentheses that `text` begins behind.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth == 0
    });
    &text[..end.expect("a parenthesis is not closed")]
}

/// The names of the mistakes that can be made in a file.
fn names(source: &str) -> Vec<String> {
    let calls = source.split("mutant!(").skip(1).map(inside);
    let before = calls.flat_map(|call| call.match_indices("\" =>").map(|(at, _)| &call[..at]));
    before.map(|text| text.rsplit('"').next().unwrap().to_owned()).collect()
}

#[test]
fn every_mistake_is_in_the_list_and_can_be_made_in_one_place() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (path, source) in sources(&SOURCES).into_iter().filter(|(path, _)| path != Path::new(MODULE)) {
        names(&source).into_iter().for_each(|name| places.entry(name).or_default().push(path.clone()));
    }
    let listed: Vec<String> = list().keys().cloned().collect();
    assert_eq!(places.keys().cloned().collect::<Vec<_>>(), listed, "in the code; in {LIST}");
    let several: Vec<_> = places.iter().filter(|(_, paths)| paths.len() > 1).collect();
    assert!(several.is_empty(), "one name, several places: {several:?}");
}

#[test]
fn every_mistake_says_what_it_breaks_and_which_test_notices() {
    let sources: String =
        sources(&[&SOURCES[..], &["tests"]].concat()).into_iter().map(|(_, source)| source).collect();
    for (name, mutant) in &list() {
        let kebab =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(kebab, "{name}");
        assert!(text(mutant, "breaks").ends_with('.'), "{name}");
        let test = text(mutant, "test").rsplit("::").next().unwrap();
        assert!(sources.contains(&format!("fn {test}(")), "{name}: there is no test {test}");
        let known = ["breaks", "test", "invariant", "quick"];
        assert!(mutant.as_table().unwrap().keys().all(|key| known.contains(&key.as_str())), "{name}");
    }
}

#[test]
fn the_mistakes_are_many_and_each_invariant_has_one() {
    let list = list();
    assert!(list.len() >= 80, "{}", list.len());
    let quick = list.values().filter(|mutant| mutant.get("quick").is_some()).count();
    assert!((12..=16).contains(&quick), "{quick}: `tests/run` makes them each time");
    let has =
        |number| list.values().any(|mutant| mutant.get("invariant") == Some(&toml::Value::Integer(number)));
    let (held, without): (Vec<_>, Vec<_>) = invariants().into_iter().partition(|number| has(*number));
    assert!(held.len() > 20 && without.is_empty(), "no mistake breaks {without:?}");
}

/// A program that makes a mistake where it is told to, built by the compiler with `options`: what it says, and its bytes.
fn built(options: &[&str]) -> (String, Vec<u8>) {
    let folder = TempDir::new().unwrap();
    let module = fs::canonicalize(MODULE).unwrap();
    let main = folder.path().join("main.rs");
    let program = folder.path().join("program");
    let text = format!(
        "#[macro_use] #[path = {module:?}] mod mutants;\n\
         fn main() {{ mutants::warn(); println!(\"{{}}\", mutant!(\"right\", \"a-mistake\" => \"wrong\")); }}"
    );
    fs::write(&main, text).unwrap();
    let done = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .args(options)
        .arg(&main)
        .output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = Command::new(&program).env(VARIABLE, "a-mistake").output().unwrap().stdout;
    (String::from_utf8(said).unwrap(), fs::read(&program).unwrap())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_release_build_makes_no_mistake_whatever_the_environment_says() {
    let (said, release) = built(&["-O"]);
    assert_eq!(said, "right\n");
    assert!(!holds(&release, "a-mistake") && !holds(&release, VARIABLE));
    let (said, debug) = built(&[]);
    assert_eq!(said, "wrong\n", "this test could not fail");
    assert!(holds(&debug, "a-mistake") && holds(&debug, VARIABLE));
}

/// Release builds are those without debug assertions: nothing that builds one switches them on.
#[test]
fn nothing_makes_a_release_build_a_debug_build() {
    let manifest: toml::Table = fs::read_to_string("Cargo.toml").unwrap().parse().unwrap();
    for (name, profile) in manifest["profile"].as_table().unwrap() {
        assert!(profile.get("debug-assertions").is_none(), "profile {name}");
    }
    for file in ["Dockerfile", "tests/run", ".ci/run", "benches/counting.py"] {
        let text = fs::read_to_string(file).unwrap().to_ascii_lowercase();
        assert!(!text.contains("debug_assertions") && !text.contains("debug-assertions"), "{file}");
    }
    assert!(!Path::new(".cargo/config.toml").exists(), "look there, too");
}

#[test]
fn a_program_that_is_broken_on_purpose_says_so_first() {
    let program =
        Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("man").env(VARIABLE, "none").output().unwrap();
    let told = String::from_utf8_lossy(&program.stderr).into_owned();
    assert_eq!(told.contains("DANGER") && told.contains(VARIABLE), cfg!(debug_assertions), "{told}");
    let program = Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("man").output().unwrap();
    assert!(program.stderr.is_empty());
}
