//! Who works here, with what, on which apps.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::demo::{Demo, Person};
use crate::identity::{Issuer, Principal, ProviderName, Subject};

/// What the demo's provider is called in its configuration.
pub(super) const PROVIDER: &str = "demo";

/// Names, and the groups that they are in; alice and bob come before them.
const NAMES: [(&str, &[&str]); 23] = [
    ("carla", &["staff"]),
    ("daniel", &["staff"]),
    ("elif", &["staff", "people"]),
    ("farid", &["staff"]),
    ("grete", &["staff"]),
    ("hugo", &["staff", "ops"]),
    ("ines", &["staff"]),
    ("jonas", &["staff"]),
    ("keiko", &["staff"]),
    ("lukas", &["staff"]),
    ("marta", &["staff", "people"]),
    ("nils", &["staff"]),
    ("olga", &["staff"]),
    ("pavel", &["staff", "ops"]),
    ("quinn", &["staff"]),
    ("rosa", &["staff"]),
    ("samir", &["staff"]),
    ("tomas", &["staff"]),
    ("ulla", &["staff"]),
    ("vera", &["staff"]),
    ("wim", &["staff"]),
    ("yara", &["staff"]),
    ("zeno", &["staff"]),
];

const DEVICES: [&str; 6] = [
    "Firefox on Windows",
    "Edge on Windows",
    "Chrome on macOS",
    "Safari on macOS",
    "Chrome on Windows",
    "Firefox on Linux",
];

/// Somebody who works here.
pub(super) struct Colleague {
    pub(super) who: Principal,
    /// What they sit at.
    pub(super) device: &'static str,
    /// What they carry.
    pub(super) phone: &'static str,
    pub(super) desk: IpAddr,
    pub(super) home: IpAddr,
}

/// A program with a token of its own.
pub(super) struct Machine {
    pub(super) who: Principal,
    pub(super) from: IpAddr,
}

pub(super) struct Company {
    pub(super) people: Vec<Colleague>,
    pub(super) machines: Vec<Machine>,
    /// What people ask for: the host of the demo.
    pub(super) host: String,
}

impl Company {
    pub(super) fn of(demo: &Demo) -> Self {
        let first = demo.people().iter().map(|person| known(demo, person));
        let others = NAMES
            .iter()
            .zip(1_001_u32..)
            .map(|((name, groups), number)| principal(demo.issuer(), &format!("u-{number}"), name, groups));
        let people = first.chain(others).zip(0..).map(|(who, number)| colleague(who, number)).collect();
        let machine = |name: &str, last| Machine {
            who: principal(demo.issuer(), name, name, &[]),
            from: Ipv4Addr::new(10, 20, 9, last).into(),
        };
        let url = demo.public_url();
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self { people, machines: vec![machine("nightly-export", 14), machine("status-board", 21)], host }
    }

    /// The number of somebody in `people`; the first one's where nobody is called so.
    pub(super) fn number(&self, user: &str) -> usize {
        self.people.iter().position(|colleague| colleague.who.user == user).unwrap_or(0)
    }
}

fn known(demo: &Demo, person: &Person) -> Principal {
    principal(demo.issuer(), person.subject, person.name, person.groups)
}

fn colleague(who: Principal, number: u8) -> Colleague {
    let phone = if number.is_multiple_of(3) { "Safari on iOS" } else { "Chrome on Android" };
    let desk = Ipv4Addr::new(10, 20, 3, 10 + number).into();
    // Of addresses that are set aside for documentation (RFC 5737, RFC 3849).
    let home = match number.is_multiple_of(2) {
        true => Ipv4Addr::new(198, 51, 100, 20 + number).into(),
        false => Ipv6Addr::new(0x2001, 0xDB8, u16::from(number), 0, 0, 0, 0, 7).into(),
    };
    Colleague { who, device: DEVICES[usize::from(number) % DEVICES.len()], phone, desk, home }
}

fn principal(issuer: &str, subject: &str, user: &str, groups: &[&str]) -> Principal {
    Principal {
        provider: ProviderName::new(PROVIDER),
        issuer: Issuer::new(issuer),
        subject: Subject::new(subject),
        user: user.to_owned(),
        email: None,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        scopes: Vec::new(),
        auth_time: None,
        acr: None,
        claims: serde_json::Map::new().into(),
        gaps: crate::identity::Gaps::default(),
    }
}

/// What is behind the gateway.
pub(super) struct App {
    pub(super) route: &'static str,
    pub(super) paths: &'static [&'static str],
    /// Who is let in, in words.
    pub(super) rule: &'static str,
    /// The group that is let in; none: everybody.
    pub(super) group: Option<&'static str>,
    /// How long it takes for an answer, in microseconds.
    pub(super) took: u64,
}

const SIGNED_IN: &str = "the route is open to everybody who is signed in";

/// All apps that people use; those that are used most come first.
pub(super) const APPS: [App; 5] = [
    App {
        route: "wiki",
        paths: &["/wiki", "/wiki/onboarding", "/wiki/holidays", "/wiki/search", "/wiki/releases/2026-11"],
        rule: SIGNED_IN,
        group: None,
        took: 38_000,
    },
    App { route: "app", paths: &["/", "/who-am-i"], rule: SIGNED_IN, group: None, took: 9_000 },
    App {
        route: "ops",
        paths: &["/ops", "/ops/deployments", "/ops/certificates"],
        rule: "policy ops, allow rule 1",
        group: Some("ops"),
        took: 24_000,
    },
    App {
        route: "payroll",
        paths: &["/payroll", "/payroll/november", "/payroll/people"],
        rule: "policy people, allow rule 1",
        group: Some("people"),
        took: 61_000,
    },
    App {
        route: "console",
        paths: &["/", "/events", "/people", "/sessions"],
        rule: "policy ops, allow rule 1",
        group: Some("ops"),
        took: 6_000,
    },
];

/// The app of a route; the first where there is none of that name.
pub(super) fn app(route: &str) -> &'static App {
    APPS.iter().find(|app| app.route == route).unwrap_or(&APPS[0])
}
