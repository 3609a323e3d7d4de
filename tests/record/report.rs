//! Reports of what a gateway has recorded, by command.

use serde_json::Value;

use super::ROUTES;
use crate::support::{Browser, Gateway, World, program, until};

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
