//! What is PostgreSQL's alone, with Debian's server.

use std::fmt::Write as _;

use portcullis_events::{Field, Kind, Seen};
use tempfile::TempDir;

use super::suite::{Rig, kept};
use super::*;
use crate::chain::{Book, Finding, Report, Verification, What, Whole};
use crate::sinks::testing::TestPostgres;

const DAY: Duration = Duration::from_secs(86_400);

fn settings(server: PostgresServer) -> FarSettings {
    FarSettings::Postgres(Box::new(PostgresSettings { server, keep: 365 * DAY }))
}

/// A database of the shared server, and a record that is kept there.
struct Kept {
    server: &'static TestPostgres,
    database: String,
    folder: TempDir,
    rig: Rig,
}

impl Kept {
    fn start() -> Self {
        let (server, folder) = (TestPostgres::shared(), TempDir::new().unwrap());
        let database = server.database();
        let rig = Rig::start(folder.path(), &settings(server.server(&database)), false);
        Self { server, database, folder, rig }
    }

    fn query(&self, statement: &str) -> String {
        self.server.query(&self.database, statement)
    }

    fn sql(&self, statement: &str) {
        self.server.sql(&self.database, statement);
    }

    /// Waits until so many requests are there.
    fn has(&self, requests: usize) {
        until("they are there", || (self.requests() >= requests).then_some(()));
        assert_eq!(self.requests(), requests);
    }

    fn requests(&self) -> usize {
        self.lines().iter().filter(|line| line.contains("\"type\":\"access.granted\"")).count()
    }

    fn lines(&self) -> Vec<String> {
        kept(self.server, &self.database)
    }

    /// Signs what is there, and verifies it.
    fn verified(&self) -> (Report, String) {
        let now = Clock::system().now();
        let mut book = Book::begin("gate.example", 0x9f2c, now).unwrap();
        book.next(self.rig.audit.ties().heads(), Vec::new(), now);
        let log = format!("{}\n{}\n", book.words()[0], book.last().unwrap().unwrap());
        (self.verify(&log), log)
    }

    fn verify(&self, signed: &str) -> Report {
        let mut verification = Verification::new(Whole::Record);
        verification.expect(is_postgres_place);
        verification.checkpoints("checkpoints", signed);
        let record = PostgresRecord::open(&self.server.server(&self.database)).unwrap();
        record.verify(&mut verification).unwrap();
        verification.finish(None)
    }

    fn findings(&self, signed: &str) -> Vec<Finding> {
        self.verify(signed).findings
    }
}

/// Values that break whatever takes them for something else: each is a value, in every column and in the line.
#[test]
fn invariant_28_hostile_values_are_values() {
    let kept = Kept::start();
    for text in [
        "'; DROP TABLE portcullis.events; --",
        "\0\u{1b}[2J\u{202e}\u{2066}",
        "<script>\\u0000",
        &"日\\".repeat(4096),
    ] {
        samples::full(text, &mut |event| {
            // Those that are signed would be no signed notes.
            if ![Kind::RecordCheckpoint, Kind::KeyRotated].contains(&event.kind()) {
                kept.rig.recorder.emit(event).unwrap();
            }
        });
        assert!(kept.rig.audit.flush(PATIENCE));
    }
    let count = until("all of them", || {
        let written = kept.rig.health().written;
        (kept.rig.audit.flush(PATIENCE) && written > 200).then_some(written)
    });
    until("they are there", || (kept.lines().len() as u64 >= count).then_some(()));
    assert_eq!((kept.rig.health().lost, kept.rig.health().trouble), (0, None));
    let users = kept.query("SELECT DISTINCT user_name FROM portcullis.events WHERE user_name IS NOT NULL");
    assert!(users.contains("'; DROP TABLE portcullis.events; --"), "{users}");
    assert!(users.chars().all(|letter| letter == '\n' || portcullis_events::is_inert(letter)), "{users:?}");
    // JSON that can be asked of every line, whatever is in it.
    let asked = kept
        .query("SELECT count(*) FROM portcullis.events WHERE portcullis.fields(line) ->> 'event' = event");
    assert_eq!(asked, kept.query("SELECT count(*) FROM portcullis.events"));
    let (report, _) = kept.verified();
    assert_eq!(report.findings, []);
    assert!(report.chains.iter().all(|chain| chain.unproved == 0), "{report:#?}");
}

/// Each thing that somebody who may write there can do to what is kept.
#[test]
fn invariant_28_what_is_done_to_rows_afterwards_is_found() {
    let kept = Kept::start();
    for _ in 0..5 {
        kept.rig.emit(7, 10);
    }
    kept.has(35);
    let (report, signed) = kept.verified();
    assert_eq!(report.findings, []);
    assert!(report.chains[0].blocks > 3 && report.chains[0].unproved == 0, "{report:#?}");
    let all = "portcullis.events";
    let third = "(SELECT event FROM portcullis.events ORDER BY block, n OFFSET 12 LIMIT 1)";
    let cases = [
        (format!("UPDATE {all} SET line = replace(line, '/x', '/y') WHERE event = {third}"), What::Changed),
        (format!("UPDATE {all} SET status = 403 WHERE event = {third}"), What::Changed),
        (format!("UPDATE {all} SET client = '192.0.2.99' WHERE event = {third}"), What::Changed),
        (format!("DELETE FROM {all} WHERE event = {third}"), What::Dropped),
        (
            format!(
                "UPDATE {all} SET n = n + 100 WHERE block = 2; UPDATE {all} SET n = 101 - n + (SELECT max(n) FROM {all} \
                 WHERE block = 2) WHERE block = 2"
            ),
            What::Moved,
        ),
        (
            format!(
                "INSERT INTO {all} SELECT time, client, 'forged', type, id, method, host, path, route, provider, subject, \
                 user_name, auth, acr, session, credential, outcome, rule, missing, reason, why, operator, operation, \
                 status, bytes, us, replace(line, event, 'forged'), writer, 999, 0 FROM {all} WHERE event = {third}"
            ),
            What::Inserted,
        ),
        ("DELETE FROM portcullis.blocks WHERE number = 2".to_owned(), What::Dropped),
        (
            format!("DELETE FROM {all} WHERE block > 2; DELETE FROM portcullis.blocks WHERE number > 2"),
            What::Cut,
        ),
        (format!("DELETE FROM {all}; DELETE FROM portcullis.blocks"), What::Missing),
        (
            "UPDATE portcullis.blocks SET footer = replace(footer, '\"lines\":', '\"lines\":1') WHERE number = 2".to_owned(),
            What::Footer,
        ),
        (
            "UPDATE portcullis.events SET writer = 'postgres/somebody'; UPDATE portcullis.blocks SET writer = \
             'postgres/somebody'"
                .to_owned(),
            What::Renamed,
        ),
    ];
    let mut told = String::new();
    kept.sql("CREATE TABLE e AS TABLE portcullis.events; CREATE TABLE b AS TABLE portcullis.blocks");
    for (statement, what) in cases {
        kept.sql(&statement);
        let findings = kept.findings(&signed);
        if !findings.iter().any(|finding| finding.what == what) {
            let _ = writeln!(told, "{statement}: {findings:?}");
        }
        kept.sql(
            "DELETE FROM portcullis.events; DELETE FROM portcullis.blocks; \
             INSERT INTO portcullis.events TABLE e; INSERT INTO portcullis.blocks TABLE b",
        );
        assert_eq!(kept.findings(&signed), []);
    }
    assert_eq!(told, "");
}

/// The server crashes between and under writes, and comes back with what it has acknowledged.
#[test]
fn over_crashes_of_the_server_nothing_is_lost_and_nothing_is_there_twice() {
    let (mut server, folder) = (TestPostgres::start(), TempDir::new().unwrap());
    let database = server.database();
    let rig = Rig::start(folder.path(), &settings(server.server(&database)), false);
    rig.emit(20, 10);
    for round in 0..3 {
        let stop = thread::spawn(move || {
            server.stop();
            server
        });
        rig.emit(20, 10);
        server = stop.join().unwrap();
        rig.emit(20, 10);
        if round == 1 {
            until("trouble is told", || rig.health().trouble);
        }
        server.restart();
        rig.emit(20, 10);
    }
    let lines = until("all of them", || {
        let lines = kept(&server, &database);
        (lines.len() >= 200).then_some(lines)
    });
    let id = |line: &String| Seen::read(line.as_bytes()).unwrap().text(Field::Event).unwrap().to_owned();
    let ids: std::collections::BTreeSet<_> = lines.iter().map(id).collect();
    assert_eq!(ids.len(), lines.len());
    let asked = lines.iter().filter(|line| line.contains("access.granted")).count();
    assert_eq!((asked, rig.health().lost), (200, 0));
    let mut verification = Verification::new(Whole::Record);
    PostgresRecord::open(&server.server(&database)).unwrap().verify(&mut verification).unwrap();
    let report = verification.finish(None);
    assert_eq!(report.findings, []);
    assert_eq!(
        rig.audit.ties().heads()[0].number,
        report.chains[0].blocks,
        "what is signed is what is committed"
    );
}

/// Rights that are taken away, a disk that is full, tables that somebody holds: it waits, says so, and loses nothing.
#[test]
fn what_a_server_does_not_do_for_now_it_does_later() {
    let kept = Kept::start();
    kept.rig.emit(5, 10);
    kept.has(5);
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'no space left'; END $$; \
                CREATE TRIGGER full_disk BEFORE INSERT ON portcullis.events FOR EACH ROW EXECUTE FUNCTION full_disk()";
    let refused = "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS \
                   $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'permission denied'; END $$; \
                   CREATE TRIGGER refused BEFORE INSERT ON portcullis.blocks FOR EACH ROW EXECUTE FUNCTION refused()";
    let cases = [
        (full, "DROP TRIGGER full_disk ON portcullis.events", "no space left (53100)"),
        (refused, "DROP TRIGGER refused ON portcullis.blocks", "permission denied (42501)"),
    ];
    let mut count = 5;
    for (harm, cure, told) in cases {
        kept.sql(harm);
        kept.rig.emit(5, 10);
        let trouble = until("trouble", || kept.rig.health().trouble);
        assert!(trouble.contains(told), "{trouble}");
        assert_eq!(kept.requests(), count, "neither rows nor blocks");
        kept.sql(cure);
        until("it is well", || kept.rig.health().trouble.is_none().then_some(()));
        count += 5;
        kept.has(count);
    }
    assert_eq!(kept.verified().0.findings, []);
    drop(kept.folder);
}

/// Somebody holds the table, as a dump or a change by hand does.
#[test]
fn whoever_holds_a_table_is_waited_for_and_nothing_else_waits() {
    let kept = Kept::start();
    kept.rig.emit(5, 10);
    kept.has(5);
    let (server, database) = (kept.server, kept.database.clone());
    let hold = "BEGIN; LOCK TABLE portcullis.events; SELECT pg_sleep(6)";
    let holder = thread::spawn(move || server.sql(&database, hold));
    let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                AND relation = 'portcullis.events'::regclass";
    until("it is held", || (kept.query(held) == "1").then_some(()));
    kept.rig.emit(20, 10);
    until("trouble is told", || kept.rig.health().trouble);
    assert!(!holder.is_finished(), "whoever emits waits for nobody");
    holder.join().unwrap();
    kept.has(25);
    assert_eq!(kept.verified().0.findings, []);
}

/// What the server will never take is put aside, and holds up nothing.
#[test]
fn what_is_refused_for_good_lies_in_a_file() {
    let kept = Kept::start();
    kept.rig.emit(5, 10);
    kept.has(5);
    kept.sql(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '22021'; END $$; \
         CREATE TRIGGER no BEFORE INSERT ON portcullis.events FOR EACH ROW WHEN (new.path = '/never') EXECUTE FUNCTION no()",
    );
    kept.rig.recorder.emit(&asked("/never")).unwrap();
    assert!(kept.rig.audit.flush(PATIENCE));
    let file = kept.folder.path().join("spool/refused.jsonl");
    until("it is put aside", || std::fs::read_to_string(&file).ok().filter(|text| text.contains("/never")));
    kept.rig.emit(5, 10);
    until("it is told", || kept.lines().into_iter().find(|line| line.contains("\"cause\":\"refused\"")));
    assert_eq!(kept.verified().0.findings, []);
}
