//! Every library is there for a reason, and the reason is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Document;
use crate::layering::{SOURCES, files, is_known, room, sources};

fn manifest(path: &Path) -> toml::Table {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn is_ours(name: &str) -> bool {
    name.starts_with("portcullis")
}

#[test]
fn each_dependency_is_told_of_and_nothing_else_is() {
    let workspace = manifest("Cargo.toml".as_ref());
    let needed = workspace["workspace"]["dependencies"].as_table().unwrap().keys();
    let needed: BTreeSet<String> = needed.filter(|name| !is_ours(name)).cloned().collect();
    let document = Document::read("docs/dependencies.md");
    let rows = document.text.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<String> = rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect();
    assert_eq!(needed, told);
}

#[test]
fn each_dependency_is_used_by_the_crate_that_names_it() {
    let mut named = BTreeSet::new();
    for folder in SOURCES.map(Path::new) {
        let mut sources = Vec::new();
        files(folder, &mut sources);
        if folder == Path::new("src") {
            files("tests".as_ref(), &mut sources);
        }
        let text: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let manifest = manifest(&folder.parent().unwrap().join("Cargo.toml"));
        let tables = ["dependencies", "dev-dependencies"].map(|name| manifest.get(name));
        let tables = tables.into_iter().flatten().map(|table| table.as_table().unwrap());
        let names: Vec<_> = tables.flat_map(|table| table.keys().cloned()).collect();
        let is_used = |name: &String| {
            let root = name.replace('-', "_");
            text.contains(&format!("{root}::")) || text.contains(&format!("use {root} as"))
        };
        let unused: Vec<_> = names.iter().filter(|name| !is_used(name)).collect();
        assert!(unused.is_empty(), "nothing in {} uses {unused:?}", folder.display());
        named.extend(names);
    }
    let workspace = manifest("Cargo.toml".as_ref());
    let listed = workspace["workspace"]["dependencies"].as_table().unwrap().keys();
    let needless: Vec<_> = listed.filter(|name| !named.contains(*name)).collect();
    assert!(needless.is_empty(), "no crate needs {needless:?}");
}

/// Where a row names rooms rather than says "nearly all", each of them is a user.
#[test]
fn whoever_is_said_to_use_a_dependency_does() {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        texts.entry(room(&path).unwrap_or_default()).or_default().push_str(&text);
    }
    let document = Document::read("docs/dependencies.md");
    let rows = document.text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    for (library, rest) in rows {
        let users = rest.split(" | ").next().unwrap().split(", ").filter(|who| is_known(who));
        for who in users {
            let named = format!("{}::", library.replace('-', "_"));
            assert!(texts[who].contains(&named), "{who} does not use {library}");
        }
    }
}

/// The libraries that whoever ordered this gateway chose. They are no matter of tests alone: requests run on them.
const CHOSEN: [&str; 9] =
    ["hyper", "tokio", "rustls", "openidconnect", "jsonwebtoken", "moka", "cookie", "governor", "tracing"];

#[test]
fn the_libraries_that_were_chosen_are_in_the_program_and_not_in_its_tests_alone() {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &host()])
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let needs = needs(&metadata);
    for crate_of in CHOSEN {
        let direct: Vec<_> = needs
            .iter()
            .filter(|(name, under)| is_ours(name) && under.contains(crate_of))
            .map(|(name, _)| name.as_str())
            .collect();
        assert!(!direct.is_empty(), "no crate of ours stands on {crate_of}");
        assert!(direct.iter().any(|name| reaches(&needs, name)), "{crate_of} is not in the program");
    }
}

/// The kind of machine that the tests are built for: libraries for others alone need not be at hand.
fn host() -> String {
    let told = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// The libraries that each package needs when it is built to be run.
fn needs(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let name = |id: &Value| {
        let packages = metadata["packages"].as_array().unwrap().iter();
        packages.clone().find(|package| package["id"] == *id).unwrap()["name"].as_str().unwrap().to_owned()
    };
    let is_normal = |dep: &&Value| dep["dep_kinds"].as_array().unwrap().iter().any(|it| it["kind"].is_null());
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap().iter();
    let ours = nodes.map(|node| (name(&node["id"]), node)).filter(|(name, _)| is_ours(name));
    ours.map(|(package, node)| {
        let under = node["deps"].as_array().unwrap().iter().filter(is_normal);
        (package, under.map(|dep| name(&dep["pkg"])).collect())
    })
    .collect()
}

/// Whether the program stands on this crate of ours.
fn reaches(needs: &BTreeMap<String, BTreeSet<String>>, name: &str) -> bool {
    let (mut found, mut waiting) = (BTreeSet::new(), vec!["portcullis".to_owned()]);
    while let Some(package) = waiting.pop() {
        if found.insert(package.clone()) {
            waiting.extend(needs[&package].iter().filter(|under| is_ours(under)).cloned());
        }
    }
    found.contains(name)
}
