//! Tells what happens as the gateway would have told it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use fastrand::Rng;

use super::company::{APPS, Company, PROVIDER, app};
use super::plan::{Happening, Visit, What};
use crate::clock::Moment;
use crate::events::{
    Access, AccessEvent, AuthKind, Caller, CredentialFirstUsed, CredentialRefused, Culprit, Outcome,
    RouteWords, SessionEnded, Shown, SignInBegun, SignInFailed, SignInSucceeded, SignedOut, TokensRefreshed,
};
use crate::identity::Principal;
use crate::segments::{Past, StoreError};

pub(super) struct Teller<'a> {
    company: &'a Company,
    past: Past,
    routes: HashMap<&'static str, RouteWords>,
    amr: Vec<String>,
}

/// What is said of a request beside who asks.
struct Asked<'a> {
    route: &'static str,
    path: &'a str,
    from: IpAddr,
    status: u16,
    outcome: Outcome,
    rule: Option<&'static str>,
    reason: &'a str,
    missing: &'a [String],
    took: u64,
}

impl<'a> Teller<'a> {
    pub(super) fn new(company: &'a Company, past: Past) -> Self {
        let names = APPS.iter().map(|app| app.route).chain(["api", "public"]);
        let routes = names.zip(1..).map(|(name, number)| (name, RouteWords::new(number, name))).collect();
        Self { company, past, routes, amr: vec!["pwd".to_owned(), "otp".to_owned()] }
    }

    pub(super) fn end(self) -> Result<(), StoreError> {
        self.past.end()
    }

    pub(super) fn tell(&mut self, happening: &Happening, chance: &mut Rng) -> Result<(), StoreError> {
        self.past.at(Moment::from_micros(happening.at))?;
        let id = id(chance);
        match &happening.what {
            What::SignIn(visit) => self.sign_in(*visit, &id, chance),
            What::NoSignIn { from, device, provider_failed, reason } => {
                let caller = Caller { id: &id, client: *from, device: Some(device) };
                let culprit = if *provider_failed { Culprit::Provider } else { Culprit::Client };
                let (provider, who, took) = (Some(PROVIDER), None, None);
                self.past.tell(&SignInFailed { caller, provider, who, culprit, reason, took })
            }
            What::Use { visit, route, path } => self.use_of(*visit, route, path, &id, chance),
            What::Refresh(visit) => {
                let (who, session) = (self.who(visit), visit.session);
                let took = Duration::from_micros(chance.u64(18_000..90_000));
                self.past.tell(&TokensRefreshed { caller: None, who, session, took })
            }
            What::SignOut(visit) => {
                let who = Some(self.who(visit));
                self.past.tell(&SignedOut {
                    caller: caller(visit, &id),
                    who,
                    session: visit.session,
                    cut: None,
                })
            }
            What::End { visit, why, by, cut } => {
                let (who, session) = (Some(self.who(visit)), visit.session);
                self.past.tell(&SessionEnded { caller: None, who, session, why, by: *by, cut: *cut })
            }
            What::Call { machine, token, is_first } => self.call(*machine, *token, *is_first, &id, chance),
            What::BadToken { from, reason } => self.bad_token(*from, reason, &id),
            What::Stranger { from, path } => self.ask(None, None, None, &id, &stranger(*from, path)),
            What::Public { from } => self.ask(None, None, None, &id, &public(*from, chance)),
            What::NoAnswer { visit, route } => {
                let reason = "cannot connect to the upstream: connection refused";
                let path = app(route).paths[0];
                let asked = failed(visit, route, path, reason, chance);
                self.ask_of(*visit, &id, &asked)
            }
            What::Told(event) => self.past.tell(&**event),
        }
    }

    fn who(&self, visit: &Visit) -> &'a Principal {
        &self.company.people[visit.who].who
    }

    fn sign_in(&mut self, visit: Visit, id: &str, chance: &mut Rng) -> Result<(), StoreError> {
        let (caller, who, session) = (caller(&visit, id), self.who(&visit), visit.session);
        self.past.tell(&SignInBegun { caller, provider: PROVIDER, route: Some("app") })?;
        let took = Some(Duration::from_micros(chance.u64(4_000_000..40_000_000)));
        self.past.tell(&SignInSucceeded { caller, who, session, amr: &self.amr, took })?;
        let shown = shown(&visit);
        self.past.tell(&CredentialFirstUsed { caller, who, shown, amr: &self.amr })
    }

    /// They are let in where their groups say so.
    fn use_of(
        &mut self,
        visit: Visit,
        route: &'static str,
        path: &str,
        id: &str,
        chance: &mut Rng,
    ) -> Result<(), StoreError> {
        let (app, groups) = (app(route), &self.who(&visit).groups);
        let closed = app.group.filter(|group| !groups.iter().any(|own| own == group));
        let missing: Vec<String> = closed.iter().map(|group| format!("one of the groups: {group}")).collect();
        let reason = closed.map_or_else(String::new, |group| format!("policy {group}, no allow rule holds"));
        let (status, outcome) =
            if closed.is_none() { (200, Outcome::Allowed) } else { (403, Outcome::Forbidden) };
        let asked = Asked {
            route,
            path,
            from: visit.from,
            status,
            outcome,
            rule: closed.is_none().then_some(app.rule),
            reason: &reason,
            missing: &missing,
            took: if closed.is_none() { answered(app.took, chance) } else { chance.u64(300..900) },
        };
        self.ask_of(visit, id, &asked)
    }

    fn ask_of(&mut self, visit: Visit, id: &str, asked: &Asked<'_>) -> Result<(), StoreError> {
        self.ask(Some(self.who(&visit)), Some(shown(&visit)), Some(visit.device), id, asked)
    }

    fn call(
        &mut self,
        machine: usize,
        token: u64,
        is_first: bool,
        id: &str,
        chance: &mut Rng,
    ) -> Result<(), StoreError> {
        let company = self.company;
        let (who, from) = (&company.machines[machine].who, company.machines[machine].from);
        let shown = Shown { kind: AuthKind::AccessToken, credential: token, session: 0, bound: None };
        if is_first {
            let caller = Caller { id, client: from, device: None };
            self.past.tell(&CredentialFirstUsed { caller, who, shown, amr: &[] })?;
        }
        let asked = Asked {
            route: "api",
            path: "/api",
            from,
            status: 200,
            outcome: Outcome::Allowed,
            rule: Some("policy route, allow rule 2"),
            reason: "",
            missing: &[],
            took: answered(5_000, chance),
        };
        self.ask(Some(who), Some(shown), None, id, &asked)
    }

    fn bad_token(&mut self, from: IpAddr, reason: &str, id: &str) -> Result<(), StoreError> {
        let (caller, provider) = (Caller { id, client: from, device: None }, Some(PROVIDER));
        let auth = AuthKind::AccessToken;
        self.past.tell(&CredentialRefused { caller, auth, provider, credential: 0, reason })?;
        let asked = Asked { route: "api", path: "/api", reason, took: 480, ..stranger(from, "/api") };
        self.ask(None, None, None, id, &asked)
    }

    fn ask(
        &mut self,
        who: Option<&Principal>,
        shown: Option<Shown>,
        device: Option<&str>,
        id: &str,
        asked: &Asked<'_>,
    ) -> Result<(), StoreError> {
        let is_let_in = matches!(asked.outcome, Outcome::Allowed | Outcome::Public | Outcome::UpstreamError);
        let took = Duration::from_micros(asked.took);
        self.past.tell(&AccessEvent {
            access: if is_let_in { Access::Granted } else { Access::Refused },
            id,
            trace: None,
            client: asked.from,
            agent: None,
            http: None,
            method: "GET",
            host: &self.company.host,
            path: asked.path,
            route: self.routes.get(asked.route),
            who,
            shown,
            device,
            amr: if shown.is_some_and(|shown| shown.kind == AuthKind::Session) { &self.amr } else { &[] },
            status: asked.status,
            outcome: asked.outcome,
            rule: asked.rule.as_ref().map(|rule| rule as &dyn std::fmt::Display),
            missing: asked.missing,
            reason: asked.reason,
            bytes: if is_let_in { 900 + asked.took % 50_000 } else { 220 },
            took,
            upstream: is_let_in.then(|| took.mul_f64(0.97)),
        })
    }
}

fn caller<'c>(visit: &Visit, id: &'c str) -> Caller<'c> {
    Caller { id, client: visit.from, device: Some(visit.device) }
}

const fn shown(visit: &Visit) -> Shown {
    Shown { kind: AuthKind::Session, credential: visit.session, session: visit.session, bound: None }
}

fn stranger(from: IpAddr, path: &str) -> Asked<'_> {
    Asked {
        route: "app",
        path,
        from,
        status: 401,
        outcome: Outcome::Unauthenticated,
        rule: None,
        reason: "nobody is signed in",
        missing: &[],
        took: 350,
    }
}

fn public(from: IpAddr, chance: &mut Rng) -> Asked<'static> {
    Asked {
        route: "public",
        path: "/public",
        from,
        status: 200,
        outcome: Outcome::Public,
        rule: Some("the route is public"),
        reason: "",
        missing: &[],
        took: answered(3_000, chance),
    }
}

fn failed<'p>(
    visit: &Visit,
    route: &'static str,
    path: &'p str,
    reason: &'p str,
    chance: &mut Rng,
) -> Asked<'p> {
    Asked {
        route,
        path,
        from: visit.from,
        status: 502,
        outcome: Outcome::UpstreamError,
        rule: Some(app(route).rule),
        reason,
        missing: &[],
        took: chance.u64(900..4_000),
    }
}

/// Most answers take about so long, few take much longer.
fn answered(usual: u64, chance: &mut Rng) -> u64 {
    let slow = chance.f64().powi(6) * 12.0;
    (usual as f64 * (0.6 + chance.f64() * 0.6 + slow)) as u64
}

fn id(chance: &mut Rng) -> String {
    format!("{:016x}", chance.u64(..))
}
