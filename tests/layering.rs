//! A room imports only what stands under it. What is another crate's the compiler holds as well; within a crate, and
//! for what a crate could import and should not, this does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, the crate it is in, and the rooms it may use. Every room may use the ground floor, too.
#[rustfmt::skip]
const ROOMS: &[(&str, &str, &[&str])] = &[
    (
        "cli",
        PROGRAM,
        &[
            "runtime", "config", "demo", "sinks", "reports", "segments", "chain", "admin", "operate", "gate", "pages", "oidc", "storage",
            "policy",
        ],
    ),
    ("runtime", PROGRAM, &[
            "config", "listener", "sinks", "reports", "segments", "chain", "gate", "console", "history", "operate", "endpoints", "admin",
            "forward", "oidc", "replicas", "session", "signals", "storage", "limit", "route", "request",
    ]),
    (
        "config",
        PROGRAM,
        &[
            "listener",
            "sinks",
            "segments",
            "mapping",
            "admin",
            "gate",
            "endpoints",
            "portal",
            "pages",
            "forward",
            "authn",
            "oidc",
            "session",
            "signals",
            "storage",
            "limit",
            "policy",
            "route",
            "request",
        ],
    ),
    ("demo", "demo", &[]),
    ("sinks", "audit", &["segments", "chain", "mapping"]),
    ("segments", "audit", &["chain"]),
    ("reports", "audit", &["segments"]),
    ("chain", "audit", &[]),
    ("mapping", "audit", &[]),
    ("listener", "wire", &["http1", "request"]),
    (
        "admin",
        PROGRAM,
        &["sinks", "operate", "reports", "segments", "session", "request", "listener"],
    ),
    ("operate", PROGRAM, &["sinks", "segments", "session"]),
    ("history", PROGRAM, &[]),
    (
        "gate",
        PROGRAM,
        &[
            "console",
            "endpoints",
            "portal",
            "forward",
            "pages",
            "authn",
            "oidc",
            "replicas",
            "session",
            "signals",
            "limit",
            "policy",
            "route",
            "request",
            "listener",
        ],
    ),
    (
        "endpoints",
        PROGRAM,
        &[
            "portal", "forward", "pages", "authn", "oidc", "replicas", "session", "signals", "limit",
            "route", "request", "listener",
        ],
    ),
    ("forward", "wire", &["http1", "request", "policy"]),
    ("console", PROGRAM, &[
            "sinks", "reports", "segments", "history", "operate", "endpoints", "pages", "session", "policy", "route", "request",
            "listener",
    ]),
    ("portal", PROGRAM, &["pages", "route"]),
    ("pages", PROGRAM, &[]),
    ("authn", "authentication", &["oidc", "session", "request"]),
    ("signals", "authentication", &["oidc", "session"]),
    ("oidc", "authentication", &["session"]),
    ("replicas", "authentication", &["session", "storage", "limit", "request"]),
    ("session", "authentication", &["storage"]),
    ("storage", "authentication", &[]),
    ("limit", "rules", &["request"]),
    ("policy", "rules", &["request"]),
    ("route", "rules", &["request"]),
    ("http1", "wire", &[]),
    ("request", "rules", &[]),
];

/// What every room may use, each with what it uses itself.
const GROUND: &[(&str, &str, &[&str])] = &[
    ("words", PROGRAM, &["mutants"]),
    ("telemetry", "telemetry", &["identity", "events", "clock", "trace", "mutants"]),
    ("events", "events", &["identity", "clock", "mutants"]),
    ("identity", "rules", &["clock", "mutants"]),
    ("trace", "trace", &["clock", "secret", "mutants"]),
    ("secret", "rules", &["mutants"]),
    ("clock", "rules", &[]),
    ("mutants", "rules", &[]),
    ("fuzzing", "rules", &[]),
    ("single_flight", "authentication", &["mutants"]),
];

/// The crate of the whole project's folder; the others are in `crates/`.
const PROGRAM: &str = "portcullis";

/// Every folder with sources of ours.
pub(crate) const SOURCES: [&str; 9] = [
    "src",
    "crates/audit/src",
    "crates/authentication/src",
    "crates/demo/src",
    "crates/events/src",
    "crates/rules/src",
    "crates/telemetry/src",
    "crates/trace/src",
    "crates/wire/src",
];

/// The files of Rust below a folder.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    files_that_end(folder, "rs", found);
}

fn files_that_end(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_that_end(&path, end, found);
        } else if path.extension().is_some_and(|known| known == end) {
            found.push(path);
        }
    }
}

/// Every file of the program and its crates.
pub(crate) fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    SOURCES.iter().for_each(|folder| files(Path::new(folder), &mut found));
    found
}

/// Whether a room is called so.
pub(crate) fn is_known(name: &str) -> bool {
    ROOMS.iter().chain(GROUND).any(|(room, ..)| *room == name)
}

/// Whether the crate is a room by itself.
fn is_a_room(name: &str) -> bool {
    ROOMS.iter().chain(GROUND).any(|(room, home, _)| *room == name && *home == name)
}

/// The room that a file is in; none for what lists the rooms of a crate.
pub(crate) fn room(path: &Path) -> Option<String> {
    let mut parts = path.iter().map(|part| part.to_str().unwrap());
    if parts.next() == Some("crates") {
        let home = parts.next().unwrap();
        if is_a_room(home) {
            return Some(home.to_owned());
        }
        parts.next();
    }
    let first = parts.next().unwrap();
    (!["lib.rs", "main.rs"].contains(&first)).then(|| first.trim_end_matches(".rs").to_owned())
}

/// The names that a path or a group of paths begins with: one of `a::b`, all of `{a, b::{c, d}}`.
fn heads(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut depth, mut found, mut item) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => item = true,
            letter if item && !letter.is_whitespace() => {
                found.push(word(&group[at..]));
                item = false;
            }
            _ => {}
        }
    }
    found
}

/// The rooms that a file names.
fn imports(path: &Path, text: &str) -> BTreeSet<String> {
    let own = room(path).filter(|room| is_a_room(room));
    let behind = |start: &str| {
        let parts = text.split(start).skip(1).map(str::to_owned);
        parts.flat_map(|rest| heads(&rest)).collect::<Vec<_>>()
    };
    // In a crate that is a room by itself, `crate` is that room.
    let mut found = if own.is_some() { Vec::new() } else { behind("crate::") };
    for (name, home, _) in ROOMS.iter().chain(GROUND) {
        if text.contains(&format!("portcullis_{home}::")) && name == home {
            found.push((*name).to_owned());
        }
    }
    for home in ["rules", "wire", "authentication", "audit"] {
        found.extend(behind(&format!("portcullis_{home}::")));
    }
    if text.contains("mutant!(") {
        found.push("mutants".to_owned());
    }
    found.into_iter().filter(|name| !name.is_empty()).collect()
}

/// What each room imports, with a file that does.
fn arrows() -> BTreeMap<(String, String), PathBuf> {
    let mut arrows = BTreeMap::new();
    for path in sources() {
        let Some(room) = room(&path) else { continue };
        for import in imports(&path, &fs::read_to_string(&path).unwrap()) {
            if import != room {
                arrows.insert((room.clone(), import), path.clone());
            }
        }
    }
    arrows
}

#[test]
fn a_room_imports_only_what_stands_under_it() {
    let may: BTreeMap<_, _> = ROOMS.iter().chain(GROUND).map(|(room, _, may)| (*room, *may)).collect();
    let is_ground = |room: &str| GROUND.iter().any(|(name, ..)| *name == room);
    let is_fine = |room: &str, import: &str| {
        may[room].contains(&import) || (is_ground(import) && !is_ground(room)) || import == "fuzzing"
    };
    let upward: Vec<_> = arrows()
        .into_iter()
        .filter(|((room, import), _)| !is_fine(room, import))
        .map(|((room, import), path)| format!("{}: {room} imports {import}", path.display()))
        .collect();
    assert!(upward.is_empty(), "imports that point upward:\n{}", upward.join("\n"));
}

#[test]
fn every_arrow_that_may_be_is_there() {
    let arrows = arrows();
    let unused: Vec<_> = ROOMS
        .iter()
        .chain(GROUND)
        .flat_map(|(room, _, may)| may.iter().map(move |under| ((*room).to_owned(), (*under).to_owned())))
        .filter(|arrow| !arrows.contains_key(arrow))
        .collect();
    assert!(unused.is_empty(), "nothing imports these any more; take them out of ROOMS: {unused:?}");
}

#[test]
fn groups_of_imports_are_read_whole() {
    assert_eq!(heads("a::b;"), ["a"]);
    assert_eq!(heads("{a::{b, c}, d, e::f};"), ["a", "d", "e"]);
    let text =
        "use crate::{clock::Clock, gate};\nlet x = portcullis_wire::http1::x; portcullis_telemetry::y;";
    let found = imports(Path::new("src/policy/mod.rs"), text);
    assert_eq!(found.iter().collect::<Vec<_>>(), ["clock", "gate", "http1", "telemetry"]);
}

#[test]
fn every_room_of_the_program_is_known_here() {
    let mut there = BTreeSet::new();
    for path in sources() {
        there.extend(room(&path));
    }
    let known: BTreeSet<_> = ROOMS.iter().chain(GROUND).map(|(room, ..)| (*room).to_owned()).collect();
    assert_eq!(there, known);
}

#[test]
fn every_crate_is_read_here_and_has_the_lints_and_the_rooms_that_are_said() {
    let crates = fs::read_dir("crates").unwrap().map(|entry| entry.unwrap().path());
    for home in crates {
        let source = home.join("src").to_str().unwrap().to_owned();
        assert!(SOURCES.contains(&source.as_str()), "{source} is missing in SOURCES");
    }
    for manifest in SOURCES.map(|source| Path::new(source).parent().unwrap().join("Cargo.toml")) {
        let text: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
        let lints = text.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(
            lints,
            Some(&toml::Value::Boolean(true)),
            "{}: [lints] workspace = true",
            manifest.display()
        );
    }
    let workspace: toml::Table = fs::read_to_string("Cargo.toml").unwrap().parse().unwrap();
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for (room, home, _) in ROOMS.iter().chain(GROUND).filter(|(room, home, _)| room != home) {
        let folder = if *home == PROGRAM { "src".to_owned() } else { format!("crates/{home}/src") };
        let (file, folder) = (format!("{folder}/{room}.rs"), format!("{folder}/{room}"));
        assert!(Path::new(&file).exists() || Path::new(&folder).is_dir(), "{room} is not in {home}");
    }
}

#[test]
fn an_image_is_built_of_every_folder_with_sources() {
    let dockerfile = fs::read_to_string("Dockerfile").unwrap();
    let copied: Vec<_> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .flat_map(|line| line.split_whitespace())
        .collect();
    for source in SOURCES {
        let top = source.split('/').next().unwrap();
        assert!(copied.contains(&top), "the Dockerfile copies no {top}");
    }
}

/// Proptest finds the cases that it once saved by the path of the test.
#[test]
fn each_saved_case_of_a_property_has_its_property() {
    for source in SOURCES.map(Path::new) {
        let (mut saved, beside) = (Vec::new(), source.parent().unwrap().join("proptest-regressions"));
        if beside.exists() {
            files_that_end(&beside, "txt", &mut saved);
        }
        for cases in saved {
            let test = source.join(cases.strip_prefix(&beside).unwrap()).with_extension("rs");
            let text = fs::read_to_string(&test).unwrap_or_default();
            assert!(text.contains("proptest!"), "{} is read by no property", cases.display());
        }
    }
}

/// A file that is moved keeps what it imports, and nobody counts his way up.
#[test]
fn what_is_further_up_than_a_level_is_called_by_its_room() {
    let counting: Vec<_> = sources()
        .into_iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("super::super::"))
        .collect();
    assert!(counting.is_empty(), "say `crate::…` in {counting:?}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let mut sources = sources();
    ["tests", "benches"].map(Path::new).into_iter().for_each(|folder| files(folder, &mut sources));
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
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(|row| {
        let mut cells = row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`'));
        (cells.next().unwrap().to_owned(), cells.next().unwrap().to_owned(), cells.last().unwrap().to_owned())
    });
    let told: Vec<_> = rows.collect();
    let may = |may: &[&str]| if may.is_empty() { "nothing".to_owned() } else { may.join(", ") };
    let enforced: Vec<_> = ROOMS
        .iter()
        .map(|(room, home, under)| ((*room).to_owned(), (*home).to_owned(), may(under)))
        .collect();
    assert_eq!(told, enforced);
}
