//! A state file that cannot be used is said to be so, and left as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Browser, Gateway, free_port, program, until, until_async};

const REST: &str = "[admin]\nlisten = \"127.0.0.1:{admin}\"\n\n[[routes]]\nname = \"open\"\nupstream = \"http://127.0.0.1:9\"\naccess = \"public\"\n";

/// A place for a gateway, with a state file of these bytes.
fn place(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let text = format!("[server]\nlisten = \"127.0.0.1:{}\"\nstate = \"state.db\"\n\n{REST}", free_port());
    fs::write(directory.path().join("portcullis.toml"), text.replace("{admin}", &free_port().to_string()))
        .unwrap();
    let state = directory.path().join("state.db");
    fs::write(&state, bytes).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o600)).unwrap();
    (directory, state)
}

/// Does not start, names the file and `why`, and does not touch it.
fn refuses(directory: &Path, state: &Path, why: &str) {
    let before = fs::read(state).unwrap();
    let ended = program(directory, &["run", "--config", "portcullis.toml"]);
    assert_eq!(ended.status.code(), Some(65), "systemd shall not try again with {why}");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(said.contains("state.db") && said.contains(why), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(fs::read(state).unwrap(), before, "the file is as it was");
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_none_and_left_alone() {
    let (directory, state) = place(b"these are my holiday pictures, not a database of any kind at all");
    refuses(directory.path(), &state, "is not a database");
}

/// A state file as the gateway makes it.
fn made() -> (TempDir, PathBuf) {
    let (directory, state) = place(b"");
    let connection = rusqlite::Connection::open(&state).unwrap();
    connection
        .execute_batch("PRAGMA application_id = 0x50727463; PRAGMA user_version = 9999; CREATE TABLE x (y)")
        .unwrap();
    (directory, state)
}

#[test]
fn a_file_of_a_newer_gateway_is_said_to_be_newer_and_left_alone() {
    let (directory, state) = made();
    refuses(directory.path(), &state, "newer gateway");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let (directory, state) = place(b"");
    rusqlite::Connection::open(&state).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    refuses(directory.path(), &state, "another application");
}

#[test]
fn a_torn_file_is_said_to_be_torn_and_left_alone() {
    let (directory, state) = made();
    let mut bytes = fs::read(&state).unwrap();
    bytes.truncate(bytes.len() / 2 + 100);
    bytes[100..].fill(0xaa);
    fs::write(&state, bytes).unwrap();
    refuses(directory.path(), &state, "state file");
}

#[test]
fn a_file_that_everybody_can_read_is_not_trusted() {
    let (directory, state) = place(b"");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o644)).unwrap();
    refuses(directory.path(), &state, "chmod 600");
}

/// The state file of the first version: its tables, and one key that apps know.
const FIRST: &str = include_str!("../crates/authentication/src/storage/migrations/0001_server_keys.sql");

#[test]
fn an_old_state_file_is_brought_up_to_date_and_keeps_its_keys() {
    let (directory, state) = place(b"");
    let old = rusqlite::Connection::open(&state).unwrap();
    old.execute_batch(FIRST).unwrap();
    let key = "INSERT INTO server_keys VALUES ('flow-cookies', 1, zeroblob(64))";
    old.execute_batch(&format!("PRAGMA application_id = 0x50727463; PRAGMA user_version = 1; {key}"))
        .unwrap();
    drop(old);
    let mut child = start(directory.path());
    let version = || {
        let now = rusqlite::Connection::open(&state).unwrap();
        let key = "SELECT key = zeroblob(64) FROM server_keys WHERE purpose = 'flow-cookies'";
        let kept = now.query_row(key, [], |row| row.get::<_, bool>(0)).unwrap_or(false);
        kept && now
            .pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))
            .is_ok_and(|it| it > 1)
    };
    until("the migration", version);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_missing_directory_is_said_to_be_missing() {
    let (directory, _) = place(b"");
    let file = directory.path().join("portcullis.toml");
    let text = fs::read_to_string(&file).unwrap().replace("state.db", "nowhere/state.db");
    fs::write(&file, text).unwrap();
    let ended = program(directory.path(), &["run", "--config", "portcullis.toml"]);
    assert_eq!(ended.status.code(), Some(65));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(said.contains("the directory") && said.contains("does not exist"), "{said}");
}

fn start(directory: &Path) -> std::process::Child {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["run", "--config", "portcullis.toml"]).current_dir(directory);
    let quiet = || std::process::Stdio::null();
    command.stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap()
}

/// A gateway that runs on a state file, and what its `/readyz` and metric say of that.
struct Running(Gateway);

impl Running {
    fn start() -> Self {
        Self(Gateway::with_server(
            "",
            "[[routes]]\nname = \"open\"\nupstream = \"http://127.0.0.1:9\"\naccess = \"public\"\n",
        ))
    }

    fn state(&self) -> PathBuf {
        self.0.directory.path().join("state.db")
    }

    async fn says(&self, why: &str) -> bool {
        let ready = Browser::new().get(&self.0.admin_url("/readyz")).await.body;
        let metrics = Browser::new().get(&self.0.admin_url("/metrics")).await.body;
        ready.contains(why) && metrics.contains("\nportcullis_state_up 0\n") && self.0.log().contains(why)
    }

    async fn is_well(&self) -> bool {
        let ready = Browser::new().get(&self.0.admin_url("/readyz")).await.body;
        let metrics = Browser::new().get(&self.0.admin_url("/metrics")).await.body;
        !ready.contains("state") && metrics.contains("\nportcullis_state_up 1\n")
    }
}

#[tokio::test]
async fn a_state_file_that_is_taken_away_while_the_gateway_runs_is_noticed() {
    let running = Running::start();
    let (state, aside) = (running.state(), running.0.directory.path().join("aside"));
    assert!(running.is_well().await);
    fs::rename(&state, &aside).unwrap();
    until_async("the loss to be told", || running.says("was deleted or moved away")).await;
    fs::copy(&aside, &state).unwrap();
    until_async("the other file to be told", || running.says("was replaced by another file")).await;
    fs::rename(&aside, &state).unwrap();
    until_async("all to be well", || running.is_well()).await;
    until_async("the way back", || async { running.0.log().contains("\"type\":\"store.back\"") }).await;
    fs::write(&state, "").unwrap();
    until_async("the emptiness to be told", || running.says("was emptied")).await;
}
