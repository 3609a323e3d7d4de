//! What the record has of one person: told, given to them, and erased for good.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use serde_json::Value;

use super::{ROUTES, SINK};
use crate::support::{Answer, Browser, Gateway, World, program, until, until_async};

const SECRET_PATH: &str = "/a-path-that-tells-something";

fn store(gateway: &Gateway) -> PathBuf {
    gateway.directory.path().join("state.db-audit")
}

/// What the command says, and whether it says that all is well.
fn run(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let output = program(gateway.directory.path(), &[&["audit", "person"], arguments].concat());
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&told).into_owned())
}

fn good(gateway: &Gateway, arguments: &[&str]) -> String {
    let (success, told) = run(gateway, arguments);
    assert!(success, "{told}");
    told
}

fn json(gateway: &Gateway, arguments: &[&str]) -> Value {
    let output =
        program(gateway.directory.path(), &[&["audit", "person", "--format", "json"], arguments].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// All events that the store tells, as `portcullis events` does.
fn events(gateway: &Gateway, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["events", "--format", "json", "--limit", "100000"], arguments].concat();
    let output = program(gateway.directory.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Waits until the request of this answer is in the store.
fn is_kept(gateway: &Gateway, answer: &Answer) {
    until("the request", || !events(gateway, &["--id", answer.header("x-request-id")]).is_empty());
}

/// Somebody who has signed in and was refused once; their subject.
async fn alice(world: &World) -> (Browser, String) {
    let (gateway, browser) = (&world.gateway, Browser::new());
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    let board = browser.get(&gateway.url(&format!("/board{SECRET_PATH}"))).await;
    is_kept(gateway, &board);
    let signed_in = events(gateway, &["--type", "sign-in.succeeded", "--user", "alice"]);
    (browser, signed_in[0]["subject"].as_str().unwrap().to_owned())
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The files in the store's folder that have these bytes.
fn holders(gateway: &Gateway, bytes: &[u8]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&store(gateway), &mut all);
    all.retain(|file| {
        let content = fs::read(file).unwrap_or_default();
        content.windows(bytes.len()).any(|part| part == bytes)
    });
    all
}

/// The key that is kept of a person, as it lies in the file.
fn key(gateway: &Gateway, person: &str) -> Vec<u8> {
    let people = rusqlite::Connection::open(store(gateway).join("people.db")).unwrap();
    let sql = "SELECT key FROM person WHERE lower(hex(pseudonym)) = ?1";
    people.query_row(sql, [person], |row| row.get(0)).unwrap()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

async fn world() -> World {
    World::at("http://127.0.0.1:{port}", "", SINK, ROUTES).await
}

fn tells_nothing_of(gateway: &Gateway, subject: &str) {
    let all = serde_json::to_string(&events(gateway, &[])).unwrap();
    for personal in ["alice", subject, SECRET_PATH] {
        assert!(!all.contains(personal), "{personal}: {all}");
    }
    let (_, people) =
        (run(gateway, &[]), program(gateway.directory.path(), &["report", "people", "--since", "1d"]));
    let people = String::from_utf8(people.stdout).unwrap();
    assert!(!people.contains("alice") && people.contains("erased person "), "{people}");
}

#[tokio::test]
async fn invariant_27_an_erased_person_is_readable_nowhere_and_no_restore_changes_that() {
    let mut world = world().await;
    let (browser, subject) = alice(&world).await;
    let gateway = &world.gateway;
    let backups = tempfile::tempdir().unwrap();
    let person = json(gateway, &["--subject", &subject])["people"][0].clone();
    let digest = person["person"].as_str().unwrap().to_owned();
    let (secret, before) = (key(gateway, &digest), events(gateway, &[]).len());
    assert!(!holders(gateway, &secret).is_empty());
    program(gateway.directory.path(), &["backup", "one.backup"]);
    copy(&store(gateway), backups.path());

    let (done, told) = run(gateway, &["--subject", &subject, "--erase", "--yes"]);
    assert!(!done && told.contains("1 sign-ins") && told.contains("--end-sessions"), "{told}");
    let (done, told) = run(gateway, &["--subject", &subject, "--erase", "--end-sessions"]);
    assert!(!done && told.contains("--yes"), "nobody is asked: {told}");
    assert!(!holders(gateway, &secret).is_empty(), "nothing has been done by now");
    let told =
        good(gateway, &["--subject", &subject, "--erase", "--end-sessions", "--yes", "--reason", "art. 17"]);
    assert!(told.contains("1 sign-ins were ended") && told.contains("file (file, "), "{told}");
    assert_eq!(holders(gateway, &secret), [] as [PathBuf; 0]);
    assert_eq!(browser.get(&gateway.url("/")).await.status, 302, "signed out");
    until("its event", || !events(gateway, &["--type", "person.erased"]).is_empty());
    let erased = &events(gateway, &["--type", "person.erased"])[0];
    assert_eq!(
        (&erased["person"], &erased["reason"]),
        (&digest.as_str().into(), &"art. 17".into()),
        "{erased}"
    );
    tells_nothing_of(gateway, &subject);
    assert!(events(gateway, &[]).len() >= before, "what happened is told, and not by whom");
    let (done, told) = run(gateway, &["--subject", &subject]);
    assert!(!done && told.contains("erased up to") && told.contains(&digest), "{told}");

    // The folder is put back as it was, and the state file with it.
    world.gateway.kill();
    fs::remove_dir_all(store(&world.gateway)).unwrap();
    copy(&backups.path().join("state.db-audit"), world.gateway.directory.path());
    let restored = program(world.gateway.directory.path(), &["restore", "one.backup"]);
    assert!(restored.status.success());
    assert!(!holders(&world.gateway, &secret).is_empty(), "the key came back");
    tells_nothing_of(&world.gateway, &subject);
    world.gateway.start_again();
    assert_eq!(holders(&world.gateway, &secret), [] as [PathBuf; 0]);
    tells_nothing_of(&world.gateway, &subject);
}

/// The list goes along with a backup, to a machine where a store from before is put back.
#[tokio::test]
async fn invariant_27_a_backup_takes_the_list_of_erasures_along() {
    let mut world = world().await;
    let (_browser, subject) = alice(&world).await;
    let old = tempfile::tempdir().unwrap();
    copy(&store(&world.gateway), old.path());
    good(&world.gateway, &["--subject", &subject, "--erase", "--end-sessions", "--yes"]);
    program(world.gateway.directory.path(), &["backup", "late.backup"]);
    world.gateway.kill();
    let folder = world.gateway.directory.path().to_owned();
    fs::remove_dir_all(store(&world.gateway)).unwrap();
    fs::remove_file(folder.join("state.db-audit-erased")).unwrap();
    copy(&old.path().join("state.db-audit"), &folder);
    assert!(
        serde_json::to_string(&events(&world.gateway, &[])).unwrap().contains(&subject),
        "nobody knows yet"
    );
    assert!(program(&folder, &["restore", "late.backup"]).status.success());
    tells_nothing_of(&world.gateway, &subject);
    world.gateway.start_again();
    tells_nothing_of(&world.gateway, &subject);
}

#[tokio::test]
async fn what_the_record_has_of_somebody_is_given_to_them_whole() {
    let world = world().await;
    let (_browser, subject) = alice(&world).await;
    let gateway = &world.gateway;
    let told = good(gateway, &["--subject", &subject, "--export", "-o", "for-alice"]);
    assert!(told.contains("for-alice: "), "{told}");
    let folder = gateway.directory.path().join("for-alice");
    let readme = fs::read_to_string(folder.join("README.txt")).unwrap();
    assert!(readme.contains(&subject) && readme.contains("subject (personal): The person's"), "{readme}");
    let lines = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let given: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(given.iter().all(|event| event["subject"] == *subject), "{lines}");
    assert!(lines.contains(SECRET_PATH) && lines.contains("sign-in.succeeded"), "{lines}");
    let theirs = events(gateway, &["--user", "alice"]);
    let is_theirs = |event: &Value| theirs.iter().any(|own| own["event"] == event["event"]);
    assert!(given.len() > 3 && given.iter().all(is_theirs), "{given:?}");
    let (done, told) = run(gateway, &["--subject", &subject, "--export", "-o", "for-alice"]);
    assert!(!done && told.contains("for-alice"), "nothing is written over: {told}");
    let printed = program(gateway.directory.path(), &["audit", "person", "--subject", &subject, "--export"]);
    assert!(String::from_utf8(printed.stdout).unwrap().lines().count() >= given.len());
    // That it was given is known when they are to be erased.
    let received = json(gateway, &["--subject", &subject])["people"][0]["received"].clone();
    let names: Vec<_> = received.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["log", "file", "audit person --export", "audit person --export", "audit person --export"]
    );
    assert!(received.to_string().contains("/for-alice"), "{received}");
    let (done, told) = run(gateway, &["--subject", "nobody-at-all", "--export"]);
    assert!(!done && told.contains("nothing of this subject"), "{told}");
}

/// A sink that is no more has what it got.
#[tokio::test]
async fn sinks_that_were_removed_are_told_of_and_pseudonyms_are_found_again() {
    let world = world().await;
    let (browser, subject) = alice(&world).await;
    let gateway = &world.gateway;
    gateway.rewrite(SINK, &SINK.replace("kind = \"file\"\n", "kind = \"file\"\npersonal = \"pseudonyms\"\n"));
    let answer = browser.get(&gateway.url("/after")).await;
    let file = gateway.directory.path().join("events.jsonl");
    let line = |id: &str| {
        let text = fs::read_to_string(&file).unwrap();
        text.lines().find(|line| line.contains(id) && line.contains("access.granted")).map(str::to_owned)
    };
    until("its line", || line(answer.header("x-request-id")).is_some());
    let line: Value = serde_json::from_str(&line(answer.header("x-request-id")).unwrap()).unwrap();
    let person = json(gateway, &["--subject", &subject])["people"][0].clone();
    assert_eq!(
        (&line["subject"], &line["user"]),
        (&person["pseudonyms"]["subject"], &person["pseudonyms"]["user"])
    );
    assert!(line["client"].as_str().unwrap().starts_with("fd04:"), "{line}");
    let sinks: Vec<_> =
        person["received"].as_array().unwrap().iter().filter(|it| it["name"] == "file").collect();
    assert!(
        sinks.len() == 1
            && sinks[0]["until"].is_string()
            && sinks[0]["fields"].to_string().contains("subject")
    );
    let verified = program(gateway.directory.path(), &["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[tokio::test]
async fn the_management_api_says_who_is_meant_and_erases_nobody_by_mistake() {
    let world = world().await;
    let (_browser, subject) = alice(&world).await;
    let gateway = &world.gateway;
    let socket = gateway.directory.path().join("admin.sock");
    let call = |target: &str, body: Option<&str>| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--unix-socket",
            socket.to_str().unwrap(),
            &format!("http://localhost{target}"),
        ]);
        if let Some(body) = body {
            curl.args(["--header", "content-type: application/json", "--data", body]);
        }
        serde_json::from_slice::<Value>(&curl.output().unwrap().stdout).unwrap()
    };
    let find = |query: &str| call(&format!("/api/v1/people?{query}"), None);
    let long = "x".repeat(257);
    for bad in
        ["", "subject=", "subject=a%0ab", "provider=corp", &format!("subject={long}"), "subject=a&user=b"]
    {
        assert_eq!(find(bad)["status"], 400, "{bad}");
    }
    let hostile = find("subject=%27%3B+DROP+TABLE+person%3B--%E2%80%AE");
    assert_eq!(hostile, serde_json::json!({ "people": [], "erased": [] }));
    let erase = |body: &str| call("/api/v1/people/erase", Some(body))["status"].clone();
    for (body, status) in [
        ("{}", 400),
        ("{\"subject\":\"\"}", 400),
        ("{\"subject\":\"nobody\"}", 404),
        ("{\"subject\":\"alice\",\"provider\":\"other\",\"end_sessions\":true}", 404),
        ("{\"subject\":\"x\",\"all\":true}", 400),
        ("{\"subject\":\"x\",\"reason\":\"a\\u0000\"}", 400),
    ] {
        assert_eq!(erase(body), status, "{body}");
    }
    assert_eq!(erase(&format!("{{\"subject\":\"{subject}\"}}")), 409, "they are signed in");
    assert_eq!(find(&format!("subject={subject}&provider=corp"))["people"].as_array().unwrap().len(), 1);
    assert_eq!(find(&format!("subject={subject}&provider=other"))["people"], serde_json::json!([]));
    let asked = || events(gateway, &["--type", "management.called"]);
    until("its record", || asked().iter().filter(|event| event["operation"] == "erase-person").count() == 7);
    assert!(
        !serde_json::to_string(&asked()).unwrap().contains(&subject),
        "whom it was about stays out of it"
    );
    let _ = Method::GET;
}

/// Whoever comes back is somebody new, and what is kept of them from then on can be read.
#[tokio::test]
async fn whoever_signs_in_again_after_they_were_erased_is_somebody_new() {
    let world = world().await;
    let (_browser, subject) = alice(&world).await;
    let gateway = &world.gateway;
    let first = json(gateway, &["--subject", &subject])["people"][0]["person"].clone();
    good(gateway, &["--subject", &subject, "--erase", "--end-sessions", "--yes"]);
    until_async("they are known again", || async {
        Browser::new().visit(&gateway.url("/")).await;
        json(gateway, &["--subject", &subject])["people"].as_array().is_some_and(|people| !people.is_empty())
    })
    .await;
    let again = json(gateway, &["--subject", &subject]);
    assert_ne!(again["people"][0]["person"], first);
    assert_eq!(again["erased"][0]["person"], first);
    let told = serde_json::to_string(&events(gateway, &["--user", "alice"])).unwrap();
    assert!(!told.contains(SECRET_PATH), "{told}");
}
