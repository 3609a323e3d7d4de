//! What a million sessions cost: memory, disk, look-ups, and the sweep that removes them.
//!
//! `micro million [N]` makes so many in a state file of its own, prints a table, and ends. Times are of the clock: read them
//! on a machine that does nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis::clock::{Clock, Timestamp};
use portcullis::identity::{Principal, Subject};
use portcullis::session::{
    EmbeddedStore, NewSession, PurgeCriteria, SessionKey, SessionSettings, SessionStore, Sessions,
    SignInOrigin, StateKeys, SweepPace, Tokens,
};
use portcullis::storage::Database;

use crate::case::{principal, runtime};

const NOW: u64 = 1_800_000_000;
/// Look-ups that are timed, and steps of the sweep.
const TIMED: usize = 10_000;
/// Sessions in memory.
const CAPACITY: usize = 100_000;

/// Measures so many sessions.
pub(crate) fn run(count: usize) {
    runtime().block_on(measure(count));
}

async fn measure(count: usize) {
    println!("| {count} sessions, of which {CAPACITY} are in memory | |\n|---|---|");
    row("resident memory before", &format!("{:.0} MB", resident()));
    // They are made where nobody waits for a disk, and measured on one.
    let (quick, folder) = (quick_folder(), tempfile::tempdir().unwrap());
    let (made, file) = (quick.path().join("state.db"), folder.path().join("state.db"));
    let kept = make(&made, count).await;
    std::fs::copy(&made, &file).unwrap();
    drop(quick);
    row("state file", &format!("{:.0} MB", size(&file)));
    let (store, sessions, clock) = open(&file);
    row("a look-up in the file: p50, p99, longest", &found(&sessions, &kept).await);
    row("a look-up in memory: p50, p99, longest", &found(&sessions, &kept).await);
    row("a sign-in: p50, p99, longest", &signed_in(&sessions, count).await);
    let max_age = SessionSettings::default().max_age;
    clock.advance(max_age + Duration::from_secs(1));
    row("a step of the sweep: p50, p99, longest", &swept(&store, clock.now(), max_age).await);
    row("a step that gives room back to the disk: p50, p99, longest", &shrunk(&store).await);
}

/// So many sessions in a new file; the keys of some of them.
async fn make(file: &Path, count: usize) -> Vec<SessionKey> {
    let (store, sessions, _) = open(file);
    let mut kept = Vec::new();
    for number in 0..count {
        if number == CAPACITY {
            row("resident memory with as many as are kept there", &format!("{:.0} MB", resident()));
        }
        let (key, _) = sessions.create(sign_in(number)).await.unwrap();
        if number % (count / TIMED).max(1) == 0 {
            kept.push(key);
        }
    }
    row("resident memory with all of them", &format!("{:.0} MB", resident()));
    drop((store, sessions));
    kept
}

fn open(file: &Path) -> (Arc<EmbeddedStore>, Sessions, Clock) {
    let store = Arc::new(EmbeddedStore::new(Database::open(file).unwrap()));
    let clock = Clock::manual(Timestamp::from_seconds(NOW));
    let keys = StateKeys::derive(&[[7; 32]]).unwrap();
    let settings = SessionSettings { cache_capacity: CAPACITY as u64, ..SessionSettings::default() };
    let sessions = Sessions::new(settings, Arc::<EmbeddedStore>::clone(&store), keys, clock.clone());
    (store, sessions, clock)
}

/// In memory, where the system has such a place.
fn quick_folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let there = if memory.is_dir() { memory } else { std::env::temp_dir() };
    tempfile::tempdir_in(there).unwrap()
}

async fn signed_in(sessions: &Sessions, count: usize) -> String {
    let mut times = Vec::new();
    for number in 0..TIMED / 10 {
        let begun = Instant::now();
        sessions.create(sign_in(count + number)).await.unwrap();
        times.push(begun.elapsed());
    }
    spread(times)
}

fn sign_in(number: usize) -> NewSession {
    let subject = Subject::new(format!("subject-{number}"));
    let user = format!("user{number}");
    NewSession::Root {
        host: "login.corp.example".to_owned(),
        principal: Arc::new(Principal { subject, user, ..(*principal()).clone() }),
        tokens: Tokens::default(),
        sid: None,
        origin: SignInOrigin::default(),
        began: Timestamp::from_seconds(NOW),
    }
}

async fn found(sessions: &Sessions, keys: &[SessionKey]) -> String {
    let mut times = Vec::new();
    for key in keys {
        let begun = Instant::now();
        assert!(sessions.find(key).await.unwrap().is_some(), "a session is lost");
        times.push(begun.elapsed());
    }
    spread(times)
}

async fn swept(store: &EmbeddedStore, now: Timestamp, max_age: Duration) -> String {
    let before = Timestamp::from_seconds(now.seconds() - max_age.as_secs());
    let (mut pace, mut times) = (SweepPace::new(), Vec::new());
    for _ in 0..TIMED {
        let criteria = PurgeCriteria { now, idle_since: before, created_before: before, limit: pace.limit() };
        let begun = Instant::now();
        let removed = store.upkeep().unwrap().purge(criteria).await.unwrap();
        if removed.is_empty() {
            break;
        }
        times.push(begun.elapsed());
        pace = pace.after(begun.elapsed());
    }
    spread(times)
}

async fn shrunk(store: &EmbeddedStore) -> String {
    let (mut times, mut more) = (Vec::new(), true);
    while more && times.len() < TIMED {
        let begun = Instant::now();
        more = store.upkeep().unwrap().shrink().await.unwrap();
        times.push(begun.elapsed());
    }
    spread(times)
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!("{:.3}, {:.3}, {:.3} ms", at(0.5), at(0.99), at(1.0))
}

fn row(what: &str, value: &str) {
    println!("| {what} | {value} |");
}

/// Megabytes of this process.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Megabytes of the state file and its log.
fn size(file: &Path) -> f64 {
    let folder = std::fs::read_dir(file.parent().unwrap()).unwrap();
    folder.map(|entry| entry.unwrap().metadata().unwrap().len() as f64).sum::<f64>() / 1e6
}
