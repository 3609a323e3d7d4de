//! The store of the real program proves itself, and a running gateway finds by itself what was done to its record.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use super::chain::{ask, assert_whole, verify, world};
use crate::support::{Browser, Gateway, program, until, until_async};

fn segments(gateway: &Gateway) -> Vec<PathBuf> {
    let folder = gateway.directory.path().join("state.db-audit");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "seg"));
    files.sort();
    files
}

/// Changes the status of the first refusal in a segment; gives its event.
fn change(segment: &PathBuf) -> String {
    let store = Connection::open(segment).unwrap();
    let find = "SELECT n, id FROM event WHERE status IS NOT NULL ORDER BY n LIMIT 1";
    let (row, id): (i64, i64) = store.query_row(find, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(store.execute("UPDATE event SET status = 418 WHERE n = ?1", [row]).unwrap(), 1);
    let name = segment.file_name().unwrap().to_string_lossy().into_owned();
    let process = name.trim_end_matches(".seg").split_once('-').unwrap().1.to_owned();
    format!("{process}-{}-{}", id >> 48, id & ((1 << 48) - 1))
}

fn stores(report: &Value) -> Vec<&Value> {
    let chains = report["chains"].as_array().unwrap();
    chains.iter().filter(|chain| chain["kind"] == "store").collect()
}

#[tokio::test]
async fn invariant_28_the_store_proves_itself_and_whoever_changes_it_is_found_at_the_event() {
    let mut world = world().await;
    ask(&world.gateway, "/first/", 30).await;
    world.gateway.kill();
    world.gateway.start_again();
    ask(&world.gateway, "/second/", 30).await;
    let folder = world.gateway.directory.path().to_owned();
    let report = assert_whole(&folder, &[]);
    assert_eq!(stores(&report).len(), 2, "one of the process that was killed: {report:#}");
    world.gateway.signal("TERM");
    world.gateway.wait();
    let report = assert_whole(&folder, &[]);
    // That of the killed process is closed, and its end signed, by whoever looks after the folder next.
    let segment = segments(&world.gateway).pop().unwrap();
    let name = segment.file_name().unwrap().to_string_lossy().into_owned();
    let of_last =
        stores(&report).into_iter().find(|chain| chain["files"][0] == name.as_str()).unwrap().clone();
    assert!(of_last["unproved"] == 0 && of_last["lines"].as_u64() > Some(5), "the end is signed: {report:#}");
    assert_whole(&folder, &["state.db-audit", "--checkpoint", "state.db-checkpoints"]);

    let before = fs::read(&segment).unwrap();
    let event = change(&segment);
    let verified = verify(&folder, &[]);
    let found = &verified.report["findings"];
    assert!(verified.code == Some(1) && verified.whats().contains(&("changed".to_owned(), name.clone())));
    assert!(found.as_array().unwrap().iter().any(|found| found["event"] == event.as_str()), "{found:#}");
    let human = String::from_utf8(program(&folder, &["audit", "verify"]).stdout).unwrap();
    assert!(human.contains(&format!("(event {event})")), "{human}");
    fs::remove_file(&segment).unwrap();
    assert!(verify(&folder, &[]).whats().contains(&("missing".to_owned(), name)));
    fs::write(&segment, before).unwrap();
    assert_whole(&folder, &[]);
}

async fn page(gateway: &Gateway, path: &str) -> String {
    Browser::new().get(&gateway.admin_url(path)).await.body
}

#[tokio::test]
async fn invariant_28_a_gateway_finds_by_itself_what_was_done_to_its_record_and_says_so() {
    let mut world = world().await;
    ask(&world.gateway, "/first/", 5).await;
    until_async("a first verification", || async {
        page(&world.gateway, "/metrics").await.contains("portcullis_record_findings 0")
    })
    .await;
    assert!(!page(&world.gateway, "/readyz").await.contains("record"));
    world.gateway.signal("TERM");
    world.gateway.wait();
    let event = change(&segments(&world.gateway)[0]);
    world.gateway.start_again();
    until_async("what was done to be found", || async {
        page(&world.gateway, "/metrics")
            .await
            .lines()
            .any(|line| line.strip_prefix("portcullis_record_findings ").is_some_and(|found| found != "0"))
    })
    .await;
    let ready = page(&world.gateway, "/readyz").await;
    assert!(ready.contains("record") && ready.contains("not as it was written"), "{ready}");
    let told = || super::of(&world.gateway, "record.altered");
    until("the event of what was found", || {
        told().iter().any(|told| told["reason"].to_string().contains(&event))
    });
    assert!(told().iter().all(|told| told["count"].as_u64() >= Some(1)), "{:?}", told());
}
