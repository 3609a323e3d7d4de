//! Opening, refusing and surviving.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::mpsc;

use super::{Database, RestoredSessions, ServerKeys, StorageError, backup, restore};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    fn holding(content: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.file(), content).unwrap();
        fs::set_permissions(place.file(), fs::Permissions::from_mode(0o600)).unwrap();
        place
    }

    fn of_sqlite(statements: &str) -> Self {
        let place = Self::holding(b"");
        rusqlite::Connection::open(place.file()).unwrap().execute_batch(statements).unwrap();
        place
    }

    fn refusal(&self) -> StorageError {
        let before = fs::read(self.file()).unwrap();
        let error = Database::open(&self.file()).unwrap_err();
        assert_eq!(fs::read(self.file()).unwrap(), before, "a refused file stays byte-identical");
        assert!(error.to_string().contains(self.file().to_str().unwrap()), "{error}");
        error
    }
}

/// Its keys, as they are kept where the operator has given no secret.
fn keys_of(database: &Database) -> ServerKeys {
    sealed_keys_of(database, &[])
}

fn sealed_keys_of(database: &Database, secrets: &[[u8; 32]]) -> ServerKeys {
    ServerKeys::new(database.clone(), secrets)
}

async fn kept_key(database: &Database, purpose: &'static str) -> Vec<u8> {
    let select = "SELECT key FROM server_keys WHERE purpose = ?1";
    database.read(move |c| c.query_row(select, [purpose], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn invariant_7_with_a_secret_no_key_lies_in_the_clear() {
    let database = Database::in_memory().unwrap();
    let contains = |kept: &[u8], key: &[u8]| kept.windows(key.len()).any(|part| part == key);
    let plain = keys_of(&database).load_or_create("flows").await.unwrap();
    assert!(contains(&kept_key(&database, "flows").await, plain.as_slice()), "the file's mode protects it");
    let (one, two) = ([1; 32], [2; 32]);
    for secrets in [&[one][..], &[one], &[two, one], &[two], &[two]] {
        let keys = sealed_keys_of(&database, secrets);
        assert_eq!(keys.load_or_create("flows").await.unwrap(), plain, "the same ever after");
        assert!(!contains(&kept_key(&database, "flows").await, plain.as_slice()));
    }
    for secrets in [&[one][..], &[[3; 32]], &[]] {
        let refused = sealed_keys_of(&database, secrets).load_or_create("flows").await.unwrap_err();
        assert!(matches!(refused, StorageError::Sealed { .. }) && refused.is_final(), "{refused}");
    }
    let fresh = sealed_keys_of(&database, &[two]).load_or_create("forms").await.unwrap();
    assert!(!contains(&kept_key(&database, "forms").await, fresh.as_slice()));
    let moved = "UPDATE server_keys SET key = (SELECT key FROM server_keys WHERE purpose = 'forms')
                 WHERE purpose = 'flows'";
    database.write(move |c| c.execute(moved, [])).await.unwrap();
    assert!(
        sealed_keys_of(&database, &[two]).load_or_create("flows").await.is_err(),
        "sealed for its purpose"
    );
}

async fn count(database: &Database) -> i64 {
    database.read(|c| c.query_row("SELECT count(*) FROM server_keys", [], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn what_was_written_survives_a_restart() {
    let place = Place::new();
    let database = Database::open(&place.file()).unwrap();
    let key = keys_of(&database).load_or_create("flows").await.unwrap();
    assert_eq!(key, keys_of(&database).load_or_create("flows").await.unwrap());
    assert_ne!(key, keys_of(&database).load_or_create("assertions").await.unwrap());
    drop(database);
    assert!(!place.0.path().join("state.db-wal").exists(), "closing moves the log into the file");
    let database = Database::open(&place.file()).unwrap();
    assert_eq!(key, keys_of(&database).load_or_create("flows").await.unwrap());
}

#[tokio::test]
async fn a_key_of_the_wrong_size_is_damage() {
    let database = Database::in_memory().unwrap();
    keys_of(&database).load_or_create_with("short", || vec![1].into()).await.unwrap();
    let error = keys_of(&database).load_or_create("short").await.unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn memory_is_its_own() {
    let (one, other) = (Database::in_memory().unwrap(), Database::in_memory().unwrap());
    keys_of(&one).load_or_create("flows").await.unwrap();
    assert_eq!((count(&one).await, count(&other).await), (1, 0));
}

#[test]
fn the_file_is_private() {
    let place = Place::new();
    let _database = Database::open(&place.file()).unwrap();
    for entry in fs::read_dir(place.0.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let place = Place::holding(b"");
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(place.refusal(), StorageError::Exposed { mode: 0o644, .. }));
}

#[test]
fn a_missing_directory_is_not_made() {
    let place = Place::new();
    let error = Database::open(&place.0.path().join("nowhere/state.db")).unwrap_err();
    assert!(matches!(error, StorageError::ParentMissing { .. }), "{error}");
    assert!(!place.0.path().join("nowhere").exists());
}

#[test]
fn a_directory_is_not_a_state_file() {
    let place = Place::new();
    fs::create_dir(place.file()).unwrap();
    assert!(matches!(Database::open(&place.file()), Err(StorageError::Inaccessible { .. })));
}

#[test]
fn what_is_not_a_database_is_refused() {
    for content in [
        b"[server]\nlisten = []\n".repeat(100),
        b"x".to_vec(),
        vec![0; 8192],
        b"SQLite format 3\0short".to_vec(),
    ] {
        let error = Place::holding(&content).refusal();
        assert!(matches!(error, StorageError::NotADatabase { .. }), "{error}");
    }
}

#[test]
fn another_applications_database_is_refused() {
    let own = "PRAGMA application_id = 7; CREATE TABLE t (x);";
    assert!(matches!(Place::of_sqlite(own).refusal(), StorageError::Foreign { application_id: 7, .. }));
    let log = "PRAGMA journal_mode = WAL; CREATE TABLE t (x);";
    assert!(matches!(Place::of_sqlite(log).refusal(), StorageError::Foreign { application_id: 0, .. }));
}

#[test]
fn a_newer_state_file_is_refused() {
    let place = Place::new();
    drop(Database::open(&place.file()).unwrap());
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    connection.pragma_update(None, "user_version", 4711).unwrap();
    drop(connection);
    assert!(matches!(place.refusal(), StorageError::Newer { found: 4711, .. }));
}

#[test]
fn a_damaged_state_file_is_refused() {
    let place = Place::new();
    drop(Database::open(&place.file()).unwrap());
    let mut content = fs::read(place.file()).unwrap();
    content[4096..12288].fill(0xA5);
    fs::write(place.file(), &content).unwrap();
    assert!(matches!(place.refusal(), StorageError::Corrupt { .. }));
}

#[test]
fn a_truncated_state_file_is_refused() {
    let place = Place::new();
    drop(Database::open(&place.file()).unwrap());
    let content = fs::read(place.file()).unwrap();
    fs::write(place.file(), &content[..8192]).unwrap();
    assert!(matches!(place.refusal(), StorageError::Corrupt { .. }));
}

#[test]
fn two_gateways_do_not_share_a_file() {
    let place = Place::new();
    let database = Database::open(&place.file()).unwrap();
    let alias = place.0.path().join("alias.db");
    symlink(place.file(), &alias).unwrap();
    for path in [place.file(), alias] {
        let error = Database::open(&path).unwrap_err();
        assert!(matches!(error, StorageError::InUse { .. }), "{error}");
    }
    drop(database);
    Database::open(&place.file()).unwrap();
}

#[tokio::test]
async fn a_panic_rolls_back_and_ends_one_operation_only() {
    let database = Database::in_memory().unwrap();
    let broken = database.write(|connection| -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        transaction.execute("INSERT INTO server_keys VALUES ('x', 1, x'00')", [])?;
        panic!("on purpose");
    });
    assert!(matches!(broken.await, Err(StorageError::Interrupted { .. })));
    assert_eq!(count(&database).await, 0);
}

#[tokio::test]
async fn a_failed_statement_names_the_file_and_not_the_data() {
    let error =
        Database::in_memory().unwrap().write(|c| c.execute("SELEKT 'hunter2'", [])).await.unwrap_err();
    assert!(matches!(error, StorageError::Query { .. }));
    assert!(error.to_string().contains("state file memory"), "{error}");
}

#[tokio::test]
async fn dropping_the_last_handle_finishes_what_is_queued() {
    let place = Place::new();
    let database = Database::open(&place.file()).unwrap();
    let (release, gate) = mpsc::channel::<()>();
    let blocked = database.write(move |_| gate.recv().map_err(|_| rusqlite::Error::InvalidQuery));
    let keys = keys_of(&database);
    let written = keys.load_or_create("late");
    // Queued and abandoned: neither caller waits for its answer.
    futures_util::future::join(poll_once(blocked), poll_once(written)).await;
    release.send(()).unwrap();
    drop((keys, database));
    assert_eq!(count(&Database::open(&place.file()).unwrap()).await, 1);
}

#[tokio::test]
async fn a_full_queue_is_an_error_and_not_a_wait() {
    let database = Database::in_memory().unwrap().impatient();
    let (release, gate) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let blocked = database.write(move |_| {
        let _ = begin.send(());
        gate.recv().map_err(|_| rusqlite::Error::InvalidQuery)
    });
    poll_once(blocked).await;
    // Only an operation that runs has left its place in the queue for good.
    begun.recv().unwrap();
    for _ in 0..=super::lane::QUEUE {
        poll_once(database.write(|_| Ok(()))).await;
        tokio::task::yield_now().await;
    }
    let refused = database.write(|_| Ok(())).await;
    assert!(matches!(refused, Err(StorageError::Overloaded { .. })));
    drop(release);
}

#[test]
fn the_last_handle_may_be_dropped_by_an_operation() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = Database::in_memory().unwrap();
    let inner = database.clone();
    runtime.block_on(poll_once(database.write(move |_| {
        drop(inner);
        Ok(())
    })));
}

#[test]
fn errors_are_clone_and_cross_threads() {
    fn assert_shared<T: Clone + Send + Sync + std::error::Error>() {}
    assert_shared::<StorageError>();
}

async fn poll_once<F: Future>(future: F) {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        let _pending = future.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
}

/// What is on record as ended and still in the database is not copied: the record beside a backup is lost.
#[tokio::test]
async fn invariant_23_a_backup_leaves_out_what_has_ended() {
    let place = Place::new();
    let database = Database::open(&place.file()).unwrap();
    let family = |id: &str| {
        format!(
            "INSERT INTO session_families (root, provider, subject, created, last_seen, expires, record)
             VALUES ({id}, 'corp', zeroblob(32), 1, 1, 1, x'00');
             INSERT INTO sessions (id, root, host, created, family_key) VALUES ({id}, {id}, 'a', 1, x'00');"
        )
    };
    let both = ["01", "02"].map(|byte| family(&format!("x'{}'", byte.repeat(32)))).concat();
    database.write(move |connection| connection.execute_batch(&both)).await.unwrap();
    database.record_ending([1; 32]).await.unwrap();

    let (copy, elsewhere) = (place.0.path().join("copy"), place.0.path().join("elsewhere.db"));
    backup(&place.file(), None, &copy).unwrap();
    let restored = restore(&copy, &elsewhere, RestoredSessions::Keep, &mut |_| Ok(())).unwrap();
    assert_eq!(restored.sign_ins, 1);
    let connection = rusqlite::Connection::open(&elsewhere).unwrap();
    let left: Vec<u8> =
        connection.query_row("SELECT root FROM session_families", [], |row| row.get(0)).unwrap();
    assert_eq!(left, [2; 32]);
}
