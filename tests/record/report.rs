//! Reports of what a gateway has recorded, by command.

use std::process::Command;

use serde_json::Value;

use super::ROUTES;
use crate::support::{Browser, Gateway, World, logged, program, until};

fn run(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let output = program(gateway.directory.path(), &[&["report"], arguments].concat());
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&told).into_owned())
}

fn rows(gateway: &Gateway, report: &str) -> Vec<Value> {
    let (good, told) = run(gateway, &[report, "--since", "1h", "--format", "json"]);
    assert!(good, "{told}");
    let report: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    report["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_came_who_was_refused_and_who_may_go_where_is_told_by_command() {
    let world = World::open(ROUTES).await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/page")).await.status, 200);
    for _ in 0..3 {
        assert_eq!(browser.get(&gateway.url("/board")).await.status, 403);
    }
    until("the refusals", || {
        rows(gateway, "refusals").iter().any(|row| row["times"] == 3 && row["app"] == "board")
    });
    let signed_in: u64 = rows(gateway, "sign-ins").iter().map(|row| row["signed in"].as_u64().unwrap()).sum();
    assert_eq!(signed_in, 1);
    let people = rows(gateway, "people");
    assert_eq!((&people[0]["person"], &people[0]["refused"]), (&"alice".into(), &3.into()), "{people:?}");
    // A record holds no groups: whether she is of those who may is unknown, and is not no.
    // What goes on is told at its end, or a minute later.
    assert_eq!(browser.submit(&gateway.url("/.portcullis/sign-out"), "").await.status, 200);
    until("what she used", || {
        rows(gateway, "access-review")
            .iter()
            .any(|row| row["app"] == "wiki" && row["times used"].as_u64() > Some(0))
    });
    let review = rows(gateway, "access-review");
    let may = |app: &str| review.iter().find(|row| row["app"] == app).map(|row| row["may"].clone());
    assert_eq!(may("board"), Some("unknown".into()), "{review:?}");
    let wiki = review.iter().find(|row| row["app"] == "wiki").unwrap();
    assert!(wiki["times used"].as_u64() > Some(0) && wiki["person"] == "alice", "{wiki}");

    let (good, csv) = run(gateway, &["people", "--format", "csv", "--without-names"]);
    assert!(good && csv.starts_with("person,provider,") && !csv.contains("alice"), "{csv}");
    let (good, page) = run(gateway, &["apps", "--format", "html", "--zone", "Europe/Berlin"]);
    assert!(good && page.contains("<table>") && page.contains("Europe/Berlin"), "{page}");
    let (good, told) = run(gateway, &["apps", "--zone", "Europe/Berlim"]);
    assert!(!good && told.contains("no time zone"), "{told}");
}

/// A call on the socket: its status and media type, and what it says.
fn call(gateway: &Gateway, path: &str, more: &[&str]) -> (String, String) {
    let socket = gateway.directory.path().join("admin.sock");
    let output = Command::new("curl")
        .args(["-s", "-w", "\\n%{http_code} %{content_type}", "--unix-socket"])
        .arg(socket)
        .args(more)
        .arg(format!("http://localhost/api/v1/{path}"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let (body, answer) = told.rsplit_once('\n').unwrap();
    (answer.to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_report_is_called_for_and_the_call_is_in_the_record() {
    let world = World::open(ROUTES).await;
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/page")).await.status, 200);
    let report = |query: &str| call(gateway, &format!("reports/sign-ins?since=1h{query}"), &[]);
    let signed_in = |query: &str| {
        let (answer, told) = report(query);
        assert_eq!(answer, "200 application/json", "{told}");
        let told: Value = serde_json::from_str(&told).unwrap();
        told["rows"].as_array().unwrap().iter().map(|row| row["signed in"].as_u64().unwrap()).sum::<u64>()
    };
    until("the sign-in", || signed_in("") == 1);
    assert_eq!(signed_in("&user=mallory&provider=corp&names=false"), 0);
    for (format, media_type) in [("csv", "text/csv"), ("html", "text/html"), ("table", "text/plain")] {
        let (answer, told) = report(&format!("&format={format}"));
        assert_eq!(answer, format!("200 {media_type}; charset=utf-8"), "{told}");
    }
    // By which names was asked is told, and not for whom.
    let line: Value = serde_json::from_str(&logged(gateway, "sign-ins, user, provider")).unwrap();
    assert_eq!((&line["type"], &line["operation"]), (&"record.read".into(), &"show-report".into()), "{line}");
    assert!(line["operator"].as_str().unwrap().starts_with("uid ") && !gateway.log().contains("mallory"));
    // A command tells of itself.
    let (good, told) = run(gateway, &["people", "--user", "mallory"]);
    assert!(good, "{told}");
    let line: Value = serde_json::from_str(&logged(gateway, "report people, by command: user")).unwrap();
    assert_eq!(
        (&line["type"], &line["operation"]),
        (&"record.read".into(), &"note-reading".into()),
        "{line}"
    );
}

#[test]
fn what_cannot_be_called_for_is_told_as_a_problem() {
    let gateway = Gateway::start("");
    let note = |body: &str| {
        call(&gateway, "record/readings", &["-H", "content-type: application/json", "-d", body]).0
    };
    for (path, status) in [
        ("reports/nothing", 404),
        ("reports/", 404),
        ("reports/people/x", 404),
        ("reports/people?since=moon", 400),
        ("reports/people?zone=Berlin", 400),
        ("reports/people?format=pdf", 400),
        ("reports/people?names=perhaps", 400),
        ("reports/people?user=a&user=b", 400),
        ("reports/people?user=", 400),
    ] {
        let (answer, told) = call(&gateway, path, &[]);
        assert_eq!(answer, format!("{status} application/problem+json"), "{path}: {told}");
    }
    assert!(call(&gateway, "reports/people", &["-X", "POST"]).0.starts_with("405 "));
    for wrong in ["{}", "{\"command\":\"\"}", "{\"command\":\"a\\u001b\"}", "{\"command\":\"a\",\"x\":1}"] {
        assert!(note(wrong).starts_with("400 "), "{wrong}");
    }
}
