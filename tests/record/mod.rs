//! What happens, in the files of sinks: the real program, and what is read back from there.

mod chain;
mod delivery;
mod parts;
mod people;
mod person;
mod postgres;
mod report;
mod store;
mod verified;

use std::fs;
use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use crate::support::{Browser, Gateway, World, logged, until};

const SINK: &str = "[[audit.sinks]]\nkind = \"file\"\npath = \"events.jsonl\"\n\n";

const ROUTES: &str = r#"
[policies.staff]
allow = [{ groups = ["staff"] }]

[policies.board]
allow = [{ groups = ["board"] }]

[[routes]]
name = "wiki"
path = "/"
upstream = "{app}"
policy = "staff"

[[routes]]
name = "board"
path = "/board"
upstream = "{app}"
policy = "board"
"#;

fn file(gateway: &Gateway) -> PathBuf {
    gateway.directory.path().join("events.jsonl")
}

/// All events so far, without the lines of the chain. Every line is whole, and JSON.
fn events(gateway: &Gateway) -> Vec<Value> {
    lines(&fs::read_to_string(file(gateway)).unwrap_or_default())
}

/// The whole lines of a file.
fn lines(text: &str) -> Vec<Value> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("event").is_some()).collect()
}

fn of(gateway: &Gateway, kind: &str) -> Vec<Value> {
    events(gateway).into_iter().filter(|event| event["type"] == kind).collect()
}

/// The first event of this kind about the request `id`.
fn about(gateway: &Gateway, kind: &str, id: &str) -> Value {
    let found = || of(gateway, kind).into_iter().find(|event| event["id"] == id);
    until(&format!("{kind} of {id}"), || found().is_some());
    found().unwrap()
}

async fn world() -> World {
    World::at("http://127.0.0.1:{port}", "", SINK, ROUTES).await
}

#[tokio::test]
async fn who_did_what_stands_in_the_file_from_sign_in_to_sign_out() {
    let world = world().await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    let stranger = browser.send(Method::GET, &gateway.url("/page?secret=1"), &[("accept", "*/*")], "").await;
    let refused = about(gateway, "access.refused", stranger.header("x-request-id"));
    assert_eq!((&refused["status"], &refused["outcome"]), (&401.into(), &"unauthenticated".into()));
    assert_eq!((&refused["path"], &refused["route"]), (&"/page".into(), &"wiki".into()));
    assert!(refused.get("user").is_none(), "{refused}");

    let page = browser.visit(&gateway.url("/page?secret=1")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let granted = about(gateway, "access.granted", page.header("x-request-id"));
    let said = |name: &str| granted[name].as_str().unwrap_or_default().to_owned();
    assert_eq!([said("user"), said("provider"), said("auth")], ["alice", "corp", "session"]);
    assert_eq!(
        (said("method"), said("path"), said("outcome")),
        ("GET".into(), "/page".into(), "allowed".into())
    );
    assert!(said("rule").contains("staff") && granted["us"].as_u64().is_some(), "{granted}");
    let signed_in = &of(gateway, "sign-in.succeeded")[0];
    assert_eq!((&signed_in["user"], &signed_in["session"]), (&"alice".into(), &granted["session"]));

    let board = browser.get(&gateway.url("/board")).await;
    let refused = about(gateway, "access.refused", board.header("x-request-id"));
    assert_eq!((&refused["status"], &refused["user"]), (&403.into(), &"alice".into()));
    assert!(refused["missing"].to_string().contains("board"), "{refused}");

    browser.submit(&gateway.url("/.portcullis/sign-out"), "").await;
    until("the end", || !of(gateway, "session.ended").is_empty() && !of(gateway, "signed-out").is_empty());
    let ended = &of(gateway, "session.ended")[0];
    assert_eq!((&ended["session"], &ended["user"]), (&granted["session"], &"alice".into()));
    let text = fs::read_to_string(file(gateway)).unwrap();
    assert!(!text.contains("secret=1"), "no query");
    assert_eq!(of(gateway, "process.started").len(), 1);
}

#[tokio::test]
async fn each_request_leaves_one_event_and_one_line_of_the_log() {
    let world = world().await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    browser.visit(&gateway.url("/")).await;
    let mut ids = Vec::new();
    for n in 0..50 {
        ids.push(browser.get(&gateway.url(&format!("/{n}"))).await.header("x-request-id").to_owned());
    }
    about(gateway, "access.granted", ids.last().unwrap());
    let all = events(gateway);
    for id in &ids {
        assert_eq!(all.iter().filter(|event| event["id"] == **id).count(), 1, "{id}");
        until("its line", || gateway.log().contains(id));
        assert_eq!(gateway.log().lines().filter(|line| line.contains(id)).count(), 1, "{id}");
    }
    let mut numbers: Vec<_> = all.iter().map(|event| event["event"].to_string()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all.len(), "each has a number of its own");
}

/// What is hostile in a path, a name or a field stays inert in the line.
#[tokio::test]
async fn invariant_28_hostile_values_stay_in_their_line() {
    let world = world().await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    let path = "/%E2%80%AE%22%7D%7B%22type%22%3A%22forged%22";
    let answer = browser.send(Method::GET, &gateway.url(path), &[("user-agent", "\u{202e}evil")], "").await;
    let event = about(gateway, "access.refused", answer.header("x-request-id"));
    assert!(event["path"].as_str().unwrap().contains("%E2%80%AE"), "{event}");
    assert!(of(gateway, "forged").is_empty());
    let long = format!("/{}", "a".repeat(7000));
    let answer = browser.get(&gateway.url(&long)).await;
    let event = about(gateway, "access.refused", answer.header("x-request-id"));
    assert!(event["path"].as_str().unwrap().len() < 2100 && event["truncated"].to_string().contains("path"));
    let text = fs::read_to_string(file(gateway)).unwrap();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)));
}

#[tokio::test]
async fn a_reload_tells_what_it_changed_and_changes_who_keeps_it() {
    let world = world().await;
    let gateway = &world.gateway;
    gateway.rewrite("kind = \"file\"\n", "kind = \"file\"\nexcept = \"access.*\"\n");
    until("the change", || !of(gateway, "configuration.changed").is_empty());
    let changed = &of(gateway, "configuration.changed")[0];
    assert!(changed["changes"].to_string().contains("audit.sinks[0].except"), "{changed}");
    let answer = Browser::new().get(&gateway.url("/")).await;
    // The other sink has it: it has come so far before the next change.
    logged(gateway, answer.header("x-request-id"));
    gateway.rewrite("except = \"access.*\"\n", "");
    let after = Browser::new().get(&gateway.url("/")).await;
    about(gateway, "access.refused", after.header("x-request-id"));
    let id = answer.header("x-request-id");
    let kept = events(gateway).into_iter().find(|event| event["id"] == id && event["outcome"].is_string());
    assert_eq!(kept, None, "it was not to be kept");
}

/// What the console or the rules refuse is told as refused, with nothing of the rule that let somebody come so far.
#[tokio::test]
async fn what_is_refused_behind_the_rules_is_no_grant() {
    let limited = ROUTES.replace(
        "name = \"board\"",
        "name = \"board\"\nlimits = { per = \"principal\", rate = \"1/h\", burst = 1 }",
    );
    let world = World::at(
        "http://127.0.0.1:{port}",
        "",
        SINK,
        &limited.replace("groups = [\"board\"]", "groups = [\"staff\"]"),
    )
    .await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/board")).await.status, 200);
    let over = browser.get(&gateway.url("/board")).await;
    assert_eq!(over.status, 429);
    let event = about(gateway, "access.refused", over.header("x-request-id"));
    assert!(event["outcome"] == "limited" && event.get("rule").is_none(), "{event}");
}

/// A file with faults is refused before anything is opened, and that is told too.
#[tokio::test]
async fn a_configuration_that_is_refused_is_told() {
    let world = world().await;
    let gateway = &world.gateway;
    let text = fs::read_to_string(gateway.configuration()).unwrap();
    fs::write(gateway.configuration(), text.replace("policy = \"staff\"", "policy = \"nobody\"")).unwrap();
    gateway.signal("HUP");
    until("the refusal", || !of(gateway, "configuration.refused").is_empty());
}

/// What was on disk before the process was killed is whole, and the next one goes on behind it.
#[tokio::test]
async fn what_is_written_outlives_the_process() {
    let mut world = world().await;
    let before = Browser::new().get(&world.gateway.url("/before")).await;
    about(&world.gateway, "access.refused", before.header("x-request-id"));
    world.gateway.kill();
    world.gateway.start_again();
    let after = Browser::new().get(&world.gateway.url("/after")).await;
    about(&world.gateway, "access.refused", after.header("x-request-id"));
    about(&world.gateway, "access.refused", before.header("x-request-id"));
    assert_eq!(of(&world.gateway, "process.started").len(), 2);
}

/// A link of an invitation is a secret: it stands in no sink, no log and no trace.
#[tokio::test]
async fn invariant_15_masked_segments_stand_nowhere() {
    let routes = ROUTES.replace("name = \"wiki\"", "name = \"wiki\"\nmask_path = \"/invite/{}\"");
    let world = World::at("http://127.0.0.1:{port}", "", SINK, &routes).await;
    let (gateway, browser) = (&world.gateway, world.signed_in().await);
    let mut last = browser.get(&gateway.url("/invite")).await;
    for path in [
        "/invite/s3cret",
        "/INVITE/s3cret/x",
        "//invite/s3cret",
        "/invite%2Fs3cret",
        "/invite;a/s3cret?s3cret",
    ] {
        last = browser.get(&gateway.url(path)).await;
        about_any(gateway, last.header("x-request-id"));
    }
    let anonymous = Browser::new().get(&gateway.url("/invite/s3cret")).await;
    about(gateway, "access.refused", anonymous.header("x-request-id"));
    until("their lines", || gateway.log().contains(anonymous.header("x-request-id")));
    let text = fs::read_to_string(file(gateway)).unwrap();
    assert!(!text.contains("s3cret") && text.contains("\"path\":\"/invite/{}\""), "{text}");
    assert!(!gateway.log().contains("s3cret"), "{}", gateway.log());
    assert!(!last.header("x-request-id").is_empty());
}

/// The event of a request, however it ended.
fn about_any(gateway: &Gateway, id: &str) {
    until(&format!("the event of {id}"), || events(gateway).iter().any(|event| event["id"] == id));
}
