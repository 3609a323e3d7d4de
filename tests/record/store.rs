//! The store of events, which is there without being said: what is asked of it by command and over the management API.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use super::ROUTES;
use crate::support::{Browser, Gateway, World, program, until};

fn folder(gateway: &Gateway) -> PathBuf {
    gateway.directory.path().join("state.db-audit")
}

/// What the command prints, and whether it says that all is well.
fn run(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let output = program(gateway.directory.path(), &[&["events"], arguments].concat());
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&told).into_owned())
}

fn json(gateway: &Gateway, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["events", "--format", "json", "--limit", "100000"], arguments].concat();
    let output = program(gateway.directory.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {told}")))
        .collect()
}

fn files(gateway: &Gateway, end: &str) -> Vec<String> {
    let entries = fs::read_dir(folder(gateway)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(end)).collect()
}

/// Waits until the request with this id is in the store.
fn about(gateway: &Gateway, id: &str) -> Value {
    let found = || json(gateway, &["--id", id]).pop();
    until(&format!("the request {id}"), || found().is_some());
    found().unwrap()
}

#[tokio::test]
async fn what_happened_is_told_by_command_without_anything_being_set_up() {
    let world = World::open(ROUTES).await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/page?secret=1")).await.status, 200);
    let board = browser.get(&gateway.url("/board")).await;
    let refused = about(gateway, board.header("x-request-id"));
    assert_eq!((&refused["user"], &refused["status"]), (&"alice".into(), &403.into()));
    assert!(refused["missing"].to_string().contains("board"), "{refused}");

    assert_eq!(json(gateway, &["--user", "alice", "--outcome", "refused", "--since", "1h"]), [refused]);
    assert_eq!(json(gateway, &["--user", "bob"]), [] as [Value; 0]);
    let signed_in = json(gateway, &["--type", "sign-in.*", "--user", "alice"]);
    assert_eq!(signed_in[0]["type"], "sign-in.succeeded");

    let (_, table) = run(gateway, &["--outcome", "refused", "--route", "board"]);
    assert!(table.starts_with("TIME ") && table.contains("alice") && table.contains("board"), "{table}");
    let (_, csv) = run(gateway, &["--format", "csv", "--type", "sign-in.succeeded"]);
    let heading: Vec<_> = csv.lines().next().unwrap().split(',').collect();
    let user = heading.iter().position(|name| *name == "user").unwrap();
    assert_eq!(csv.lines().nth(1).unwrap().split(',').nth(user), Some("alice"), "{csv}");

    let (good, told) = run(gateway, &["--status", "many"]);
    assert!(!good && told.contains("such as 404"), "{told}");
    let folder = folder(gateway);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for file in files(gateway, "") {
        let mode = fs::metadata(folder.join(&file)).unwrap().permissions().mode() & 0o777;
        assert!(mode & 0o077 == 0, "{file} {mode:o}");
    }
}

#[tokio::test]
async fn the_management_api_tells_the_same_and_who_asked() {
    let world = World::open(ROUTES).await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let board = browser.get(&gateway.url("/board")).await;
    about(gateway, board.header("x-request-id"));
    let (_, told) = run(gateway, &["--outcome", "refused", "--user", "alice", "--format", "json"]);
    let socket = gateway.directory.path().join("admin.sock");
    let call = |query: &str| {
        let address = format!("http://localhost/api/v1/events?{query}");
        let output = std::process::Command::new("curl")
            .args(["--silent", "--unix-socket", socket.to_str().unwrap(), &address])
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let list = call("outcome=refused&user=alice");
    let expected: Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!(list["events"], Value::Array(vec![expected]));
    let first = call("limit=1");
    let next = first["next"].as_str().unwrap();
    let second = call(&format!("limit=1&after={next}"));
    assert_ne!(first["events"][0]["event"], second["events"][0]["event"]);
    assert_eq!(call(&format!("after={next}&user=alice"))["status"], 400, "of another question");
    let asked = || json(gateway, &["--type", "record.read"]);
    until("who asked", || asked().iter().any(|event| event["reason"] == "outcome, user"));
    // Commands read files, and say so.
    until("a command", || asked().iter().any(|event| event["reason"] == "events, by command: type"));
    let by = ["list-events", "note-reading"].map(Value::from);
    assert!(asked().iter().all(|event| by.contains(&event["operation"])));
    let _ = Method::GET;
}

/// Whatever the store has told once is told after each crash.
#[tokio::test]
async fn invariant_28_what_the_store_has_told_outlives_crashes() {
    let mut world = World::open(ROUTES).await;
    let browser = Browser::new();
    assert_eq!(browser.visit(&world.gateway.url("/")).await.status, 200);
    let mut told = HashSet::new();
    for round in 0..4 {
        // The first ten of a minute have a row each, the others share one.
        let mut asked = HashSet::new();
        for n in 0..20 {
            let answer = browser.get(&world.gateway.url(&format!("/board/{round}/{n}"))).await;
            asked.insert(answer.header("x-request-id").to_owned());
        }
        let is_asked = |event: &Value| event["id"].as_str().is_some_and(|id| asked.contains(id));
        until("ten of them", || {
            json(&world.gateway, &["--route", "board"]).iter().filter(|event| is_asked(event)).count() >= 10
        });
        let events = json(&world.gateway, &[]);
        world.gateway.kill();
        told.extend(events.iter().map(|event| event["event"].to_string()));
        let left = json(&world.gateway, &[]);
        world.gateway.start_again();
        let after: HashSet<_> =
            json(&world.gateway, &[]).iter().map(|event| event["event"].to_string()).collect();
        let missing: Vec<_> = told.iter().filter(|id| !after.contains(*id)).collect();
        assert!(missing.is_empty(), "round {round}: {missing:?}");
        assert!(left.len() >= events.len(), "while nobody runs, too");
    }
    until("what was left behind to be closed", || {
        files(&world.gateway, ".open").len() == 1 && files(&world.gateway, ".seg").len() == 4
    });
    world.gateway.restart();
    let after: HashSet<_> =
        json(&world.gateway, &[]).iter().map(|event| event["event"].to_string()).collect();
    assert!(told.is_subset(&after));
}

#[tokio::test]
async fn nothing_is_kept_where_nothing_is_to_be_kept() {
    let world = World::at("http://127.0.0.1:{port}", "", "[audit]\nstore = false\n\n", ROUTES).await;
    assert_eq!(Browser::new().visit(&world.gateway.url("/")).await.status, 200);
    assert!(!folder(&world.gateway).exists());
    let (good, told) = run(&world.gateway, &[]);
    assert!(!good && told.contains("has no store of events"), "{told}");
}

#[tokio::test]
async fn a_process_that_takes_over_writes_beside_the_one_that_ends() {
    let mut world = World::open(ROUTES).await;
    let browser = Browser::new();
    let before = browser.get(&world.gateway.url("/before")).await.header("x-request-id").to_owned();
    about(&world.gateway, &before);
    let mut old = world.gateway.take_over();
    until("the old one to end", || old.ended().is_some());
    let after = browser.get(&world.gateway.url("/after")).await.header("x-request-id").to_owned();
    about(&world.gateway, &after);
    about(&world.gateway, &before);
    let started = json(&world.gateway, &["--type", "process.*"]);
    assert!(started.iter().any(|event| event["type"] == "process.took-over"), "{started:?}");
}
