//! `[console]`, and routes that serve it.

use crate::authn::{Accept, Accepted};
use crate::endpoints::Application;
use crate::gate::{ConsoleSettings, OriginSettings, RouteAction, RouteSettings, SentFrom};
use crate::policy::AccessSettings;
use crate::route::HostPattern;

use super::value::unknown;
use super::{Definitions, Lowering};
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{Console, OneOrMany, Route};

const FOR_WHOM: &str = "expected rules: `policy = \"admins\"`, or `allow = [{ groups = [\"admins\"] }]`";

impl Lowering<'_> {
    pub(super) fn console(
        &mut self,
        at: Located<'_, Option<Console>>,
        definitions: &Definitions<'_>,
    ) -> ConsoleSettings {
        let Some(at) = at.given() else { return ConsoleSettings::default() };
        ConsoleSettings {
            viewer: self.role(at!(at.viewer), definitions),
            auditor: self.role(at!(at.auditor), definitions),
            operator: self.role(at!(at.operator), definitions),
        }
    }

    /// The policies that are named; where one of them is wrong, or none is named, that lets nobody in.
    fn role(
        &mut self,
        at: Located<'_, Option<OneOrMany<String>>>,
        definitions: &Definitions<'_>,
    ) -> Option<AccessSettings> {
        at.value.as_ref()?;
        let mut named = Vec::new();
        for name in at.all() {
            match definitions.policies.get(name.value) {
                Some(policy) => named.push(policy.clone()),
                None => self.fault(unknown(name, "policy", definitions.policies.keys().map(String::as_str))),
            }
        }
        if at.all().is_empty() {
            self.fault(
                Diagnostic::new(at.place, "a list without policies")
                    .expected("expected the name of a policy"),
            );
        }
        Some(AccessSettings::Policies(named))
    }

    /// What holds for a route that serves the console: who may use it a rule says, people sign in for it in a browser, and
    /// no other page makes a browser send it anything.
    pub(super) fn of_console(&mut self, at: Located<'_, Route>, route: &mut RouteSettings) {
        if !matches!(route.action, RouteAction::Serve(Application::Console)) {
            return;
        }
        let place = at!(at.serve).place;
        if mutant!(!matches!(route.access, AccessSettings::Policies(_)), "console-for-anybody" => false) {
            self.fault(
                Diagnostic::new(place, "a console for everybody who signs in, or for anybody")
                    .expected(FOR_WHOM),
            );
        }
        if let Some(accept) = at!(at.accept).given() {
            self.fault(
                Diagnostic::new(accept.place, "`accept` on a route that serves the console")
                    .expected("expected none: people sign in for it in a browser"),
            );
        }
        if let Some(cors) = at!(at.cors).given() {
            self.fault(
                Diagnostic::new(cors.place, "`cors` on a route that serves the console")
                    .expected("expected none: no page of another origin reads it"),
            );
        }
        route.accept = Accept::from_iter([Accepted::Session]);
        route.origins = OriginSettings { sent_from: SentFrom::SameHost, ..OriginSettings::default() };
    }

    /// A console's host is its own: the scripts of an app there would be of its origin, and could do what its operators may.
    pub(super) fn consoles_stand_alone(&mut self, routes: &[(Located<'_, Route>, RouteSettings)]) {
        for (at, console) in routes.iter().filter(|(_, route)| is_console(route)) {
            let expected = "expected a `host` of its own, such as \"console.corp.example\"";
            let HostPattern::Exact(host, port) = &console.pattern.host else {
                let what = "a console that stands on more than one host";
                self.fault(Diagnostic::new(at!(at.serve).place, what).expected(expected));
                continue;
            };
            let beside = routes.iter().find(|(_, other)| is_app_at((host, *port), other));
            if let Some((_, other)) = mutant!(beside, "console-beside-an-app" => None) {
                let what = format!("the console shares its host with the route {}", other.name);
                self.fault(Diagnostic::new(at!(at.serve).place, what).expected(expected).help(
                    "an app's scripts would be of the console's origin, and could do what its operators may",
                ));
            }
        }
    }
}

fn is_console(route: &RouteSettings) -> bool {
    matches!(route.action, RouteAction::Serve(Application::Console))
}

/// Whether it leads to an app at the host of a console, whatever the port: cookies know none. What names a port leaves the
/// others to routes for many hosts.
fn is_app_at((host, port): (&str, Option<u16>), route: &RouteSettings) -> bool {
    let below = || host.split_once('.').map(|(_, suffix)| suffix);
    let here = match &route.pattern.host {
        HostPattern::Exact(other, _) => other == host,
        HostPattern::Wildcard(suffix, on) => {
            below() == Some(suffix.as_str()) && port.is_some() && *on != port
        }
        HostPattern::Any => port.is_some(),
    };
    here && matches!(route.action, RouteAction::Forward { .. })
}
