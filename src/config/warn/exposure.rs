//! Apps that are open to everybody by accident: public routes inside, around or beside protected ones.

use std::collections::HashMap;

use crate::forward::ServerAddress;

use super::{LintedRoute, Lints};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Place, at};

const HELP: &str = "where that is meant, say why on the route: `reason = \"…\"`";

impl<'a> Lints<'a> {
    pub(super) fn about_exposure(&self) -> Vec<Diagnostic> {
        let protected = self.protected_servers();
        let protected_below = self.protected_below();
        let open = self.routes.iter().filter(|linted| {
            linted.is_public() && linted.at.value.reason.is_none() && linted.servers().next().is_some()
        });
        let doubt = |linted: &LintedRoute<'a>| {
            self.beneath(*linted)
                .or_else(|| self.around(*linted, &protected_below))
                .or_else(|| self.same_app(*linted, &protected))
        };
        open.filter_map(doubt).collect()
    }

    /// The first protected route of each server.
    fn protected_servers(&self) -> HashMap<&'a ServerAddress, LintedRoute<'a>> {
        let mut servers = HashMap::new();
        for linted in self.routes.iter().filter(|linted| !linted.is_public()) {
            for server in linted.servers() {
                servers.entry(server).or_insert(*linted);
            }
        }
        servers
    }

    /// Protected routes by host and each path above theirs.
    fn protected_below(&self) -> HashMap<(&'a crate::route::HostPattern, String), LintedRoute<'a>> {
        let mut below = HashMap::new();
        for linted in self.routes.iter().filter(|linted| !linted.is_public()) {
            for parent in super::parents(&linted.path()) {
                below.entry((linted.host(), parent)).or_insert(*linted);
            }
        }
        below
    }

    /// A public path inside a protected one.
    fn beneath(&self, linted: LintedRoute<'a>) -> Option<Diagnostic> {
        let path = linted.path();
        let beside = self.at(linted.host(), &path).into_iter().find(|other| !other.is_public());
        if let Some(other) = beside {
            let methods: Vec<_> = linted.meant.pattern.methods.iter().map(http::Method::as_str).collect();
            let what =
                if methods.is_empty() { "all other methods".to_owned() } else { methods.join(" and ") };
            return Some(open(
                linted,
                format!("{} needs no sign-in for {what}, although the path is protected", quoted(&path)),
                other,
            ));
        }
        let above = self.above(linted.host(), &path).next().filter(|above| !above.is_public())?;
        Some(open(
            linted,
            format!("what is below {} needs no sign-in, although it lies in a protected path", quoted(&path)),
            above,
        ))
    }

    /// A protected path of an app that is public all around it.
    fn around(
        &self,
        linted: LintedRoute<'a>,
        below: &HashMap<(&crate::route::HostPattern, String), LintedRoute<'a>>,
    ) -> Option<Diagnostic> {
        let inner = below.get(&(linted.host(), linted.path())).filter(|inner| shares(linted, **inner))?;
        let path = inner.path();
        let message =
            format!("{} is protected, but the app is open to everybody all around it", quoted(&path));
        Some(
            Diagnostic::new(access_of(linted), message)
                .expected("anybody, without signing in")
                .see(inner.claim(), "protected: only this very spelling")
                .help(format!(
                    "an app to which `{path}.json` or another case of letters means the same gives it away; \
                 better protect the app and open paths of it, or say why not: `reason = \"…\"`"
                )),
        )
    }

    /// An app that is protected under another name.
    fn same_app(
        &self,
        linted: LintedRoute<'a>,
        protected: &HashMap<&ServerAddress, LintedRoute<'a>>,
    ) -> Option<Diagnostic> {
        let other = linted.servers().find_map(|server| protected.get(server))?;
        let route = other.at;
        Some(
            Diagnostic::new(
                access_of(linted),
                "the app is protected on another route, and open to everybody on this one",
            )
            .expected("anybody, without signing in")
            .see(at!(route.upstream).place, "the same server, protected")
            .help(HELP),
        )
    }
}

fn open(linted: LintedRoute<'_>, message: String, protected: LintedRoute<'_>) -> Diagnostic {
    Diagnostic::new(access_of(linted), message)
        .expected("anybody, without signing in")
        .see(protected.claim(), "protected")
        .help(HELP)
}

/// Where the route says that it is public.
fn access_of(linted: LintedRoute<'_>) -> Place<'_> {
    let route = linted.at;
    at!(route.access).place
}

fn shares(one: LintedRoute<'_>, other: LintedRoute<'_>) -> bool {
    one.servers().any(|server| other.servers().any(|known| known == server))
}
