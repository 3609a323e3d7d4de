//! Where somebody may go: one look at the compiled rules of every route, without a request.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::Method;

use super::settings::{GateSettings, RouteSettings};
use crate::authn::Accepted;
use crate::clock::Timestamp;
use crate::identity::{Principal, RouteName};
use crate::policy::{Access, AccessSettings, Explanation, Question, Verdict, explain};
use crate::request::{ClientAddress, RequestPath};

/// The rules of all routes that people come to, compiled once for as many people as are asked about.
#[derive(Debug)]
pub struct Reach {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    route: RouteName,
    method: Method,
    path: RequestPath,
    access: Access,
    print: String,
}

/// A route that somebody may reach, or of which nobody can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reachable {
    /// The route.
    pub route: RouteName,
    /// What would become of them there.
    pub may: May,
    /// By which rule, or what it hangs on, in words.
    pub by: String,
    /// What the rules of the route come to, in eight letters: others, where any of them was changed.
    pub print: String,
}

/// Whether somebody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// They may.
    Yes,
    /// They may, once they have signed in in a stronger way.
    AfterStepUp,
    /// It hangs on what is not known of them.
    Unknown,
}

impl Reach {
    /// Compiles the rules of a configuration. Public routes are not among them: there nobody is known.
    #[must_use]
    pub fn new(settings: &GateSettings) -> Self {
        Self { rows: settings.routes.iter().filter_map(Row::of).collect() }
    }

    /// Where a person may go, asked from `client`. What is not known of them is neither there nor missing: where a rule
    /// hangs on it, that is said.
    #[must_use]
    pub fn of(&self, person: &Arc<Principal>, client: IpAddr, now: Timestamp) -> Vec<Reachable> {
        self.rows.iter().filter_map(|row| row.reachable(person, client, now)).collect()
    }
}

/// The rules by which requests can be decided, each once, in the words in which a decision names them: of the policies of a
/// route all `deny` rules, and the `allow` rules of the last one, for it is that one's which is named.
#[must_use]
pub fn deciding_rules(settings: &GateSettings) -> Vec<String> {
    let mut rules = Vec::new();
    for route in &settings.routes {
        let AccessSettings::Policies(policies) = &route.access else { continue };
        for policy in policies {
            rules.extend((1..=policy.deny.len()).map(|n| format!("policy {}, deny rule {n}", policy.name)));
        }
        if let Some(last) = policies.last() {
            rules.extend((1..=last.allow.len()).map(|n| format!("policy {}, allow rule {n}", last.name)));
        }
    }
    let mut seen = HashSet::new();
    rules.retain(|rule| seen.insert(rule.clone()));
    rules
}

impl Row {
    fn of(settings: &RouteSettings) -> Option<Self> {
        let access = Access::compile(&settings.access);
        if access.is_public() || !settings.accept.has(Accepted::Session) {
            return None;
        }
        Some(Self {
            route: settings.name.clone(),
            method: settings.pattern.methods.first().cloned().unwrap_or(Method::GET),
            path: RequestPath::parse(&settings.pattern.path.to_string()).ok()?,
            access,
            print: print(&settings.access),
        })
    }

    fn reachable(&self, person: &Arc<Principal>, client: IpAddr, now: Timestamp) -> Option<Reachable> {
        let question = Question {
            principal: Some(person),
            method: &self.method,
            path: &self.path,
            client: ClientAddress::new(client),
            now,
            // Whether the session is bound is asked when it comes there.
            bound: Some(true),
        };
        let explanation = explain(&self.access, &question);
        let may = may(&explanation)?;
        Some(Reachable { route: self.route.clone(), may, by: explanation.summary, print: self.print.clone() })
    }
}

/// Of all that is said in the rules, the names of their policies as well.
fn print(access: &AccessSettings) -> String {
    let digest = digest(&SHA256, format!("{access:?}").as_bytes());
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn may(explanation: &Explanation) -> Option<May> {
    let hangs = explanation.reason.unsaid().is_some();
    match explanation.verdict {
        Verdict::Permitted => Some(May::Yes),
        Verdict::StepUp => Some(May::AfterStepUp),
        Verdict::SignIn | Verdict::Forbidden => {
            mutant!(hangs, "reach-takes-unknown-for-none" => false).then_some(May::Unknown)
        }
    }
}
