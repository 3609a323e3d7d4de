//! What a store of events costs: bytes and time of a row, and how long questions take.
//!
//! `micro events [N]` has so many events happen within thirty days, writes them into a store of its own as the gateway does,
//! asks a dozen questions, prints a table, and ends. Times are of the clock: read them on a machine that does nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis::clock::{Clock, Moment, Timestamp};
use portcullis::events::{
    Access, AccessEvent, AuthKind, Caller, Outcome, Recorder, RouteWords, Shown, SignInSucceeded,
};
use portcullis::identity::{Principal, ProviderName, Subject};
use portcullis::segments::{Filter, Patience, Question, Reader, StoreSettings};
use portcullis::sinks::{Audit, LogSink, Personal, Selection, Settings, SinkKind, SinkSettings};

use crate::case::principal;

const START: u64 = 1_800_000_000;
const DAYS: u64 = 30;
const PEOPLE: usize = 5_000;
const ROUTES: usize = 40;
/// Events between two pauses, so that none is lost.
const BATCH: usize = 2_000;
/// How often each question is asked.
const TIMES: usize = 40;

/// Measures so many events.
pub(crate) fn run(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let clock = Clock::manual(Timestamp::from_seconds(START));
    let began = Instant::now();
    fill(&path, &clock, count);
    let took = began.elapsed();
    let reader = Reader::open(&path).unwrap();
    let extent = reader.extent().unwrap();
    let rows = rows(&reader);
    println!("| {count} events, {rows} rows, {} segments | |\n|---|---|", extent.segments);
    row("bytes of a row", &format!("{:.0}", extent.bytes as f64 / rows as f64));
    row("bytes of an event", &format!("{:.0}", extent.bytes as f64 / count as f64));
    row("events a second, written", &format!("{:.0}", count as f64 / took.as_secs_f64()));
    row("rows a second, written", &format!("{:.0}", rows as f64 / took.as_secs_f64()));
    ask_all(&reader, clock.moment());
}

fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

fn fill(path: &Path, clock: &Clock, count: usize) {
    let recorder = Recorder::new(0, clock.clone(), 64 << 20);
    let log = LogSink::start(portcullis::sinks::LineFormat::Json).unwrap();
    let audit = Audit::start(recorder.clone(), &log).unwrap();
    let store = StoreSettings { path: path.to_owned(), keep: StoreSettings::KEEP, size: 1 << 40 };
    let sink = SinkSettings {
        name: "store".into(),
        kind: SinkKind::Store(store),
        selection: Selection::ALL,
        required: false,
        personal: Personal::Clear,
    };
    audit.apply(&Settings { log: Selection::NONE, sinks: vec![sink] }).unwrap();
    let people: Vec<_> = (0..PEOPLE).map(person).collect();
    let routes: Vec<_> = (0..ROUTES).map(|n| RouteWords::new(n as u32 + 1, &format!("app-{n}"))).collect();
    let pause = Duration::from_secs(DAYS * 86_400) / u32::try_from(count.div_ceil(BATCH)).unwrap();
    for batch in 0..count.div_ceil(BATCH) {
        for number in batch * BATCH..count.min((batch + 1) * BATCH) {
            emit(&recorder, number, &people, &routes);
        }
        assert!(audit.flush(Duration::from_secs(60)));
        clock.advance(pause);
    }
    assert!(audit.stop(Duration::from_secs(60)).is_empty());
    assert_eq!(recorder.lost(), 0);
}

fn person(number: usize) -> Principal {
    let provider = ProviderName::new(if number.is_multiple_of(10) { "partners" } else { "corp" });
    let (subject, user) = (Subject::new(format!("00u{number:08}")), format!("user-{number}"));
    Principal { provider, subject, user, ..(*principal()).clone() }
}

fn emit(recorder: &Recorder, number: usize, people: &[Principal], routes: &[RouteWords]) {
    // Spread as hashes are, the same each time.
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (who, route) = (&people[spread % PEOPLE], &routes[spread / PEOPLE % ROUTES]);
    let id = format!("{spread:016x}");
    let client = IpAddr::from(Ipv4Addr::from_bits(0x0A00_0000 | (spread % PEOPLE) as u32));
    let session = (spread % PEOPLE) as u64 + 1;
    if number.is_multiple_of(20) {
        let caller = Caller { id: &id, client, device: Some("Firefox on Linux") };
        recorder.emit(&SignInSucceeded { caller, who, session, amr: &[], took: None }).unwrap();
        return;
    }
    let refused = number % 20 == 1;
    let missing = ["group admins".to_owned()];
    let event = AccessEvent {
        access: if refused { Access::Refused } else { Access::Granted },
        id: &id,
        trace: None,
        client,
        device: None,
        amr: &[],
        agent: None,
        http: None,
        method: "GET",
        host: "app.corp.example",
        path: "/api/v1/things",
        route: Some(route),
        who: Some(who),
        shown: Some(Shown { kind: AuthKind::Session, credential: session, session, bound: None }),
        status: if refused { 403 } else { 200 },
        outcome: if refused { Outcome::Forbidden } else { Outcome::Allowed },
        rule: Some(&"policy staff, rule 1"),
        missing: if refused { &missing } else { &[] },
        reason: if refused { "no rule lets them in" } else { "" },
        bytes: 1_380,
        took: Duration::from_micros(684),
        upstream: None,
    };
    recorder.emit(&event).unwrap();
}

fn rows(reader: &Reader) -> usize {
    let mut rows = 0;
    let began = Instant::now();
    let count = &mut |_| {
        rows += 1;
        ControlFlow::Continue(())
    };
    reader.each(&Filter::default(), false, &Patience::endless(), count).unwrap();
    println!("every row was read in {:.1} s", began.elapsed().as_secs_f64());
    rows
}

fn ask_all(reader: &Reader, now: Moment) {
    let questions: [(&str, &[(&str, &str)]); 13] = [
        ("the newest", &[]),
        ("of a person", &[("user", "user-77")]),
        ("of a person on a route", &[("user", "user-77"), ("route", "app-7")]),
        ("on a route", &[("route", "app-7")]),
        ("refused", &[("outcome", "refused")]),
        (
            "refused on a route in a day",
            &[("outcome", "refused"), ("route", "app-7"), ("since", "2days"), ("until", "1day")],
        ),
        (
            "sign-ins of a day three weeks ago",
            &[("type", "sign-in.*"), ("since", "21days"), ("until", "20days")],
        ),
        ("from an address", &[("client", "10.0.0.77")]),
        ("of a session", &[("session", "000000000000004d")]),
        ("of a status", &[("status", "4xx")]),
        ("of a request that is not there", &[("id", "no-such-request")]),
        ("of nobody", &[("user", "nobody")]),
        ("of a person with a status that nothing has", &[("user", "user-77"), ("status", "299")]),
    ];
    for (what, parts) in questions {
        let mut filter = Filter::default();
        parts.iter().for_each(|(name, value)| filter.set(name, value, now).unwrap());
        row(&format!("{what}: p50, p95, longest"), &asked(reader, &filter));
    }
    let began = Instant::now();
    let mut lines = 0;
    reader.summaries(0..now.micros(), &Patience::endless(), &mut |_| lines += 1).unwrap();
    row(
        &format!("all {lines} lines of summaries"),
        &format!("{:.0} ms", began.elapsed().as_secs_f64() * 1e3),
    );
}

fn asked(reader: &Reader, filter: &Filter) -> String {
    let mut times: Vec<_> = (0..TIMES).map(|_| once(reader, filter)).collect();
    times.sort();
    let [p50, p95, longest] =
        [TIMES / 2, TIMES * 95 / 100, TIMES - 1].map(|at| times[at].as_secs_f64() * 1e3);
    format!("{p50:.1}, {p95:.1}, {longest:.1} ms")
}

fn once(reader: &Reader, filter: &Filter) -> Duration {
    let began = Instant::now();
    let question = Question { filter, behind: None, limit: 100, personal: true };
    reader.page(question, &Patience::endless()).unwrap();
    began.elapsed()
}
