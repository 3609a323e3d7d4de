//! Conditions that no request of their routes can meet.

use crate::policy::RuleSettings;

use super::rule::is_under;
use super::{LintedRoute, Lints};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::lower::lets_in;
use crate::config::raw::Rule;

/// What a rule does where it holds, by the list that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

impl Effect {
    /// What is said of a rule that never holds.
    const fn in_vain(self) -> &'static str {
        match self {
            Self::Allow => "lets nobody in",
            Self::Deny => "keeps nobody out",
        }
    }
}

impl<'a> Lints<'a> {
    /// What of a rule can never be met on `routes`, the routes that ask it.
    pub(super) fn in_vain(
        &self,
        effect: Effect,
        at: Located<'a, Rule>,
        meant: &RuleSettings,
        routes: &[LintedRoute<'a>],
        warnings: &mut Vec<Diagnostic>,
    ) {
        let paths = at!(at.paths).all().into_iter().filter_map(|path| self.path(path, routes));
        let methods = at!(at.methods).all().into_iter().filter_map(|method| refused(method, routes));
        let others = [unscoped(at, routes), self.strangers(at, meant, routes)].into_iter().flatten();
        warnings.extend(
            paths.chain(methods).chain(others).map(|diagnostic| diagnostic.expected(effect.in_vain())),
        );
    }

    fn path(&self, at: Located<'a, String>, routes: &[LintedRoute<'a>]) -> Option<Diagnostic> {
        let path = at.value.as_str();
        if routes.iter().all(|linted| is_outside(path, *linted)) {
            let diagnostic =
                Diagnostic::new(at.place, format!("{} is outside of the route's path", quoted(path)));
            let diagnostic = with_route(diagnostic, routes, "the route begins here");
            return Some(diagnostic.help("paths of rules begin at the root of the host"));
        }
        let other = self.taken_everywhere(path, routes)?;
        let message = format!("the rule never sees {}: requests below it go to another route", quoted(path));
        let diagnostic =
            Diagnostic::new(at.place, message).see(other.claim(), "they go here: the longest path wins");
        Some(diagnostic.help("say on that route who may use it"))
    }

    /// The route that takes all requests below `path` away from each of `routes`.
    fn taken_everywhere(&self, path: &str, routes: &[LintedRoute<'a>]) -> Option<LintedRoute<'a>> {
        let taken = routes
            .iter()
            .filter(|linted| !is_outside(path, **linted))
            .map(|linted| self.taken(path, *linted));
        taken.collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    /// The route that takes all requests below `path` away from `linted`.
    pub(super) fn taken(&self, path: &str, linted: LintedRoute<'a>) -> Option<LintedRoute<'a>> {
        let longer = |other: &LintedRoute<'a>| {
            other.meant.pattern.methods.is_empty()
                && other.meant.pattern.path.segments() > linted.meant.pattern.path.segments()
        };
        let here =
            self.at(linted.host(), path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path));
        here.into_iter().chain(self.above(linted.host(), path)).find(longer)
    }

    /// Providers whose credentials the routes do not accept.
    fn strangers(
        &self,
        at: Located<'a, Rule>,
        meant: &RuleSettings,
        routes: &[LintedRoute<'a>],
    ) -> Option<Diagnostic> {
        let providers = self.settings.relying_party.providers.iter();
        let named: Vec<_> = providers.filter(|provider| meant.providers.contains(&provider.name)).collect();
        let comes =
            |linted: &LintedRoute<'a>| named.iter().any(|provider| lets_in(linted.meant.accept, provider));
        if named.is_empty() || routes.iter().any(comes) {
            return None;
        }
        let written = at!(at.provider).given().or_else(|| at!(at.providers).given())?;
        let diagnostic = Diagnostic::new(written.place, "nobody can come from this provider");
        let diagnostic = with_route(diagnostic, routes, "accepts none of its credentials");
        Some(
            diagnostic.help(
                "`client_id` lets people sign in with a provider, `audiences` lets its access tokens in",
            ),
        )
    }
}

fn refused(method: Located<'_, String>, routes: &[LintedRoute<'_>]) -> Option<Diagnostic> {
    let refuses = |linted: &LintedRoute<'_>| {
        let methods = &linted.meant.pattern.methods;
        !methods.is_empty() && !methods.iter().any(|known| known.as_str() == method.value.as_str())
    };
    let diagnostic =
        Diagnostic::new(method.place, format!("the route does not take {}", quoted(method.value)));
    routes.iter().all(refuses).then(|| with_route(diagnostic, routes, "takes other `methods`"))
}

fn unscoped(at: Located<'_, Rule>, routes: &[LintedRoute<'_>]) -> Option<Diagnostic> {
    let scopes = at!(at.scopes).given()?;
    if routes.iter().any(|linted| linted.meant.accept.tokens()) {
        return None;
    }
    let diagnostic = Diagnostic::new(scopes.place, "only access tokens have scopes, and none is accepted");
    let diagnostic = with_route(diagnostic, routes, "accepts sessions alone");
    Some(diagnostic.help("set `audiences` on the provider, and \"bearer\" among what the route accepts"))
}

fn is_outside(path: &str, linted: LintedRoute<'_>) -> bool {
    let route = linted.path();
    !is_under(path, &route) && !is_under(&route, path)
}

/// Points at the route, where it is a single one.
fn with_route(diagnostic: Diagnostic, routes: &[LintedRoute<'_>], what: &str) -> Diagnostic {
    match routes {
        [linted] => diagnostic.see(linted.claim(), what),
        _ => diagnostic,
    }
}
