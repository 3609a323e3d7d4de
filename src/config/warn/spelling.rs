//! Tolerated spellings that could be another route's, or what a rule of paths decides otherwise.

use std::collections::HashSet;

use crate::policy::AccessSettings;

use super::rule::is_under;
use super::{LintedRoute, Lints, parents};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Place, at};

const HELP: &str = "an app that decodes before it splits sees `/a/b` in `/a%2Fb`: where any reading of a path meets \
                    another route or is decided otherwise, the answer is 400; give what needs `tolerate` a route of \
                    its own";

impl Lints<'_> {
    pub(super) fn about_spellings(&self) -> Vec<Diagnostic> {
        let mut told = HashSet::new();
        let mut warnings = Vec::new();
        for inner in &self.routes {
            let above = parents(&inner.path()).into_iter().flat_map(|parent| self.at(inner.host(), &parent));
            for outer in above.filter(|outer| tolerates(*outer)) {
                if told.insert(outer.meant.name.clone()) {
                    let diagnostic = refused(tolerate(outer), &inner.path());
                    warnings.push(diagnostic.see(inner.claim(), "another route").help(HELP));
                }
            }
        }
        let others =
            self.routes.iter().filter(|linted| tolerates(**linted) && !told.contains(&linted.meant.name));
        warnings.extend(
            others.filter_map(|linted| Some(refused(tolerate(*linted), &ruled_below(*linted)?).help(HELP))),
        );
        warnings
    }
}

fn refused(place: Place<'_>, path: &str) -> Diagnostic {
    let message = format!("spellings that some apps read as {} or below are refused", quoted(path));
    Diagnostic::new(place, message).expected("tolerated where every reading comes to the same")
}

fn tolerates(linted: LintedRoute<'_>) -> bool {
    !linted.meant.path_exceptions.is_empty()
}

fn tolerate(linted: LintedRoute<'_>) -> Place<'_> {
    let route = linted.at;
    at!(route.tolerate).place
}

/// A path below the route's of which a rule speaks.
fn ruled_below(linted: LintedRoute<'_>) -> Option<String> {
    let policies = match &linted.meant.access {
        AccessSettings::Policies(policies) => policies.as_slice(),
        AccessSettings::Public | AccessSettings::SignedIn => &[],
    };
    let rules = policies.iter().flat_map(|policy| policy.allow.iter().chain(&policy.deny));
    let route = linted.path();
    let below = |path: &&String| is_under(path, &route) && !is_under(&route, path);
    rules.flat_map(|rule| &rule.paths).find(below).cloned()
}
