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
    assert!(text(&checked.stdout).ends_with(": good (4 routes, 1 provider)\n"), "{}", text(&checked.stdout));
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
