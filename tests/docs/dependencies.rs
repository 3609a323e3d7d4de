//! Every library is there for a reason, and the reason is written down.

use std::collections::BTreeSet;
use std::fs;

use super::Document;

#[test]
fn each_dependency_is_told_of_and_nothing_else_is() {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string("Cargo.toml").unwrap()).unwrap();
    let names = |table: &str| manifest[table].as_table().unwrap().keys().cloned();
    let needed: BTreeSet<String> = names("dependencies").chain(names("dev-dependencies")).collect();
    let document = Document::read("docs/dependencies.md");
    let rows = document.text.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<String> = rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect();
    assert_eq!(needed, told);
}

#[test]
fn each_dependency_is_used() {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string("Cargo.toml").unwrap()).unwrap();
    let mut sources = Vec::new();
    super::super::layering::files("src".as_ref(), &mut sources);
    let text: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let unused = |name: &&String| !text.contains(&format!("{}::", name.replace('-', "_")));
    let unused: Vec<_> = manifest["dependencies"].as_table().unwrap().keys().filter(unused).collect();
    assert!(unused.is_empty(), "nothing in src uses {unused:?}");
}
