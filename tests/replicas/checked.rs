//! What is wrong with a store is told: by `check --online`, and by a gateway that does not start.

use std::fs;
use std::process::Output;

use portcullis_authentication::storage::redis::testing::TestRedis;
use tempfile::TempDir;

use super::STATE_KEY;
use crate::docs::Document;
use crate::support::program;

pub(super) fn folder(redis: &str, key: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nstate = \"state.db\"\n\n[state]\nkey = {{ file = \"state.key\" }}\n\
         redis = {redis}\n\n[[routes]]\nupstream = \"http://127.0.0.1:1\"\naccess = \"public\"\n"
    );
    fs::write(folder.path().join("portcullis.toml"), text).unwrap();
    for (name, text) in [("state.key", key), ("password", "throw-away")] {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    folder
}

pub(super) fn checked(redis: &str) -> (bool, String) {
    let folder = folder(redis, STATE_KEY);
    let output = program(folder.path(), &["check", "--online", "--config", "portcullis.toml"]);
    (output.status.success(), said(&output))
}

pub(super) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// The line for the access list, as it stands in the document.
pub(super) fn rights() -> Vec<String> {
    let document = Document::read("docs/scaling.md");
    let line = document.text.lines().find(|line| line.starts_with("user portcullis on ")).unwrap().to_owned();
    line.replace("PASSWORD", "throw-away").split(' ').skip(1).map(str::to_owned).collect()
}

pub(super) fn allow(redis: &TestRedis, rights: &[String]) {
    let words = ["ACL", "SETUSER", "portcullis", "reset"].into_iter();
    let words: Vec<_> = words.chain(rights.iter().skip(1).map(String::as_str)).collect();
    assert_eq!(redis.cli(&words), "OK");
}

#[test]
fn the_line_of_the_access_list_is_enough_and_each_right_of_it_is_missed() {
    let redis = TestRedis::with(&["--appendonly", "yes"]);
    let settings = format!(
        "{{ url = \"redis://127.0.0.1:{}\", username = \"portcullis\", password = {{ file = \"password\" }} }}",
        redis.port()
    );
    let rights = rights();
    allow(&redis, &rights);
    let (good, told) = checked(&settings);
    assert!(good && told.contains(": good") && !told.contains("warning"), "{told}");
    for right in rights.iter().filter(|right| right.starts_with('+')) {
        // Another database and a Cluster are not what is tried here.
        if ["+select", "+cluster|slots"].contains(&right.as_str()) {
            continue;
        }
        let others: Vec<_> = rights.iter().filter(|other| *other != right).cloned().collect();
        allow(&redis, &others);
        let (good, told) = checked(&settings);
        assert!(!good && told.contains(right), "{right}: {told}");
    }
    let others: Vec<_> = rights.iter().filter(|other| !other.contains(":rate:")).cloned().collect();
    allow(&redis, &others);
    let (good, told) = checked(&settings);
    assert!(!good && told.contains("~{portcullis:rate:*"), "{told}");
    let wrong = settings.replace("username = \"portcullis\"", "username = \"nobody\"");
    let (good, told) = checked(&wrong);
    assert!(!good && told.contains("user or password is wrong") && !told.contains("throw-away"), "{told}");
}

#[test]
fn a_store_that_throws_away_or_is_not_there_is_told() {
    let redis = TestRedis::with(&["--maxmemory-policy", "allkeys-lru"]);
    let (good, told) = checked(&format!("\"redis://127.0.0.1:{}\"", redis.port()));
    assert!(good && told.contains("allkeys-lru") && told.contains("noeviction"), "{told}");
    assert!(told.contains("appendonly"), "{told}");
    let (good, told) = checked("\"redis://127.0.0.1:1\"");
    assert!(!good && told.contains("127.0.0.1:1") && told.contains("away"), "{told}");
}

/// A ring of keys that opens nothing of what others have sealed.
#[test]
fn a_gateway_with_another_key_does_not_start() {
    let redis = TestRedis::start();
    let settings = format!("\"redis://127.0.0.1:{}\"", redis.port());
    // What the first gateway has made, sealed under its key.
    redis.cli(&["SET", "{portcullis}:key:flow-cookies", "portcullis sealed key 1\\0garbage"]);
    let folder = folder(&settings, STATE_KEY);
    let output = program(folder.path(), &["run", "--config", "portcullis.toml"]);
    assert_eq!(output.status.code(), Some(65), "{}", said(&output));
    assert!(said(&output).contains("no key of `[state] key` opens it"), "{}", said(&output));
    assert!(redis.cli(&["GET", "{portcullis}:key:flow-cookies"]).contains("garbage"), "it stays as it was");
}
