//! Every command in a document is one that works.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Document, folder, portcullis};

/// Commands that are tested by what they lead to: the build that these tests are part of, the scripts that
/// run them, the tests of the demo; and what other programs do.
const KNOWN: [&str; 17] = [
    "cargo build --release",
    "cargo run --release -- demo",
    "cargo run --release -- demo --history",
    "bash tests/run",
    "bash fuzz/run",
    "bash tests/apps/run",
    "bash tests/apps/run vite",
    "openssl rand -base64 32",
    "python3 benches/cold",
    "python3 benches/count",
    "python3 benches/endings",
    "python3 benches/expiry",
    "python3 benches/growth",
    "python3 benches/memory",
    "python3 benches/outage",
    "python3 tests/mutations/run",
    "python3 tests/mutations/run quick",
];

#[test]
fn every_command_in_a_document_works() {
    let mut ran = 0;
    for document in Document::all() {
        for line in document.blocks_of("sh").into_iter().flat_map(str::lines).filter(|line| !line.is_empty())
        {
            let at = format!("{}: {line}", document.path.display());
            if let Some(arguments) = line.strip_prefix("portcullis ") {
                runs(&document, arguments, &at);
                ran += 1;
            } else {
                // `curl` is run against a live gateway in `operations`.
                let known = KNOWN.contains(&line)
                    || line.starts_with("curl http://127.0.0.1:9090/")
                    || is_of_cargo(line.strip_prefix("UPDATE_DOCS=1 ").unwrap_or(line));
                assert!(known, "{at}: no test runs this");
            }
        }
    }
    assert!(ran >= 4, "only {ran} commands were found");
}

/// Whether it checks or tests a package of ours, and what it looks for there is there. What it does, this very test is
/// part of.
fn is_of_cargo(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let folder = match words.iter().position(|word| *word == "-p") {
        Some(at) if words[at + 1] == "portcullis" => "src".to_owned(),
        Some(at) => format!("crates/{}/src", words[at + 1].trim_start_matches("portcullis-")),
        None => "tests".to_owned(),
    };
    let room =
        words.iter().position(|word| *word == "--").map(|at| words[at + 1].split("::").next().unwrap());
    let is_there =
        |room: &str| ["", ".rs"].iter().any(|end| Path::new(&folder).join(format!("{room}{end}")).exists());
    let known =
        ["cargo test -p ", "cargo test --test portcullis -- ", "cargo clippy --workspace --all-targets"];
    known.iter().any(|start| line.starts_with(start))
        && Path::new(&folder).is_dir()
        && room.is_none_or(is_there)
}

fn runs(document: &Document, arguments: &str, at: &str) {
    let readme = Document::read("README.md");
    let here = document.blocks_of("toml");
    let text = here.first().copied().unwrap_or_else(|| readme.blocks_of("toml")[0]);
    let folder = folder(text);
    fs::copy(folder.path().join("portcullis.toml"), folder.path().join("api.toml")).unwrap();
    let log = folder.path().join("log");
    fs::write(&log, Document::read("docs/operations.md").blocks_of("json").concat()).unwrap();
    let arguments = arguments.replace("/var/log/portcullis.log", log.to_str().unwrap());
    let mut arguments: Vec<&str> = arguments.split(' ').collect();
    // What they do is tested in `backup`, `management`, `record` and `asking_providers`.
    if ["run", "backup", "restore", "sessions", "keys", "events", "audit", "report"].contains(&arguments[0])
        || arguments.contains(&"--online")
    {
        arguments.push("--help");
    }
    let output = portcullis(folder.path(), text, &arguments);
    assert!(output.status.success(), "{at}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_scripts_are_scripts() {
    for script in ["tests/run", "tests/apps/run", "fuzz/run", ".ci/run"] {
        assert!(Path::new(script).exists());
        assert!(Command::new("bash").args(["-n", script]).status().unwrap().success(), "{script}");
    }
    let benches = [
        "cold",
        "count",
        "counting.py",
        "endings",
        "expiry",
        "gateway.py",
        "growth",
        "memory",
        "outage",
        "world.py",
    ]
    .map(|name| format!("benches/{name}"));
    for script in benches.iter().map(String::as_str).chain(["tests/mutations/run"]) {
        let arguments = ["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"];
        assert!(Command::new("python3").args(arguments).arg(script).status().unwrap().success(), "{script}");
    }
}
