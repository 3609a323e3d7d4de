//! What gateways that share a Redis have signed of their records, each with a chain of its own: one proves the other's.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_authentication::storage::redis::testing::TestRedis;
use serde_json::Value;

use super::Site;
use crate::support::{program, until};

fn checkpoints(folder: &Path) -> PathBuf {
    folder.join("state.db-checkpoints")
}

/// What the command says of a gateway's record, by itself or with the other's word.
fn verify(folder: &Path, witness: Option<&Path>) -> (Option<i32>, Vec<String>) {
    let mut arguments = vec!["audit", "verify", "--format", "json"];
    let path = witness.map(|path| path.to_str().unwrap().to_owned());
    path.iter().for_each(|path| arguments.extend(["--witness", path]));
    let output = program(folder, &arguments);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let whats = findings.iter().map(|finding| finding["what"].as_str().unwrap().to_owned()).collect();
    (output.status.code(), whats)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_28_a_record_that_is_cut_or_begun_anew_is_missed_by_the_other_gateways() {
    let redis = TestRedis::start();
    let at = format!("\"redis://127.0.0.1:{}\"", redis.port());
    let mut site = Site::open(2, &at).await;
    let (_, key) = site.signed_in().await;
    assert_eq!(site.statuses(&key).await, [200; 2]);
    let folders: Vec<_> = site.gateways.iter().map(|gateway| gateway.directory.path().to_owned()).collect();
    // Somebody else's words among theirs, of whatever kind, cost nothing.
    let hostile: Vec<_> = (0..300).map(|n| format!("AAAA 1 {n} AAAA mallory/{n}\nhead x")).collect();
    let add: Vec<_> = hostile.iter().map(|word| vec!["ZADD", "*", "9999999999", word]).collect();
    redis_words(&redis, &add);
    // The one ends, and has signed and told all that it has; the other hears of it, and signs that.
    site.gateways[1].signal("TERM");
    site.gateways[1].wait();
    site.gateways[0].signal("TERM");
    site.gateways[0].wait();
    let tied = fs::read_to_string(checkpoints(&folders[0])).unwrap();
    let origin = fs::read_to_string(checkpoints(&folders[1])).unwrap().lines().next().unwrap().to_owned();
    assert!(tied.contains(&format!("\npeer {origin} ")), "{tied}");
    assert!(!tied.contains("mallory"), "{tied}");
    let witness = checkpoints(&folders[0]);
    assert_eq!(verify(&folders[1], None), (Some(0), Vec::new()));
    assert_eq!(verify(&folders[1], Some(&witness)), (Some(0), Vec::new()));

    // All of it is set back together, checkpoints as well: by itself it is whole.
    let all = fs::read_to_string(checkpoints(&folders[1])).unwrap();
    let notes: Vec<_> = all.split_inclusive("\n\n").collect();
    let words = 2;
    fs::write(checkpoints(&folders[1]), notes[..words].concat()).unwrap();
    let (code, whats) = verify(&folders[1], Some(&witness));
    assert!(code == Some(1) && whats.contains(&"checkpoint-missing".to_owned()), "{whats:?}");
    fs::write(checkpoints(&folders[1]), all).unwrap();
    assert_eq!(verify(&folders[1], Some(&witness)).0, Some(0));

    // Nothing is left of it, and a gateway begins anew there.
    for entry in fs::read_dir(&folders[1]).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("state.db") {
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
    site.gateways[1].start_again();
    site.gateways[1].signal("TERM");
    site.gateways[1].wait();
    until("the new record to be signed", || verify(&folders[1], None) == (Some(0), Vec::new()));
    let (code, whats) = verify(&folders[1], Some(&witness));
    assert!(code == Some(1) && whats.contains(&"checkpoint-missing".to_owned()), "{whats:?}");
}

/// Runs commands against the key of the gateways' words, whose name stands where `*` does.
fn redis_words(redis: &TestRedis, commands: &[Vec<&str>]) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    for command in commands {
        let parts: Vec<_> = command.iter().map(|part| if *part == "*" { KEY } else { part }).collect();
        let mut text = format!("*{}\r\n", parts.len());
        parts.iter().for_each(|part| text += &format!("${}\r\n{part}\r\n", part.len()));
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).unwrap();
        assert_eq!(answer[0], b':', "{}", String::from_utf8_lossy(&answer[..read]));
    }
}

/// What the gateways' words are kept under, where nothing else is said.
const KEY: &str = "{portcullis}:record-heads";
