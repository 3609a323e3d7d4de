//! Tables of days in PostgreSQL: who makes them, what finds its place in them, what goes, and who may do so much.

use std::ops::Range;

use super::*;
use crate::chain::{Report, Ties, Verification, Whole};
use crate::sinks::far::{Far, FarContext, FarError, Parcel};
use crate::sinks::health::{Note, Status};
use crate::sinks::postgres::PostgresSink;
use crate::sinks::queue::Loss;
use crate::sinks::spool::Frame;
use crate::sinks::testing::TestPostgres;

const DAY: Duration = Duration::from_secs(86_400);

/// A far end by itself, with a clock of the test's.
struct Writer {
    far: PostgresSink,
    context: FarContext,
}

impl Writer {
    fn new(server: PostgresServer, process: &str, clock: &Clock) -> Self {
        let (sink, process, ties) = ("postgres".into(), process.into(), Ties::default());
        let (status, clock) = (Arc::<Status>::default(), clock.clone());
        let context = FarContext { sink, process, ties, status, clock };
        let settings = PostgresSettings { server, keep: 2 * DAY };
        Self { far: PostgresSink::open(&settings, &context).unwrap(), context }
    }

    fn send(&mut self, process: &str, numbers: Range<u64>, day: u64) -> Result<(), FarError> {
        let until = Instant::now() + PATIENCE;
        let frame = frame(process, numbers, day);
        self.far.send(&Parcel { process: &process.into(), frame: &frame, schema: None }, until)
    }
}

/// Events of these numbers, of the day that is so many behind 15 January 2027.
fn frame(process: &str, numbers: Range<u64>, day: u64) -> Frame {
    let line = |number: u64| {
        let time = Timestamp::from_seconds(1_800_000_000 - day * 86_400).rfc3339();
        let time = time.replace('Z', &format!(".{number:06}Z"));
        format!(
            "{{\"v\":1,\"time\":\"{time}\",\"event\":\"{process}-0-{number}\",\"type\":\"access.granted\"}}\n"
        )
    };
    let (from, count) = (numbers.start, numbers.end - numbers.start);
    let text = numbers.map(line).collect::<String>().into_bytes();
    Frame { numbers: Loss { lane: 0, from, to: from + count - 1, count }, time: 0, text }
}

fn verify(server: &PostgresServer, expected: bool, signed: &str) -> Report {
    let mut verification = Verification::new(Whole::Record);
    if expected {
        verification.expect(is_postgres_place);
    }
    verification.checkpoints("checkpoints", signed);
    PostgresRecord::open(server).unwrap().verify(&mut verification).unwrap();
    verification.finish(None)
}

fn signed(all: &[&Writer]) -> String {
    let now = clock().now();
    let mut book = crate::chain::Book::begin("gate.example", 0x9f2c, now).unwrap();
    let heads = all.iter().flat_map(|writer| writer.context.ties.heads()).collect();
    book.next(heads, Vec::new(), now);
    format!("{}\n{}\n", book.words()[0], book.last().unwrap().unwrap())
}

/// The tables of events, each with how many it has.
fn tables(server: &TestPostgres, database: &str) -> String {
    let question =
        "SELECT tableoid::regclass || ' ' || count(*) FROM portcullis.events GROUP BY tableoid ORDER BY 1";
    server.query(database, question).replace("portcullis.events_", "").replace('\n', ", ")
}

/// Of a batch that a lost connection leaves in doubt, what is there stays as it is, and the rest comes to it.
#[test]
fn what_comes_again_is_neither_written_nor_chained_again() {
    let server = TestPostgres::shared();
    let database = server.database();
    let mut writer = Writer::new(server.server(&database), "9f2c41d07ab3", &clock());
    writer.send("9f2c41d07ab3", 1..40, 0).unwrap();
    writer.send("9f2c41d07ab3", 1..40, 0).unwrap();
    // The next process brings what this one may have brought already, and more of it.
    let mut next = Writer::new(server.server(&database), "0123456789ab", &clock());
    next.send("9f2c41d07ab3", 20..60, 0).unwrap();
    next.send("9f2c41d07ab3", 20..60, 0).unwrap();
    assert_eq!(tables(server, &database), "20270115 59");
    let lines = kept_lines(server, &database);
    assert_eq!(lines, (1..60).collect::<Vec<_>>(), "in their order");
    let report = verify(&server.server(&database), true, &signed(&[&writer, &next]));
    assert_eq!((report.findings, report.chains.len()), (vec![], 2));
}

fn kept_lines(server: &TestPostgres, database: &str) -> Vec<u64> {
    let number = |line: String| {
        let seen = portcullis_events::Seen::read(line.as_bytes()).unwrap();
        let id = seen.text(portcullis_events::Field::Event).unwrap();
        id.rsplit('-').next().unwrap().parse().unwrap()
    };
    suite::kept(server, database).into_iter().map(number).collect()
}

/// More than a block holds, and more than is read at once.
#[test]
fn a_batch_of_any_length_is_written_and_verified() {
    let server = TestPostgres::shared();
    let database = server.database();
    let mut writer = Writer::new(server.server(&database), "9f2c41d07ab3", &clock());
    writer.send("9f2c41d07ab3", 1..1400, 0).unwrap();
    (0..600).for_each(|at| writer.send("9f2c41d07ab3", 1400 + at..1401 + at, 0).unwrap());
    assert_eq!(kept_lines(server, &database), (1..2000).collect::<Vec<_>>());
    let report = verify(&server.server(&database), true, &signed(&[&writer]));
    assert_eq!(report.findings, []);
    let chain = &report.chains[0];
    // 511, 511, 377, and one for each of the others; one line is the opening.
    assert_eq!((chain.blocks, chain.lines, chain.unproved), (603, 2000, 0));
    assert!(chain.proved.as_ref().is_some_and(|proved| proved.line == 2602), "{report:#?}");
}

/// Gateways that start at the same moment make everything once, and each writes.
#[test]
fn several_gateways_begin_at_once() {
    let server = TestPostgres::shared();
    let database = server.database();
    thread::scope(|scope| {
        for number in 0..6 {
            let reached = server.server(&database);
            scope.spawn(move || {
                let process = format!("{number}{number}2c41d07ab3");
                let mut writer = Writer::new(reached, &process, &clock());
                (0..5).for_each(|at| writer.send(&process, at * 10 + 1..at * 10 + 11, at % 3).unwrap());
            });
        }
    });
    assert_eq!(tables(server, &database), "20270113 60, 20270114 120, 20270115 120");
    let report = verify(&server.server(&database), false, "");
    assert_eq!((report.findings, report.chains.len()), (vec![], 18));
    assert_eq!(server.query(&database, "SELECT version FROM portcullis.migrations"), "1");
}

#[test]
fn tables_of_a_later_release_are_left_alone() {
    let server = TestPostgres::shared();
    let database = server.database();
    Writer::new(server.server(&database), "9f2c41d07ab3", &clock()).send("9f", 1..2, 0).unwrap();
    server.sql(&database, "INSERT INTO portcullis.migrations VALUES (99)");
    let told =
        Writer::new(server.server(&database), "9f2c41d07ab3", &clock()).send("9f", 2..3, 0).unwrap_err();
    let words = "its tables are of version 99, made by a later release: this one knows them up to 1";
    assert_eq!(told, FarError::Away(words.to_owned()));
}

/// Whole days go, and the chain says so: nothing is missing that was not to go, and what is missing beside that is found.
#[test]
fn days_that_are_too_old_go_and_that_is_told() {
    let (server, time) = (TestPostgres::shared(), clock());
    let (database, process) = (server.database(), "9f2c41d07ab3");
    let mut writer = Writer::new(server.server(&database), process, &time);
    for (day, at) in (0..5).rev().zip(0..) {
        writer.send(process, at * 10 + 1..at * 10 + 11, day).unwrap();
    }
    let before = signed(&[&writer]);
    // What was too old came late, and was removed with the rest of its day when the next hour was looked after.
    time.advance(DAY);
    writer.far.check().unwrap();
    assert_eq!(tables(server, &database), "20270114 10, 20270115 10");
    // The chains of days that are over are signed once more, and told no more.
    writer.context.ties.signed(&writer.context.ties.heads());
    let heads: Vec<_> = writer.context.ties.heads().into_iter().map(|head| head.chain.to_string()).collect();
    assert_eq!(heads, ["postgres/9f2c41d07ab3/20270116"]);
    let notes = writer.context.status.take_notes();
    let removed = notes.iter().filter_map(|note| {
        let Note::Removed { file, count, bytes } = note else { return None };
        Some((file.to_str().unwrap(), *count, *bytes > 10_000))
    });
    let removed: Vec<_> = removed.collect();
    assert!(removed.iter().map(|(_, count, _)| count).sum::<u64>() >= 3, "{removed:?}");
    assert_eq!(removed.last().map(|last| (last.0, last.2)), Some(("portcullis.events_20270113", true)));
    assert_eq!(verify(&server.server(&database), true, &before).findings, []);
    // The tables of the next day are there before it begins.
    assert_eq!(server.query(&database, "SELECT to_regclass('portcullis.events_20270117') IS NOT NULL"), "t");
    server.sql(&database, "DROP TABLE portcullis.events_20270114, portcullis.blocks_20270114");
    let findings = verify(&server.server(&database), true, &before).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].place, "events_20270114/postgres/9f2c41d07ab3");
    // What comes late finds its day all the same.
    writer.send(process, 100..101, 30).unwrap();
    writer.send(process, 101..102, 1).unwrap_err();
    writer.send(process, 101..102, 1).unwrap();
    assert_eq!(tables(server, &database), "20261216 1, 20270114 1, 20270115 10");
}

/// A role that can add, and neither change nor remove: as the documentation grants it.
#[test]
fn a_role_that_can_only_add_is_enough() {
    let (server, time) = (TestPostgres::shared(), clock());
    let (database, process) = (server.database(), "9f2c41d07ab3");
    Writer::new(server.server(&database), "0123456789ab", &time).send("a", 1..2, 0).unwrap();
    let (role, documented) = (format!("writer_{database}"), include_str!("../../../../../docs/sinks.md"));
    server.sql(&database, &format!("CREATE ROLE {role} LOGIN PASSWORD 'its own'"));
    let grants = documented.split("```sql\n").find(|block| block.contains("GRANT")).unwrap();
    let grants = grants.split("```").next().unwrap();
    assert!(grants.contains("GRANT EXECUTE"), "{grants}");
    server.sql(&database, &grants.replace("portcullis_writer", &role));
    let (user, password) = (role.clone(), Some(Secret::new("its own")));
    let reached = PostgresServer { user, password, ..server.server(&database) };
    let mut writer = Writer::new(reached.clone(), process, &time);
    writer.send(process, 1..10, 9).unwrap();
    writer.send(process, 10..20, 1).unwrap();
    time.advance(DAY);
    writer.far.check().unwrap();
    assert_eq!(tables(server, &database), "20270106 9, 20270114 10, 20270115 1", "nothing was removed");
    assert_eq!(verify(&reached, true, &signed(&[&writer])).findings, []);
    for statement in [
        "UPDATE portcullis.events SET user_name = 'x'",
        "DELETE FROM portcullis.events",
        "DELETE FROM portcullis.events_20270115",
        "TRUNCATE portcullis.blocks",
        "DROP TABLE portcullis.events_20270115",
        "SELECT portcullis.drop_days('2028-01-01')",
    ] {
        let told = server.try_query(&database, &format!("SET ROLE {role}; {statement}")).unwrap_err();
        assert!(told.contains("permission denied") || told.contains("must be owner"), "{statement}: {told}");
    }
}

/// A server that is not the one whose certificate is trusted, and one that speaks no TLS, learn nothing.
#[test]
fn over_tls_the_server_is_known_by_its_name_and_nothing_goes_in_clear_text() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let server = TestPostgres::with_tls(&made.cert.pem(), &made.signing_key.serialize_pem());
    let database = server.database();
    let to = |host: &str, port, tls| PostgresServer {
        hosts: vec![PostgresHost::Tcp(host.to_owned(), port)],
        tls: Some(tls),
        ..server.server(&database)
    };
    let trusting = TlsSettings { ca: Some(made.cert.pem().into_bytes()), client: None };
    let mut writer = Writer::new(to("localhost", server.port(), trusting.clone()), "9f", &clock());
    writer.send("9f", 1..10, 0).unwrap();
    assert_eq!(tables(&server, &database), "20270115 9");
    let away = |reached| match Writer::new(reached, "9f", &clock()).send("9f", 10..20, 0) {
        Err(FarError::Away(why)) => why,
        other => panic!("{other:?}"),
    };
    let other_name = away(to("127.0.0.1", server.port(), trusting.clone()));
    assert!(other_name.contains("certificate"), "{other_name}");
    let stranger = away(to("localhost", server.port(), TlsSettings::default()));
    assert!(stranger.contains("certificate"), "{stranger}");
    let clear = away(to("localhost", TestPostgres::shared().port(), trusting));
    assert!(clear.contains("server does not support TLS"), "{clear}");
    let refused = away(server.server(&database));
    assert!(refused.contains("no encryption"), "{refused}");
}

#[test]
fn through_the_socket_of_this_machine_and_to_the_first_of_several_that_answers() {
    let server = TestPostgres::shared();
    let database = server.database();
    let socket = PostgresHost::Unix(server.folder().to_owned(), server.port());
    for hosts in [vec![socket.clone()], vec![PostgresHost::Tcp("127.0.0.1".to_owned(), 1), socket]] {
        let reached = PostgresServer { hosts, ..server.server(&database) };
        Writer::new(reached, "9f", &clock()).send("9f", 1..10, 0).unwrap();
    }
    assert_eq!(tables(server, &database), "20270115 9");
}
