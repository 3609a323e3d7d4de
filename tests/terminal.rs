//! What the commands say to a person at a terminal, and to a program that reads them.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::Demo;

fn portcullis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .env("DEMO_CLIENT_SECRET", "throw-away")
        .output()
        .unwrap()
}

/// The same with a terminal to write to.
fn on_a_terminal(arguments: &[&str], no_color: &str) -> String {
    let command = [&[env!("CARGO_BIN_EXE_portcullis")], arguments].concat().join(" ");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
    script.env("TERM", "xterm").env("NO_COLOR", no_color).env("DEMO_CLIENT_SECRET", "throw-away");
    text(&script.output().unwrap().stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The configuration of a demo, as its user would save it.
fn saved(demo: &Demo) -> (TempDir, PathBuf) {
    let (configuration, _) = demo.welcome.split_once("Portcullis  ").unwrap();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("portcullis.toml");
    fs::write(&file, configuration).unwrap();
    (directory, file)
}

#[test]
fn the_configuration_that_the_demo_shows_before_its_welcome_is_good() {
    let demo = Demo::with(&["--show-config"]);
    let (_directory, file) = saved(&demo);
    let checked = portcullis(&["check", "--config", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).ends_with(": good (7 routes, 1 provider)\n"), "{}", text(&checked.stdout));
}

#[test]
fn explain_tells_by_words_and_exit_code_who_is_let_in() {
    let demo = Demo::with(&["--show-config"]);
    let (_directory, file) = saved(&demo);
    let url = format!("{}/ops", demo.url);
    let ask = |who: &[&str]| {
        let question = ["explain", "--config", file.to_str().unwrap(), "--url", &url];
        portcullis(&[&question, who].concat())
    };
    let bob = ask(&["--user", "bob", "--group", "ops"]);
    let told = text(&bob.stdout);
    assert_eq!(bob.status.code(), Some(0), "{told}");
    for line in [
        "decision  permitted: policy ops, allow rule 1",
        "headers   x-auth-request-user: bob",
        "    ✓ one of the groups: ops  found ops",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert_eq!(text(&bob.stderr), "", "warnings are for `check`");
    let alice = ask(&["--user", "alice", "--group", "staff"]);
    let told = text(&alice.stdout);
    assert_eq!(alice.status.code(), Some(1), "{told}");
    assert!(told.contains("decision  forbidden: policy ops, no allow rule holds"), "{told}");
    assert!(told.contains("    ✗ one of the groups: ops  found staff"), "{told}");
    assert!(!told.contains("headers"), "nothing is sent for who is refused:\n{told}");
}

/// The commands that a demo with a history says to try.
#[test]
fn a_demo_with_a_history_has_something_to_report() {
    let demo = Demo::with(&["--history"]);
    let commands: Vec<Vec<&str>> = demo
        .welcome
        .lines()
        .filter_map(|line| line.trim().strip_prefix("portcullis "))
        .map(|command| command.split_whitespace().collect())
        .collect();
    assert_eq!(commands.len(), 3, "{}", demo.welcome);
    let report = |arguments: &[&str]| {
        let output = portcullis(&[arguments, &["--format", "json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["rows"]
            .as_array()
            .unwrap()
            .clone()
    };
    let days = report(&commands[0]);
    assert!(days.len() >= 30, "{days:?}");
    assert!(days.iter().filter(|day| day["signed in"].as_u64() > Some(15)).count() >= 20, "{days:?}");
    let oddities = report(&commands[1]);
    for finding in ["burst", "new-place"] {
        assert!(oddities.iter().any(|found| found["finding"] == finding), "{finding}: {oddities:?}");
    }
    let dormant = serde_json::to_string(&report(&commands[2])).unwrap();
    assert!(dormant.contains("quinn") && !dormant.contains("carla"), "{dormant}");
    let folder = std::path::Path::new(commands[0].last().unwrap()).to_owned();
    assert!(folder.exists());
    demo.end();
    assert!(!folder.exists(), "nothing is left of it");
}

#[test]
fn a_demo_whose_port_is_taken_says_which_option_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let demo = portcullis(&["demo", "--listen", &address]);
    assert_eq!(demo.status.code(), Some(1));
    assert_eq!(text(&demo.stdout), "", "no welcome to what does not run");
    let told = text(&demo.stderr);
    assert!(
        told.starts_with(&format!("error: cannot listen on {address}: another program does\n")),
        "{told}"
    );
    assert!(told.contains("portcullis demo --listen 127.0.0.1:"), "{told}");
}

#[test]
fn colours_are_for_terminals_and_for_who_wants_them() {
    let demo = Demo::with(&["--show-config"]);
    assert!(!demo.welcome.contains('\u{1b}'), "{}", demo.welcome);
    let (_directory, file) = saved(&demo);
    for command in ["check", "explain"] {
        let mut arguments = vec![command, "--config", file.to_str().unwrap()];
        if command == "explain" {
            arguments.extend(["--url", &demo.url]);
        }
        let piped = portcullis(&arguments);
        assert!(!text(&piped.stdout).contains('\u{1b}') && !text(&piped.stderr).contains('\u{1b}'));
        assert!(on_a_terminal(&arguments, "").contains("\u{1b}["), "{command} is coloured on a terminal");
        assert!(!on_a_terminal(&arguments, "1").contains("\u{1b}["), "{command} heeds NO_COLOR");
    }
}

/// A gateway's configuration that loads but is doubtful, in a folder of its own.
fn doubtful(format: &str, listen: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let text = format!(
        "[server]\nlisten = \"{listen}\"\nstate = \"memory\"\ntrusted_proxies = \"0.0.0.0/0\"\n[log]\nformat = \"{format}\"\n\
         [[routes]]\nhost = \"a.example\"\nupstream = \"http://127.0.0.1:9\"\naccess = \"public\"\n"
    );
    fs::write(directory.path().join("portcullis.toml"), text).unwrap();
    directory
}

fn in_folder(directory: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(directory.path())
        .output()
        .unwrap()
}

#[test]
fn a_file_is_named_with_or_without_an_option() {
    let directory = doubtful("auto", "127.0.0.1:0");
    fs::rename(directory.path().join("portcullis.toml"), directory.path().join("other.toml")).unwrap();
    for arguments in [&["check", "other.toml"][..], &["check", "--config", "other.toml"]] {
        let checked = in_folder(&directory, arguments);
        assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
        assert!(text(&checked.stdout).starts_with("other.toml: good"), "{}", text(&checked.stdout));
    }
    let both = in_folder(&directory, &["check", "other.toml", "--config", "other.toml"]);
    assert_eq!(both.status.code(), Some(2), "which one is meant cannot be told");
    let missing = in_folder(&directory, &["check"]);
    assert!(text(&missing.stderr).contains("portcullis check FILE"), "{}", text(&missing.stderr));
}

#[test]
fn a_machine_without_the_secrets_can_check_a_file_that_speaks_of_them() {
    let directory = TempDir::new().unwrap();
    let file = "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://a.example\"\n\
                state = \"/nowhere/at/all/state.db\"\ntls = { cert = \"gone.crt\", key = \"gone.key\" }\n\
                [providers.corp]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n\
                client_secret = { env = \"PORTCULLIS_TEST_IS_NOT_SET\" }\n\
                [[routes]]\nhost = \"a.example\"\nupstream = \"http://127.0.0.1:9\"\naccess = \"signed-in\"\n";
    fs::write(directory.path().join("portcullis.toml"), file).unwrap();
    let with = in_folder(&directory, &["check"]);
    assert_eq!(with.status.code(), Some(1));
    assert!(text(&with.stderr).contains("portcullis check --no-secrets"), "{}", text(&with.stderr));
    let without = in_folder(&directory, &["check", "--no-secrets"]);
    assert_eq!(without.status.code(), Some(0), "{}", text(&without.stderr));
    assert_eq!(text(&without.stderr), "");
}

#[test]
fn help_completions_and_the_manual_name_every_command() {
    let commands = ["run", "check", "schema", "demo", "explain", "completions", "man"];
    for asked in [&["help"][..], &["--help"], &["man"], &["completions", "bash"], &["completions", "zsh"]] {
        let told = portcullis(asked);
        assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
        let told = text(&told.stdout).to_lowercase();
        commands.iter().for_each(|command| assert!(told.contains(command), "{asked:?}: {command}\n{told}"));
    }
    assert!(text(&portcullis(&["help", "check"]).stdout).contains("--no-secrets"));
    assert!(text(&portcullis(&["man"]).stdout).contains("\\-\\-no\\-secrets"), "options are in the manual");
}

/// Every line of what `run` wrote to `stream` as JSON.
fn lines(stream: &[u8]) -> Vec<serde_json::Value> {
    let parsed = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    text(stream).lines().map(parsed).collect()
}

#[test]
fn whoever_reads_json_reads_nothing_else_when_a_start_fails() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = doubtful("json", &taken.local_addr().unwrap().to_string());
    let started = in_folder(&directory, &["run"]);
    assert_eq!(started.status.code(), Some(1));
    let told = lines(&[started.stdout, started.stderr].concat());
    let levels: Vec<_> = told.iter().map(|line| line["level"].as_str().unwrap()).collect();
    assert!(levels.contains(&"WARN") && levels.last() == Some(&"ERROR"), "{told:?}");
    let doubt = told.iter().find(|line| line["level"] == "WARN").unwrap();
    assert!(doubt["line"].is_u64() && doubt["file"] == "portcullis.toml", "{doubt}");
}

#[test]
fn whoever_reads_json_reads_nothing_else_when_a_file_does_not_load() {
    let directory = doubtful("json", "nowhere");
    let started = in_folder(&directory, &["run"]);
    assert_eq!(started.status.code(), Some(64));
    let told = lines(&[started.stdout, started.stderr].concat());
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["message"], "the configuration has a fault: not an address to listen on");
    assert_eq!((&told[0]["line"], &told[0]["level"]), (&2.into(), &"ERROR".into()));
    let human = in_folder(&doubtful("human", "nowhere"), &["run"]);
    assert!(text(&human.stderr).starts_with("error: not an address to listen on\n --> portcullis.toml:2:10"));
}
