//! What is like any other day.

use std::net::{IpAddr, Ipv4Addr};

use fastrand::Rng;

use super::company::{APPS, App, Colleague, Company};
use super::plan::{HOUR, MINUTE, Plan, SECOND, Visit, What};

/// When each program works, and how often it calls.
const SHIFTS: [(std::ops::Range<u64>, u64); 2] =
    [(2 * HOUR..2 * HOUR + 40 * MINUTE, 20 * SECOND), (7 * HOUR..19 * HOUR, 2 * MINUTE)];

/// What strangers look for everywhere.
const LOOKED_FOR: [&str; 6] =
    ["/.env", "/wp-login.php", "/.git/config", "/admin", "/actuator/env", "/backup.zip"];

pub(super) fn plan(company: &Company, ago: u64, chance: &mut Rng, plan: &mut Plan) {
    for (number, colleague) in company.people.iter().enumerate() {
        if is_here(&colleague.who.user, ago) && comes(plan, chance) {
            day_of(number, colleague, chance, plan);
        }
    }
    (0..company.machines.len()).for_each(|machine| calls(machine, chance, plan));
    strangers(chance, plan);
}

/// Of some, nobody has seen anything for long: who has left, and who never came back from a leave.
pub(super) fn is_here(user: &str, ago: u64) -> bool {
    match user {
        "quinn" => ago > 24,
        "zeno" => ago > 4,
        "ulla" => ago > 27,
        _ => true,
    }
}

fn comes(plan: &Plan, chance: &mut Rng) -> bool {
    chance.f64() < if plan.is_weekday() { 0.86 } else { 0.06 }
}

fn day_of(number: usize, colleague: &Colleague, chance: &mut Rng, plan: &mut Plan) {
    let from = if chance.f64() < 0.7 { colleague.desk } else { colleague.home };
    let visit = Visit { who: number, session: chance.u64(1..), from, device: colleague.device };
    let begin = 7 * HOUR + chance.u64(0..150 * MINUTE);
    let end = begin + 7 * HOUR + chance.u64(0..150 * MINUTE);
    plan.at(begin, What::SignIn(visit));
    plan.at(begin + 2 * SECOND, first(visit));
    work(visit, &colleague.who.groups, begin + MINUTE..end, chance, plan);
    refreshes(visit, begin, end, plan);
    match chance.f64() < 0.35 {
        true => plan.at(end, What::SignOut(visit)),
        false => plan.at(begin + 12 * HOUR, What::End { visit, why: "expired", by: None, cut: None }),
    }
    if chance.f64() < 0.25 {
        evening(number, colleague, chance, plan);
    }
}

fn first(visit: Visit) -> What {
    What::Use { visit, route: "app", path: "/" }
}

/// Someone looks something up on the phone.
fn evening(number: usize, colleague: &Colleague, chance: &mut Rng, plan: &mut Plan) {
    let visit =
        Visit { who: number, session: chance.u64(1..), from: colleague.home, device: colleague.phone };
    let at = 19 * HOUR + chance.u64(0..2 * HOUR);
    plan.at(at, What::SignIn(visit));
    for number in 0..chance.u64(2..9) {
        plan.at(at + (number + 1) * 9 * SECOND, What::Use { visit, route: "wiki", path: "/wiki" });
    }
}

/// Some minutes on an app, a while of something else, and so on.
fn work(visit: Visit, groups: &[String], hours: std::ops::Range<u64>, chance: &mut Rng, plan: &mut Plan) {
    let mut now = hours.start;
    while now < hours.end {
        let app = app_for(groups, chance);
        for _ in 0..chance.u64(4..26) {
            now += chance.u64(SECOND..15 * SECOND);
            let path = app.paths[chance.usize(0..app.paths.len())];
            plan.at(now, What::Use { visit, route: app.route, path });
        }
        now += 10 * MINUTE + chance.u64(0..40 * MINUTE);
    }
    // Once in a while somebody tries a door that is not theirs.
    if chance.f64() < 0.04 {
        let route = if chance.bool() { "payroll" } else { "ops" };
        plan.at(hours.start + HOUR, What::Use { visit, route, path: super::company::app(route).paths[0] });
    }
}

fn app_for(groups: &[String], chance: &mut Rng) -> &'static App {
    let open: Vec<_> = APPS
        .iter()
        .filter(|app| app.group.is_none_or(|group| groups.iter().any(|own| own == group)))
        .collect();
    // The first is used most.
    let which = chance.f64() * chance.f64() * open.len() as f64;
    open.get(which as usize).copied().unwrap_or(&APPS[0])
}

fn refreshes(visit: Visit, begin: u64, end: u64, plan: &mut Plan) {
    (1..)
        .map(|hour| begin + hour * HOUR)
        .take_while(|at| *at < end)
        .for_each(|at| plan.at(at, What::Refresh(visit)));
}

/// A token is good for an hour.
fn calls(machine: usize, chance: &mut Rng, plan: &mut Plan) {
    let (shift, pause) = &SHIFTS[machine % SHIFTS.len()];
    let (mut at, mut token, mut until) = (shift.start, 0, 0);
    while at < shift.end {
        let is_first = at >= until;
        if is_first {
            (token, until) = (chance.u64(1..), at + HOUR);
        }
        plan.at(at, What::Call { machine, token, is_first });
        at += pause + chance.u64(0..SECOND);
    }
}

fn strangers(chance: &mut Rng, plan: &mut Plan) {
    for _ in 0..chance.u64(2..7) {
        let (from, begin) = (stranger(chance), chance.u64(0..23 * HOUR));
        for path in LOOKED_FOR {
            plan.at(begin + chance.u64(0..2 * MINUTE), What::Stranger { from, path });
        }
    }
    for _ in 0..chance.u64(60..180) {
        let at = 6 * HOUR + chance.u64(0..16 * HOUR);
        plan.at(at, What::Public { from: stranger(chance) });
    }
}

/// Somebody of a network that is set aside for documentation (RFC 5737).
fn stranger(chance: &mut Rng) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, chance.u8(1..255)).into()
}
