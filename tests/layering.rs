//! A room imports only what stands under it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may use. Every room may use the ground floor.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "runtime", "config", "demo", "listener", "admin", "gate", "forward", "pages", "authn", "oidc",
            "session", "storage", "limit", "policy", "route", "request",
        ],
    ),
    (
        "runtime",
        &[
            "config",
            "listener",
            "gate",
            "endpoints",
            "admin",
            "forward",
            "authn",
            "oidc",
            "session",
            "storage",
            "request",
        ],
    ),
    (
        "config",
        &[
            "listener",
            "admin",
            "gate",
            "endpoints",
            "forward",
            "authn",
            "oidc",
            "session",
            "storage",
            "limit",
            "policy",
            "route",
            "request",
        ],
    ),
    ("demo", &[]),
    ("listener", &["http1", "request"]),
    ("admin", &["request", "listener"]),
    (
        "gate",
        &[
            "endpoints",
            "forward",
            "pages",
            "authn",
            "oidc",
            "session",
            "limit",
            "policy",
            "route",
            "request",
            "listener",
        ],
    ),
    ("endpoints", &["forward", "pages", "authn", "oidc", "session", "route", "request", "listener"]),
    ("forward", &["http1", "request", "policy"]),
    ("pages", &[]),
    ("authn", &["oidc", "session", "request"]),
    ("oidc", &["session"]),
    ("session", &["storage"]),
    ("storage", &[]),
    ("limit", &["request"]),
    ("policy", &["request", "route"]),
    ("route", &["request"]),
    ("http1", &[]),
    ("request", &[]),
];
const GROUND: &[&str] = &["telemetry", "clock", "identity", "secret", "mutants", "fuzzing"];

pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").unwrap();
    let first = inside.components().next()?.as_os_str().to_str()?;
    (!["lib.rs", "main.rs"].contains(&first)).then(|| first.trim_end_matches(".rs").to_owned())
}

fn imports(text: &str) -> Vec<String> {
    let behind = text.split("crate::").skip(1);
    behind
        .map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect()
        })
        .collect()
}

#[test]
fn a_room_imports_only_what_stands_under_it() {
    let allowed: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut sources = Vec::new();
    files(Path::new("src"), &mut sources);
    let mut upward = Vec::new();
    for path in sources {
        let Some(room) = room(&path) else { continue };
        if GROUND.contains(&room.as_str()) && room != "telemetry" {
            continue;
        }
        let may = allowed.get(room.as_str()).copied().unwrap_or_default();
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let fine = import == room || may.contains(&import.as_str()) || GROUND.contains(&import.as_str());
            if !fine && !import.is_empty() {
                upward.push(format!("{}: {room} imports {import}", path.display()));
            }
        }
    }
    assert!(upward.is_empty(), "imports that point upward:\n{}", upward.join("\n"));
}

#[test]
fn every_room_of_the_house_is_known_here() {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|rest| rest.trim_end_matches(';'))
        .collect();
    for room in declared {
        assert!(
            ROOMS.iter().any(|(name, _)| *name == room) || GROUND.contains(&room),
            "{room} is missing in ROOMS"
        );
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let mut sources = Vec::new();
    for folder in ["src", "tests", "benches"].map(Path::new).into_iter().filter(|folder| folder.exists()) {
        files(folder, &mut sources);
    }
    let long: Vec<_> = sources
        .iter()
        .filter(|path| !path.components().any(|part| part.as_os_str() == "node_modules"))
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .collect();
    assert!(long.is_empty(), "longer than 400 lines: {long:?}");
}

#[test]
fn the_table_of_the_architecture_says_what_is_enforced() {
    let text = fs::read_to_string("docs/architecture.md").unwrap();
    let rows =
        text.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| row.split_once("` | "));
    let may = |rest: &str| {
        let last = rest.trim_end_matches(" |").rsplit(" | ").next().unwrap().to_owned();
        if last == "nothing" { String::new() } else { last }
    };
    let told: Vec<(String, String)> = rows.map(|(room, rest)| (room.to_owned(), may(rest))).collect();
    let enforced: Vec<(String, String)> =
        ROOMS.iter().map(|(room, may)| ((*room).to_owned(), may.join(", "))).collect();
    assert_eq!(told, enforced);
}
