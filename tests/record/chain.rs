//! The chain of the record: the real program writes it, is killed, rotates, is taken over from; and whoever tampers with it
//! afterwards is found out, by its own command and by a second hand that knows the documentation alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use serde_json::Value;

use super::{ROUTES, about};
use crate::support::{Browser, Gateway, World, program, until};

const SINK: &str =
    "[[audit.sinks]]\nkind = \"file\"\npath = \"events.jsonl\"\nrotate = { size = \"8KiB\" }\n\n";

async fn world() -> World {
    World::at("http://127.0.0.1:{port}", "", SINK, ROUTES).await
}

/// Asks so often, and waits until it is told.
async fn ask(gateway: &Gateway, path: &str, times: usize) {
    let browser = Browser::new();
    let mut last = String::new();
    for n in 0..times {
        let answer =
            browser.send(Method::GET, &gateway.url(&format!("{path}{n}")), &[("accept", "*/*")], "").await;
        last = answer.header("x-request-id").to_owned();
    }
    until("the last request in the record", || {
        files(gateway.directory.path())
            .iter()
            .any(|file| fs::read_to_string(file).unwrap_or_default().contains(&last))
    });
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".jsonl"));
    files.sort();
    files
}

pub(super) struct Verified {
    pub(super) code: Option<i32>,
    pub(super) report: Value,
}

impl Verified {
    pub(super) fn whats(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let findings = self.report["findings"].as_array().unwrap();
        findings.iter().map(|finding| (text(&finding["what"]), text(&finding["file"]))).collect()
    }
}

pub(super) fn verify(folder: &Path, arguments: &[&str]) -> Verified {
    let output = program(folder, &[&["audit", "verify", "--format", "json"], arguments].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Verified { code: output.status.code(), report }
}

fn assert_whole(folder: &Path, arguments: &[&str]) -> Value {
    let verified = verify(folder, arguments);
    assert!(verified.code == Some(0), "{:#}", verified.report);
    verified.report
}

/// What the second hand says.
fn by_hand(checkpoints: &Path, files: &[PathBuf], part: bool) -> (bool, String) {
    let mut command = Command::new("python3");
    command.arg("tests/record/verify.py").arg(checkpoints).args(files);
    let output = command.args(part.then_some("--part")).output().unwrap();
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), told)
}

/// One that was killed, rotated, taken over from and ended.
async fn eventful() -> World {
    let mut world = world().await;
    ask(&world.gateway, "/first/", 30).await;
    world.gateway.kill();
    world.gateway.start_again();
    ask(&world.gateway, "/second/", 30).await;
    assert_whole(world.gateway.directory.path(), &[]);
    let mut old = world.gateway.take_over();
    until("the old one to end", || old.ended().is_some());
    ask(&world.gateway, "/third/", 30).await;
    world.gateway.signal("TERM");
    world.gateway.wait();
    world
}

#[tokio::test]
async fn invariant_28_a_record_that_nobody_touched_is_whole_whatever_happened_to_its_writers() {
    let world = eventful().await;
    let folder = world.gateway.directory.path();
    let report = assert_whole(folder, &[]);
    let chains = report["chains"].as_array().unwrap();
    let main = chains.iter().max_by_key(|chain| chain["lines"].as_u64()).unwrap();
    assert!(main["files"].as_array().unwrap().len() > 2, "{report:#}");
    assert_eq!((&main["unproved"], &main["tail"]), (&0.into(), &0.into()), "the end was signed: {report:#}");
    let (whole, told) = by_hand(&folder.join("state.db-checkpoints"), &files(folder), false);
    assert!(whole, "{told}");
    // The key that was printed once is the one that all leads to.
    let keys = program(folder, &["audit", "keys"]);
    let key = String::from_utf8(keys.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    assert!(key.starts_with("127.0.0.1/"), "{key}");
    assert_whole(folder, &["--key", &key]);
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let verified = verify(folder, &["--key", other]);
    assert_eq!((verified.code, verified.whats()[0].0.as_str()), (Some(1), "unknown-key"));
    let checkpoints = program(folder, &["audit", "checkpoints", "--format", "json"]);
    let checkpoints: Value = serde_json::from_slice(&checkpoints.stdout).unwrap();
    assert!(checkpoints.as_array().unwrap().len() >= 2, "{checkpoints:#}");
}

#[tokio::test]
async fn invariant_28_whoever_changes_a_record_afterwards_is_found_by_both() {
    let world = eventful().await;
    let folder = world.gateway.directory.path();
    let signed = folder.join("state.db-checkpoints");
    let all = files(folder);
    let (file, text) = all
        .iter()
        .map(|file| (file.clone(), fs::read_to_string(file).unwrap()))
        .find(|(_, text)| text.contains("/first/"))
        .unwrap();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let line = text.lines().position(|line| line.contains("/first/")).unwrap();
    let without: String =
        text.lines().enumerate().filter(|(at, _)| *at != line).map(|(_, line)| format!("{line}\n")).collect();
    for (changed, what) in [(text.replacen("/first/", "/other/", 1), "changed"), (without, "dropped")] {
        fs::write(&file, &changed).unwrap();
        let verified = verify(folder, &[]);
        assert_eq!((verified.code, verified.whats()), (Some(1), vec![(what.to_owned(), name.clone())]));
        assert_eq!(verified.report["findings"][0]["line"], line + 1);
        assert!(!by_hand(&signed, &all, false).0);
        let human = program(folder, &["audit", "verify"]);
        assert!(String::from_utf8_lossy(&human.stdout).contains(&format!("{name}, line {}", line + 1)));
    }
    fs::write(&file, &text).unwrap();
    fs::rename(&file, folder.join("hidden")).unwrap();
    let whats = verify(folder, &[]).whats();
    assert!(whats.contains(&("missing".to_owned(), name.clone())), "{whats:?}");
    fs::rename(folder.join("hidden"), &file).unwrap();
    let newest = folder.join("events.jsonl");
    let end = fs::read_to_string(&newest).unwrap();
    let cut: String = end.split_inclusive('\n').take(end.lines().count() - 2).collect();
    fs::write(&newest, cut).unwrap();
    let verified = verify(folder, &[]);
    assert!(
        verified.whats().iter().any(|(what, file)| what == "cut" && file == "events.jsonl"),
        "{:?}",
        verified.whats()
    );
    assert!(!by_hand(&signed, &all, false).0);
    fs::write(&newest, end).unwrap();
    assert_whole(folder, &[]);
    assert_eq!(program(folder, &["audit", "verify", "nothing.jsonl"]).status.code(), Some(2));
}

#[tokio::test]
async fn a_part_of_the_record_proves_itself_elsewhere() {
    let world = world().await;
    let gateway = &world.gateway;
    ask(gateway, "/before/", 10).await;
    let browser = Browser::new();
    let page = browser.visit(&gateway.url("/page")).await;
    about(gateway, "access.granted", page.header("x-request-id"));
    ask(gateway, "/after/", 10).await;
    gateway.signal("TERM");
    let folder = gateway.directory.path();
    let is_whole = || verify(folder, &[]).report["chains"][0]["unproved"] == 0;
    until("the end to be signed", is_whole);
    let written = program(folder, &["audit", "export", "--user", "alice", "-o", "part"]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let part = folder.join("part");
    let mut names: Vec<_> = fs::read_dir(&part).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| !name.to_string_lossy().ends_with(".jsonl"));
    names.sort();
    assert_eq!(names, ["README", "checkpoints", "keys"]);
    let elsewhere = tempfile::TempDir::new().unwrap();
    let part = elsewhere.path().join("part");
    fs::rename(folder.join("part"), &part).unwrap();
    let text: String = files(&part).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert!(text.contains("\"alice\"") && text.contains(page.header("x-request-id")));
    assert!(!text.contains("/before/") && !text.contains("/after/"), "nobody else's lines");
    let report = assert_whole(elsewhere.path(), &["part"]);
    let proved = report["chains"][0]["proved"].as_object().expect("something is proved");
    assert!(
        proved["block"].as_u64() > Some(0) && report["chains"][0]["hidden"].as_u64() > Some(0),
        "{report:#}"
    );
    assert_eq!(report["chains"][0]["unproved"], 0);
    let (whole, told) = by_hand(&part.join("checkpoints"), &files(&part), true);
    assert!(whole, "{told}");
    let file = &files(&part)[0];
    fs::write(file, text.replacen("\"alice\"", "\"mallory\"", 1)).unwrap();
    assert_eq!(verify(elsewhere.path(), &["part"]).code, Some(1));
    assert!(!by_hand(&part.join("checkpoints"), &files(&part), true).0);
}
