//! Conditions that no request of their routes can meet.

use crate::authn::Accepted;
use crate::policy::RuleSettings;

use super::rule::is_under;
use super::{Lints, Row};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::Rule;

/// Which list a rule stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Allow,
    Deny,
}

impl Side {
    /// What a rule does that never holds.
    const fn in_vain(self) -> &'static str {
        match self {
            Self::Allow => "lets nobody in",
            Self::Deny => "keeps nobody out",
        }
    }
}

impl<'a> Lints<'a> {
    /// What of a rule can never be met on `rows`, the routes that ask it.
    pub(super) fn in_vain(
        &self,
        side: Side,
        at: Located<'a, Rule>,
        meant: &RuleSettings,
        rows: &[Row<'a>],
        warnings: &mut Vec<Diagnostic>,
    ) {
        let paths = at!(at.paths).all().into_iter().filter_map(|path| self.path(path, rows));
        let methods = at!(at.methods).all().into_iter().filter_map(|method| refused(method, rows));
        let others = [unscoped(at, rows), self.strangers(at, meant, rows)].into_iter().flatten();
        warnings
            .extend(paths.chain(methods).chain(others).map(|diagnostic| diagnostic.expected(side.in_vain())));
    }

    fn path(&self, at: Located<'a, String>, rows: &[Row<'a>]) -> Option<Diagnostic> {
        let path = at.value.as_str();
        if rows.iter().all(|row| is_outside(path, *row)) {
            let diagnostic =
                Diagnostic::new(at.place, format!("{} is outside of the route's path", quoted(path)));
            let diagnostic = with_route(diagnostic, rows, "the route begins here");
            return Some(diagnostic.help("paths of rules begin at the root of the host"));
        }
        let other = self.taken_everywhere(path, rows)?;
        let message = format!("the rule never sees {}: requests below it go to another route", quoted(path));
        let diagnostic =
            Diagnostic::new(at.place, message).see(other.claim(), "they go here: the longest path wins");
        Some(diagnostic.help("say on that route who may use it"))
    }

    /// The route that takes all requests below `path` away from each of `rows`.
    fn taken_everywhere(&self, path: &str, rows: &[Row<'a>]) -> Option<Row<'a>> {
        let taken = rows.iter().filter(|row| !is_outside(path, **row)).map(|row| self.taken(path, *row));
        taken.collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    /// The route that takes all requests below `path` away from `row`.
    pub(super) fn taken(&self, path: &str, row: Row<'a>) -> Option<Row<'a>> {
        let longer = |other: &Row<'a>| {
            other.meant.pattern.methods.is_empty()
                && other.meant.pattern.path.segments() > row.meant.pattern.path.segments()
        };
        let here =
            self.at(row.host(), path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path));
        here.into_iter().chain(self.above(row.host(), path)).find(longer)
    }

    /// Providers whose credentials the routes do not accept.
    fn strangers(&self, at: Located<'a, Rule>, meant: &RuleSettings, rows: &[Row<'a>]) -> Option<Diagnostic> {
        let providers = self.settings.relying_party.providers.iter();
        let named: Vec<_> = providers.filter(|provider| meant.providers.contains(&provider.name)).collect();
        let comes = |row: &Row<'a>| {
            let accept = row.meant.accept;
            let signs_in =
                accept.has(Accepted::Session) && named.iter().any(|provider| provider.client.is_some());
            signs_in || (accept.tokens() && named.iter().any(|provider| !provider.audiences.is_empty()))
        };
        if named.is_empty() || rows.iter().any(comes) {
            return None;
        }
        let written = at!(at.provider).given().or_else(|| at!(at.providers).given())?;
        let diagnostic = Diagnostic::new(written.place, "nobody can come from this provider");
        let diagnostic = with_route(diagnostic, rows, "accepts none of its credentials");
        Some(
            diagnostic.help(
                "`client_id` lets people sign in with a provider, `audiences` lets its access tokens in",
            ),
        )
    }
}

fn refused(method: Located<'_, String>, rows: &[Row<'_>]) -> Option<Diagnostic> {
    let refuses = |row: &Row<'_>| {
        let methods = &row.meant.pattern.methods;
        !methods.is_empty() && !methods.iter().any(|known| known.as_str() == method.value.as_str())
    };
    let diagnostic =
        Diagnostic::new(method.place, format!("the route does not take {}", quoted(method.value)));
    rows.iter().all(refuses).then(|| with_route(diagnostic, rows, "takes other `methods`"))
}

fn unscoped(at: Located<'_, Rule>, rows: &[Row<'_>]) -> Option<Diagnostic> {
    let scopes = at!(at.scopes).given()?;
    if rows.iter().any(|row| row.meant.accept.tokens()) {
        return None;
    }
    let diagnostic = Diagnostic::new(scopes.place, "only access tokens have scopes, and none is accepted");
    let diagnostic = with_route(diagnostic, rows, "accepts sessions alone");
    Some(diagnostic.help("set `audiences` on the provider, and \"bearer\" among what the route accepts"))
}

fn is_outside(path: &str, row: Row<'_>) -> bool {
    let route = row.path();
    !is_under(path, &route) && !is_under(&route, path)
}

/// Points at the route, where it is a single one.
fn with_route(diagnostic: Diagnostic, rows: &[Row<'_>], what: &str) -> Diagnostic {
    match rows {
        [row] => diagnostic.see(row.claim(), what),
        _ => diagnostic,
    }
}
