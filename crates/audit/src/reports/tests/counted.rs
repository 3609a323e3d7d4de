//! Each report counts what a plain loop over the lines counts, whatever has happened.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_events::{Culprit, SessionEnded, SignInFailed, SignInSucceeded, SignedOut};
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["alice", "bob", "=cmd|' /C calc'!A0"];
const ROUTES: [&str; 2] = ["wiki", "chat"];
const REFUSED: [&str; 5] = ["unauthenticated", "forbidden", "limited", "bad-request", "not-found"];
const GOOD: [&str; 3] = ["allowed", "public", "own"];

#[derive(Clone, Copy, Debug)]
struct Happens {
    what: u8,
    who: usize,
    route: usize,
    outcome: usize,
    times: u8,
    passes: u64,
}

fn happens() -> impl Strategy<Value = Happens> {
    (0..8_u8, 0..NAMES.len(), 0..ROUTES.len(), 0..Outcome::ALL.len(), 1..4_u8, 0..20_000_u64).prop_map(
        |(what, who, route, outcome, times, passes)| Happens { what, who, route, outcome, times, passes },
    )
}

fn emit(rig: &mut Rig, happens: Happens) {
    let (who, session) = (person(NAMES[happens.who]), happens.who as u64 + 1);
    let (caller, amr, took) = (caller(client(100, happens.who as u8)), &[][..], None);
    match happens.what {
        0 => rig.emit(&SignInSucceeded { caller, who: &who, session, amr, took }),
        1 => {
            let (provider, culprit, reason) = (None, Culprit::Provider, "because");
            rig.emit(&SignInFailed { caller, provider, who: Some(&who), culprit, reason, took });
        }
        2 => rig.emit(&SignedOut { caller, who: Some(&who), session }),
        3 => {
            let (caller, who) = (None, Some(&who));
            rig.emit(&SessionEnded { caller, who, session, why: "expired", by: None, cut: None });
        }
        _ => {
            let route = RouteWords::new(happens.route as u32 + 1, ROUTES[happens.route]);
            let who = (happens.what < 7).then_some(&who);
            for _ in 0..happens.times {
                rig.emit(&request(&route, who, session, Outcome::ALL[happens.outcome]));
            }
        }
    }
    rig.pass(happens.passes);
}

fn text<'j>(line: &'j Json, name: &str) -> &'j str {
    line[name].as_str().unwrap_or_default()
}

fn is(line: &Json, kind: &str) -> bool {
    text(line, "type") == kind
}

fn is_request(line: &Json) -> bool {
    is(line, "access.granted") || is(line, "access.refused")
}

/// Sums of a column.
fn sum(frame: &Frame, column: &str) -> u64 {
    frame.rows.iter().map(|row| number(frame, row, column)).sum()
}

fn people(lines: &[Json], fits: impl Fn(&Json) -> bool) -> u64 {
    let subjects: BTreeSet<_> =
        lines.iter().filter(|line| fits(line)).map(|line| text(line, "subject")).collect();
    subjects.iter().filter(|subject| !subject.is_empty()).count() as u64
}

fn check_days(rig: &Rig) {
    let (sign_ins, lines) = (rig.report(Report::SignIns), &rig.lines);
    let day = |line: &Json| text(line, "time")[..10].to_owned();
    for row in &sign_ins.rows {
        let Cell::Text(date) = &row[0] else { panic!("{row:?}") };
        for (column, kind) in
            [("signed in", "sign-in.succeeded"), ("failed", "sign-in.failed"), ("signed out", "signed-out")]
        {
            let (count, _) = plain(lines, |line| is(line, kind) && day(line) == *date);
            assert_eq!(number(&sign_ins, row, column), count, "{date} {column}");
        }
        let signed_in = people(lines, |line| is(line, "sign-in.succeeded") && day(line) == *date);
        assert_eq!(number(&sign_ins, row, "people"), signed_in);
    }
    let access = rig.report(Report::Access);
    let (all, bytes) = plain(lines, is_request);
    assert_eq!((sum(&access, "requests"), sum(&access, "bytes")), (all, bytes));
    let of =
        |words: &[&str]| plain(lines, |line| is_request(line) && words.contains(&text(line, "outcome"))).0;
    let (refused, good) = (of(&REFUSED), of(&GOOD));
    assert_eq!(
        (sum(&access, "refused"), sum(&access, "let in"), sum(&access, "failed")),
        (refused, good, all - refused - good)
    );
}

fn check_apps(rig: &Rig) {
    let apps = rig.report(Report::Apps);
    for route in ROUTES {
        let (all, bytes) = plain(&rig.lines, |line| is_request(line) && text(line, "route") == route);
        let Some(row) = row(&apps, &[route]) else {
            assert_eq!(all, 0, "{route}");
            continue;
        };
        let counted: u64 =
            ["let in", "refused", "failed"].map(|column| number(&apps, row, column)).iter().sum();
        assert_eq!((counted, number(&apps, row, "bytes")), (all, bytes), "{route}");
        let whose = people(&rig.lines, |line| is_request(line) && text(line, "route") == route);
        assert_eq!(number(&apps, row, "people"), whose, "{route}");
    }
}

fn check_refusals(rig: &Rig) {
    let refusals = rig.report(Report::Refusals);
    let mut expected: BTreeMap<(String, String), u64> = BTreeMap::new();
    for line in rig.lines.iter().filter(|line| is(line, "access.refused")) {
        *expected.entry((text(line, "route").into(), text(line, "outcome").into())).or_default() += 1;
    }
    let mut counted: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in &refusals.rows {
        let (Cell::Text(route), Cell::Text(outcome)) = (&row[0], &row[1]) else { panic!("{row:?}") };
        *counted.entry((route.clone(), outcome.clone())).or_default() += number(&refusals, row, "times");
    }
    assert_eq!(counted, expected);
}

fn check_people(rig: &Rig) {
    let frame = rig.report(Report::People);
    for name in NAMES {
        let of = |kind: &str| plain(&rig.lines, |line| is(line, kind) && text(line, "user") == name).0;
        let (all, _) = plain(&rig.lines, |line| is_request(line) && text(line, "user") == name);
        let (sign_ins, failed) = (of("sign-in.succeeded"), of("sign-in.failed"));
        match row(&frame, &[name]) {
            Some(row) => {
                let told =
                    ["sign-ins", "failed sign-ins", "requests"].map(|column| number(&frame, row, column));
                assert_eq!(told, [sign_ins, failed, all], "{name}");
            }
            None => assert_eq!((sign_ins, failed, all), (0, 0, 0), "{name}"),
        }
    }
}

fn check_sessions(rig: &Rig) {
    let frame = rig.report(Report::Sessions);
    for session in 1..=NAMES.len() as u64 {
        let id = format!("{session:016x}");
        let (all, _) = plain(&rig.lines, |line| is_request(line) && text(line, "session") == id);
        let told = row(&frame, &[&id]).map_or(0, |row| number(&frame, row, "requests"));
        assert_eq!(told, all, "{id}");
    }
}

fn check_providers(rig: &Rig) {
    let frame = rig.report(Report::Providers);
    let (sign_ins, _) = plain(&rig.lines, |line| is(line, "sign-in.succeeded"));
    let (failed, _) = plain(&rig.lines, |line| is(line, "sign-in.failed"));
    assert_eq!((sum(&frame, "sign-ins"), sum(&frame, "failed")), (sign_ins, failed));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn each_report_says_what_a_plain_count_says(history in prop::collection::vec(happens(), 0..60)) {
        let mut rig = Rig::new();
        for happens in history {
            emit(&mut rig, happens);
            rig.write();
        }
        check_days(&rig);
        check_apps(&rig);
        check_refusals(&rig);
        check_people(&rig);
        check_sessions(&rig);
        check_providers(&rig);
    }
}

#[test]
fn what_goes_on_is_counted_each_time() {
    let mut rig = Rig::new();
    let (alice, wiki) = (person("alice"), RouteWords::new(1, "wiki"));
    for _ in 0..7 {
        rig.emit(&request(&wiki, Some(&alice), 1, Outcome::Allowed));
    }
    rig.write();
    let apps = rig.report(Report::Apps);
    assert_eq!(number(&apps, row(&apps, &["wiki"]).unwrap(), "let in"), 7);
}
