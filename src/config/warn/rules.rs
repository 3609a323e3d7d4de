//! Rules and policies that never decide anything.

use std::collections::HashMap;

use crate::policy::RuleSettings;

use super::rule::covers;
use super::unreachable::Effect;
use super::{LintedRoute, Lints, joined};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{OneOrMany, Rule};

/// Rules of a list that are compared with each other.
const COMPARED: usize = 200;

/// A rule as written and as meant.
type LintedRule<'a> = (Located<'a, Rule>, &'a RuleSettings);

/// Rules that stand together, and the routes that ask them.
struct Rules<'a> {
    allow: Vec<LintedRule<'a>>,
    deny: Vec<LintedRule<'a>>,
    routes: Vec<LintedRoute<'a>>,
}

fn pairs<'a>(at: Located<'a, Option<OneOrMany<Rule>>>, meant: &'a [RuleSettings]) -> Vec<LintedRule<'a>> {
    at.all().into_iter().zip(meant).collect()
}

impl<'a> Lints<'a> {
    pub(super) fn about_rules(&self) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        for (name, rules, unused) in self.named_rules() {
            warnings.extend(unused.map(|place| nobody_uses(place, name)));
            self.judge(&rules, &mut warnings);
        }
        for linted in &self.routes {
            self.judge(&self.own_rules(*linted), &mut warnings);
        }
        warnings
    }

    /// Every policy, and its place where no route uses it.
    fn named_rules(&self) -> Vec<(&'a str, Rules<'a>, Option<crate::config::located::Place<'a>>)> {
        let config = self.config;
        let (users, roles) = (self.users(), self.policies_of_roles());
        let written = at!(config.policies).given().map(Located::entries).unwrap_or_default();
        let rules = |(name, at): (&'a str, Located<'a, crate::config::raw::Policy>)| {
            let meant = self.policies.get(name)?;
            let routes = users.get(name).cloned().unwrap_or_default();
            let unused = (routes.is_empty() && !roles.contains(&name)).then_some(at.place);
            let (allow, deny) = (pairs(at!(at.allow), &meant.allow), pairs(at!(at.deny), &meant.deny));
            Some((name, Rules { allow, deny, routes }, unused))
        };
        written.into_iter().filter_map(rules).collect()
    }

    /// The routes that use each policy.
    fn users(&self) -> HashMap<&'a str, Vec<LintedRoute<'a>>> {
        let mut users: HashMap<&str, Vec<LintedRoute<'a>>> = HashMap::new();
        for linted in &self.routes {
            let route = linted.at;
            for name in at!(route.policy).all() {
                users.entry(name.value.as_str()).or_default().push(*linted);
            }
        }
        users
    }

    /// Those that `[console]` names.
    fn policies_of_roles(&self) -> Vec<&'a str> {
        let config = self.config;
        let Some(at) = at!(config.console).given() else { return Vec::new() };
        let named = [at!(at.viewer).all(), at!(at.auditor).all(), at!(at.operator).all()];
        named.into_iter().flatten().map(|name| name.value.as_str()).collect()
    }

    fn own_rules(&self, linted: LintedRoute<'a>) -> Rules<'a> {
        let route = linted.at;
        let own = crate::config::lower::own_rules(linted.meant);
        let (allow, deny) = own.map_or((&[][..], &[][..]), |own| (&own.allow, &own.deny));
        Rules {
            allow: pairs(at!(route.allow), allow),
            deny: pairs(at!(route.deny), deny),
            routes: vec![linted],
        }
    }

    fn judge(&self, rules: &Rules<'a>, warnings: &mut Vec<Diagnostic>) {
        let before = warnings.len();
        rules.allow.iter().chain(&rules.deny).for_each(|(at, _)| warnings.extend(joined::in_rule(*at)));
        rules.deny.iter().for_each(|(at, _)| warnings.extend(denies_the_recent(*at)));
        repeated(&rules.allow, warnings);
        repeated(&rules.deny, warnings);
        beaten(rules, warnings);
        let allow = rules.allow.iter().map(|pair| (Effect::Allow, pair));
        let deny = rules.deny.iter().map(|pair| (Effect::Deny, pair));
        for (effect, (at, meant)) in allow.chain(deny).filter(|_| !rules.routes.is_empty()) {
            self.in_vain(effect, *at, meant, &rules.routes, warnings);
        }
        // Rules that are doubtful in themselves come first.
        if warnings.len() == before {
            let mut deny = rules.deny.iter();
            warnings.extend(deny.find_map(|(at, meant)| self.unlisted(*at, meant, &rules.routes)));
        }
    }
}

fn nobody_uses(place: crate::config::located::Place<'_>, name: &str) -> Diagnostic {
    Diagnostic::new(place, format!("no route uses the policy {}", quoted(name)))
        .expected("it protects nothing")
        .help(format!("say `policy = \"{name}\"` on a route, or remove it"))
}

/// `deny` with a bound on age keeps out who has just signed in, and lets in who did so long ago.
fn denies_the_recent(rule: Located<'_, Rule>) -> Option<Diagnostic> {
    let at = at!(rule.max_auth_age).given()?;
    Some(
        Diagnostic::new(at.place, "in `deny`, `max_auth_age` keeps out whoever signed in no longer ago")
            .expected("expected it in a rule of `allow`")
            .help("to keep out whoever signed in longer ago, say it in every rule of `allow`"),
    )
}

/// Rules of a list, any of which suffices, that another one makes superfluous.
fn repeated(rules: &[LintedRule<'_>], warnings: &mut Vec<Diagnostic>) {
    let rules = rules.get(..COMPARED).unwrap_or(rules);
    for (index, (at, rule)) in rules.iter().enumerate() {
        let wider = |(other, (_, wide)): &(usize, &LintedRule<'_>)| {
            *other != index && covers(wide, rule) && (*other < index || !covers(rule, wide))
        };
        let Some((other, (wide_at, wide))) = rules.iter().enumerate().find(wider) else { continue };
        let which = if other < index { "an earlier" } else { "a later" };
        let message = match covers(rule, wide) {
            true => "the same rule twice".to_owned(),
            false => format!("the rule changes nothing: {which} one holds whenever it does"),
        };
        let diagnostic =
            Diagnostic::new(at.place, message).expected("never decides").see(wide_at.place, "the wider one");
        warnings.push(diagnostic.help("leave it out, or narrow the wider one"));
    }
}

/// `allow` rules that a `deny` rule always beats.
fn beaten(rules: &Rules<'_>, warnings: &mut Vec<Diagnostic>) {
    let deny = rules.deny.get(..COMPARED).unwrap_or(&rules.deny);
    for (at, rule) in &rules.allow {
        let Some((denied, _)) = deny.iter().find(|(_, deny)| covers(deny, rule)) else { continue };
        warnings.push(
            Diagnostic::new(at.place, "the rule lets nobody in: a `deny` rule holds whenever it does")
                .expected("always beaten")
                .see(denied.place, "`deny` beats `allow`")
                .help("narrow the `deny` rule, or leave this one out"),
        );
    }
}
