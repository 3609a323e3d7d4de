//! What is not like any other day: what reports should find.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use fastrand::Rng;

use super::company::{Company, PROVIDER, app};
use super::plan::{HOUR, MINUTE, Plan, SECOND, Visit, What};
use super::usual::is_here;
use crate::events::{
    Change, ConfigurationChanged, Event, KeyPublished, KeyRotated, ManagementCalled, Part, PartBack,
    PartLost, ProcessEnded, ProcessStarted, SignalReceived,
};

/// Somewhere that nobody works (RFC 5737).
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77));

/// What happens so many days ago, beside the usual.
pub(super) fn plan(company: &Company, ago: u64, chance: &mut Rng, plan: &mut Plan) {
    match ago {
        29 => restart(plan),
        26 => payroll_is_new(plan),
        21 => provider_is_away(chance, plan),
        18 => next_key(plan),
        12 => wiki_is_away(company, ago, chance, plan),
        9 => token_has_run_out(plan),
        6 => account_is_taken_over(company, chance, plan),
        4 => zeno_leaves(company, chance, plan),
        _ => {}
    }
}

fn told(event: impl Event + 'static) -> What {
    What::Told(Box::new(event))
}

/// An update, at night.
fn restart(plan: &mut Plan) {
    let served = Some(Duration::from_secs(41 * 86_400));
    plan.at(2 * HOUR, told(ProcessEnded { pid: 611, reason: Some("SIGTERM"), served }));
    let started = ProcessStarted {
        version: env!("CARGO_PKG_VERSION"),
        pid: 734,
        before: None,
        workers: Some(2),
        file: Some("demo.toml"),
    };
    plan.at(2 * HOUR + 3 * SECOND, told(started));
}

fn payroll_is_new(plan: &mut Plan) {
    const CHANGES: &[Change<'static>] = &[
        Change { key: "routes.payroll.policy", before: None, after: Some("people") },
        Change { key: "policies.people.allow", before: None, after: Some("[{ groups = [\"people\"] }]") },
    ];
    let changed =
        ConfigurationChanged { file: "demo.toml", changes: CHANGES, count: Some(2), by: Some("bob") };
    plan.at(9 * HOUR + 12 * MINUTE, told(changed));
}

/// Nobody can sign in for a while.
fn provider_is_away(chance: &mut Rng, plan: &mut Plan) {
    let (begin, away) = (6 * HOUR + 40 * MINUTE, 34 * MINUTE);
    let reason = "cannot connect: connection refused";
    let part = Part::Provider;
    plan.at(begin, told(PartLost { part, name: PROVIDER, route: None, reason }));
    for number in 0..9 {
        let from = Ipv4Addr::new(10, 20, 3, 40 + number).into();
        let what = What::NoSignIn { from, device: "Edge on Windows", provider_failed: true, reason };
        plan.at(begin + chance.u64(0..away), what);
    }
    let away_for = Some(Duration::from_micros(away));
    plan.at(begin + away, told(PartBack { part, name: PROVIDER, route: None, away: away_for }));
}

fn next_key(plan: &mut Plan) {
    let key = "2026-11-b";
    plan.at(11 * HOUR, told(KeyPublished { key, signs_from: None, by: Some("bob") }));
    plan.at(12 * HOUR, told(KeyRotated { key, signs_from: None, by: None }));
}

/// An app that does not answer, and people who try again.
fn wiki_is_away(company: &Company, ago: u64, chance: &mut Rng, plan: &mut Plan) {
    let (begin, away) = (14 * HOUR, 11 * MINUTE);
    let (part, name, route) = (Part::Upstream, "127.0.0.1:8081", Some("wiki"));
    let reason = "cannot connect: connection refused";
    plan.at(begin, told(PartLost { part, name, route, reason }));
    let here: Vec<_> =
        (0..company.people.len()).filter(|who| is_here(&company.people[*who].who.user, ago)).collect();
    for _ in 0..60 {
        let who = here[chance.usize(0..here.len())];
        let colleague = &company.people[who];
        let visit = Visit { who, session: chance.u64(1..), from: colleague.desk, device: colleague.device };
        plan.at(begin + chance.u64(0..away), What::NoAnswer { visit, route: "wiki" });
    }
    let away = Some(Duration::from_micros(away));
    plan.at(begin + 11 * MINUTE, told(PartBack { part, name, route, away }));
}

/// A program that goes on with a token that is over.
fn token_has_run_out(plan: &mut Plan) {
    let from = Ipv4Addr::new(10, 20, 9, 33).into();
    for number in 0..90 {
        let reason = "expired: the token was good until 03:00:00Z";
        plan.at(3 * HOUR + number * 20 * SECOND, What::BadToken { from, reason });
    }
}

/// Somebody signs in as rosa from where she has never been, and tries every door, until bob sees it.
fn account_is_taken_over(company: &Company, chance: &mut Rng, plan: &mut Plan) {
    let (who, device, begin) = (company.number("rosa"), "Chrome on Linux", HOUR + 17 * MINUTE);
    let visit = Visit { who, session: chance.u64(1..), from: ELSEWHERE, device };
    for number in 0..3 {
        let (reason, from) = ("the provider refused it: access_denied", ELSEWHERE);
        let what = What::NoSignIn { from, device, provider_failed: false, reason };
        plan.at(begin - (number + 1) * 50 * SECOND, what);
    }
    plan.at(begin, What::SignIn(visit));
    for number in 0..40 {
        let route = ["payroll", "ops", "console", "wiki"][(number % 4) as usize];
        let path = app(route).paths[(number / 4) as usize % app(route).paths.len()];
        plan.at(begin + (number + 1) * 7 * SECOND, What::Use { visit, route, path });
    }
    let called = ManagementCalled {
        operator: "demo:bob",
        operation: "end-sessions",
        id: None,
        client: Some(company.people[1].home),
        status: 200,
        reason: Some("signed in from somewhere that rosa is not"),
        selected: Some(1),
        ended: Some(1),
    };
    plan.at(begin + 22 * MINUTE, told(called));
    plan.at(
        begin + 22 * MINUTE,
        What::End { visit, why: "administrator", by: Some("demo:bob"), cut: Some(2) },
    );
}

/// The provider says that somebody's account is closed.
fn zeno_leaves(company: &Company, chance: &mut Rng, plan: &mut Plan) {
    let who = company.number("zeno");
    let colleague = &company.people[who];
    let visit = Visit { who, session: chance.u64(1..), from: colleague.desk, device: colleague.device };
    plan.at(8 * HOUR, What::SignIn(visit));
    plan.at(8 * HOUR + MINUTE, What::Use { visit, route: "wiki", path: "/wiki" });
    let signal = SignalReceived {
        transmitter: PROVIDER,
        signal: "account-disabled",
        provider: Some(PROVIDER),
        subject: None,
        selected: Some(1),
        ended: Some(1),
        reason: None,
    };
    plan.at(16 * HOUR, told(signal));
    plan.at(16 * HOUR, What::End { visit, why: "signalled", by: None, cut: Some(0) });
    let (from, device, reason) = (colleague.home, colleague.phone, "the provider refused it: access_denied");
    plan.at(20 * HOUR, What::NoSignIn { from, device, provider_failed: false, reason });
}
