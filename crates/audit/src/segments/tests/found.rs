//! What is written is found: by each filter what a plain look at the list finds.

use std::collections::BTreeMap;

use portcullis_events::{Culprit, Field, Seen, SignInFailed, SignInSucceeded};
use portcullis_rules::identity::{Principal, ProviderName, Subject, fixtures};
use proptest::prelude::*;

use super::*;

const USERS: [&str; 4] = ["alice", "bob", "=cmd|' /C calc'!A0", "%_ünï"];
const ROUTES: [&str; 3] = ["wiki", "chat.corp.example/x", "a'); DROP TABLE event; --"];
const PROVIDERS: [&str; 2] = ["corp", "partners"];
const OUTCOMES: [Outcome; 5] =
    [Outcome::Allowed, Outcome::Forbidden, Outcome::Unauthenticated, Outcome::UpstreamError, Outcome::Public];

/// One thing that happens, and how many seconds pass before it.
#[derive(Clone, Copy, Debug)]
struct Happens {
    what: u8,
    user: Option<usize>,
    route: usize,
    outcome: usize,
    client: u8,
    session: u64,
    status: u16,
    passes: u64,
}

fn happens() -> impl Strategy<Value = Happens> {
    let user = prop::option::of(0..USERS.len());
    (0..6_u8, user, 0..3_usize, 0..5_usize, 0..4_u8, 0..4_u64, 0..3_usize, 0..120_u64).prop_map(
        |(what, user, route, outcome, client, session, status, passes)| {
            let status = [200, 404, 503][status];
            Happens { what, user, route, outcome, client, session, status, passes }
        },
    )
}

fn person(user: usize) -> Principal {
    let mut who = fixtures::alice();
    who.provider = ProviderName::new(PROVIDERS[user % 2]);
    (who.subject, who.user) = (Subject::new(format!("sub-{user}")), USERS[user].to_owned());
    who
}

/// The session of a user; 0: a token's.
fn session(user: usize, number: u64) -> u64 {
    if number == 0 { 0 } else { user as u64 * 4 + number }
}

fn emit(rig: &mut Rig, happens: &Happens) {
    let who = happens.user.map(person);
    let route = RouteWords::new(happens.route as u32 + 1, ROUTES[happens.route]);
    let caller = portcullis_events::Caller { id: "a-request", client: client(happens.client), device: None };
    let (amr, took) = (&[][..], None);
    match (happens.what, &who) {
        (0, Some(who)) => rig.emit(&SignInSucceeded { caller, who, session: happens.session + 1, amr, took }),
        (1, who) => {
            let (culprit, reason, who) = (Culprit::Client, "because", who.as_ref());
            rig.emit(&SignInFailed { caller, provider: None, who, culprit, reason, took });
        }
        (_, who) => {
            let outcome = OUTCOMES[happens.outcome];
            let good = matches!(outcome, Outcome::Allowed | Outcome::Public);
            let event = AccessEvent {
                access: if good { Access::Granted } else { Access::Refused },
                client: client(happens.client),
                who: who.as_ref(),
                shown: happens.user.and_then(|user| shown(session(user, happens.session))),
                status: happens.status,
                outcome,
                ..granted(&route)
            };
            rig.emit(&event);
        }
    }
    rig.clock.advance(Duration::from_secs(happens.passes));
}

/// What a line of JSON says.
fn told(line: &[u8], field: Field) -> Option<String> {
    let seen = Seen::read(line).unwrap();
    seen.text(field).map(str::to_owned).or_else(|| seen.number(field).map(|number| number.to_string()))
}

/// Whether a line fits, by a plain look at it.
fn fits(line: &[u8], name: &str, value: &str) -> bool {
    let is = |field| told(line, field).as_deref() == Some(value);
    match name {
        "type" => match value.strip_suffix('*') {
            Some(start) => told(line, Field::Type).unwrap().starts_with(start),
            None => is(Field::Type),
        },
        "outcome" if value == "refused" => {
            ["unauthenticated", "forbidden", "limited", "bad-request", "not-found"]
                .contains(&told(line, Field::Outcome).unwrap_or_default().as_str())
        }
        "outcome" => is(Field::Outcome),
        "user" => is(Field::User) || is(Field::Subject),
        "provider" => is(Field::Provider),
        "route" => is(Field::Route),
        "client" => match value.strip_suffix(".0/24") {
            Some(start) => told(line, Field::Client).is_some_and(|client| client.starts_with(start)),
            None => is(Field::Client),
        },
        "session" => is(Field::Session),
        "status" => is(Field::Status),
        _ => panic!("{name}"),
    }
}

fn questions() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let some = |name: &'static str, values: &[&str]| {
        let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
        prop::sample::select(values).prop_map(move |value| (name, value)).boxed()
    };
    let one = prop_oneof![
        some("type", &["access.*", "access.refused", "sign-in.failed", "sign-in.*", "session.ended"]),
        some("outcome", &["allowed", "refused", "forbidden", "upstream-error"]),
        some("user", &["alice", "bob", "sub-2", "=cmd|' /C calc'!A0", "%_ünï", "%", "nobody"]),
        some("provider", &["corp", "partners", "other"]),
        some("route", &["wiki", "a'); DROP TABLE event; --", "wi%"]),
        // Of an interval in which others of the network are, the first is told.
        some("client", &["192.0.2.0/24", "198.51.100.0/24"]),
        some("session", &["0000000000000001", "0000000000000006"]),
        some("status", &["200", "404", "999"]),
    ];
    prop::collection::btree_map(0..8_usize, one, 0..3).prop_map(|all| {
        let by_name: BTreeMap<_, _> = all.into_values().collect();
        by_name.into_iter().collect()
    })
}

type Sums = (u64, u64, u64, BTreeMap<String, u64>);

/// How many, bytes and microseconds of all of them, and how many of each kind and outcome.
fn sums_of(events: &[Event]) -> Sums {
    let mut sums = Sums::default();
    for event in events {
        sums.0 += event.count;
        sums.1 += event.bytes.unwrap_or(0);
        sums.2 += event.us.unwrap_or(0);
        let word = format!("{} {}", event.word, event.outcome.map_or("", Outcome::as_str));
        *sums.3.entry(word).or_default() += event.count;
    }
    sums
}

fn sums_of_lines<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Sums {
    let mut sums = Sums::default();
    for line in lines {
        let number = |field| told(line, field).map_or(0, |text| text.parse::<u64>().unwrap());
        sums.0 += 1;
        sums.1 += number(Field::Bytes);
        sums.2 += number(Field::Us);
        let word = format!(
            "{} {}",
            told(line, Field::Type).unwrap(),
            told(line, Field::Outcome).unwrap_or_default()
        );
        *sums.3.entry(word).or_default() += 1;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_found(
        all in prop::collection::vec(happens(), 1..120),
        questions in prop::collection::vec(questions(), 12),
        rows in 20..200_u64,
        beats in any::<bool>(),
    ) {
        let mut rig = Rig::with(Limits { rows, ..Limits::WHOLE });
        let mut lines = Vec::new();
        for some in all.chunks(7) {
            some.iter().for_each(|happens| emit(&mut rig, happens));
            let mut blocks = Vec::new();
            rig.recorder.sweep(|block| blocks.push(block));
            for block in blocks {
                lines.extend(block.heads().iter().map(|head| block.line(head).to_vec()));
                let events = block.heads().iter().map(|head| (head, block.line(head)));
                rig.writer.as_mut().unwrap().write(block.lane(), events).unwrap();
            }
            if beats {
                rig.beat();
            }
        }
        rig.end();
        let reader = rig.reader();
        for question in &questions {
            let parts: Vec<_> = question.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let filter = filter(rig.now(), &parts);
            let fitting = lines.iter().filter(|line| parts.iter().all(|(name, value)| fits(line, name, value)));
            let expected = sums_of_lines(fitting.map(Vec::as_slice));
            prop_assert_eq!(&sums_of(&every(&reader, &filter)), &expected, "{:?}", parts);
            prop_assert_eq!(&sums_of(&pages(&reader, &filter, 5)), &expected, "{:?}", parts);
        }
    }
}

#[test]
fn times_and_ids_are_found() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        rig.bare();
        rig.clock.advance(Duration::from_secs(60));
    }
    rig.write();
    rig.end();
    let (reader, all) = (rig.reader(), rig.all());
    let (from, to) = (START * 1_000_000 + 120_000_000, START * 1_000_000 + 360_000_000);
    let found = every(&reader, &Filter::default().since(from).until(to));
    let expected = all.iter().filter(|event| event.until >= from && event.time < to).count();
    assert!(found.len() == expected && expected > 100 && expected < all.len());
    let by_id = every(&reader, &filter(rig.now(), &[("id", "9d754d00dceca87e"), ("type", "sign-in.failed")]));
    assert_eq!(by_id.len(), 10);
    assert!(every(&reader, &filter(rig.now(), &[("id", "9d754d00dceca87%")])).is_empty());
}

#[test]
fn what_cannot_be_asked_for_is_told() {
    let now = Moment::from_micros(START * 1_000_000);
    for (name, value) in [
        ("users", "alice"),
        ("type", "acces.*"),
        ("outcome", "good"),
        ("-user", "alice"),
        ("client", "192.0.2.7/25"),
        ("client", "192.0.2"),
        ("session", "1"),
        ("session", "0000000000000000"),
        ("status", "4x"),
        ("status", "+40"),
        ("since", "yesterday"),
        ("since", ""),
        ("user", ""),
    ] {
        assert!(Filter::default().set(name, value, now).is_err(), "{name} {value}");
    }
    let long = "x".repeat(257);
    assert!(Filter::default().set("user", &long, now).is_err());
    let mut many = Filter::default();
    assert!((0..16).all(|n| many.set("route", &n.to_string(), now).is_ok()));
    assert_eq!(many.set("route", "one more", now), Err(FilterError::TooMany("route")));
    let (mut one, mut other) = (Filter::default(), Filter::default());
    one.set("-outcome", "granted", now).unwrap();
    other.set("outcome", "refused", now).unwrap();
    other.set("outcome", "failed", now).unwrap();
    assert_eq!(one, other);
}
