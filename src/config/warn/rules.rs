//! Rules and policies that never decide anything.

use std::collections::HashMap;

use crate::policy::RuleSettings;

use super::super::at::{At, at};
use super::super::raw::{OneOrMany, Rule};
use super::super::remark::{Remark, quoted};
use super::rule::{covers, is_under};
use super::{Meant, Row};

/// Rules of a list that are compared with each other.
const COMPARED: usize = 200;

/// A rule as written and as meant.
type Pair<'a> = (At<'a, Rule>, &'a RuleSettings);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Allow,
    Deny,
}

impl Side {
    /// What a rule does that never holds.
    const fn in_vain(self) -> &'static str {
        match self {
            Self::Allow => "the rule lets nobody in",
            Self::Deny => "the rule keeps nobody out",
        }
    }
}

/// Rules that stand together, and the routes that ask them.
struct Rules<'a> {
    allow: Vec<Pair<'a>>,
    deny: Vec<Pair<'a>>,
    rows: Vec<Row<'a>>,
}

fn pairs<'a>(at: At<'a, Option<OneOrMany<Rule>>>, meant: &'a [RuleSettings]) -> Vec<Pair<'a>> {
    at.all().into_iter().zip(meant).collect()
}

impl<'a> Meant<'a> {
    pub(super) fn about_rules(&self) -> Vec<Remark> {
        let mut warnings = Vec::new();
        for (name, rules, unused) in self.named_rules() {
            warnings.extend(unused.map(|place| nobody_uses(place, name)));
            self.judge(&rules, &mut warnings);
        }
        for row in &self.rows {
            self.judge(&self.own_rules(*row), &mut warnings);
        }
        warnings
    }

    /// Every policy, and its place where no route uses it.
    fn named_rules(&self) -> Vec<(&'a str, Rules<'a>, Option<super::super::at::Place<'a>>)> {
        let config = self.config;
        let users = self.users();
        let written = at!(config.policies).given().map(At::entries).unwrap_or_default();
        let rules = |(name, at): (&'a str, At<'a, super::super::raw::Policy>)| {
            let meant = self.policies.get(name)?;
            let rows = users.get(name).cloned().unwrap_or_default();
            let unused = rows.is_empty().then_some(at.place);
            let (allow, deny) = (pairs(at!(at.allow), &meant.allow), pairs(at!(at.deny), &meant.deny));
            Some((name, Rules { allow, deny, rows }, unused))
        };
        written.into_iter().filter_map(rules).collect()
    }

    /// The routes that use each policy.
    fn users(&self) -> HashMap<&'a str, Vec<Row<'a>>> {
        let mut users: HashMap<&str, Vec<Row<'a>>> = HashMap::new();
        for row in &self.rows {
            let route = row.at;
            for name in at!(route.policy).all() {
                users.entry(name.value.as_str()).or_default().push(*row);
            }
        }
        users
    }

    fn own_rules(&self, row: Row<'a>) -> Rules<'a> {
        let route = row.at;
        let own = super::super::lower::own_rules(row.meant);
        let (allow, deny) = own.map_or((&[][..], &[][..]), |own| (&own.allow, &own.deny));
        Rules { allow: pairs(at!(route.allow), allow), deny: pairs(at!(route.deny), deny), rows: vec![row] }
    }

    fn judge(&self, rules: &Rules<'a>, warnings: &mut Vec<Remark>) {
        repeated(&rules.allow, warnings);
        repeated(&rules.deny, warnings);
        beaten(rules, warnings);
        let all = rules
            .allow
            .iter()
            .map(|pair| (Side::Allow, pair))
            .chain(rules.deny.iter().map(|pair| (Side::Deny, pair)));
        for (side, (at, meant)) in all.filter(|_| !rules.rows.is_empty()) {
            self.paths_in_vain(side, *at, &rules.rows, warnings);
            self.methods_in_vain(side, *at, &rules.rows, warnings);
            warnings.extend(self.scopes_in_vain(side, *at, &rules.rows));
            warnings.extend(self.providers_in_vain(side, *at, meant, &rules.rows));
        }
    }

    fn paths_in_vain(&self, side: Side, at: At<'a, Rule>, rows: &[Row<'a>], warnings: &mut Vec<Remark>) {
        for path in at!(at.paths).all() {
            let text = path.value.as_str();
            if rows.iter().all(|row| is_outside(text, *row)) {
                let remark = Remark::new(
                    path.place,
                    format!("{}: {} is outside of the route's path", side.in_vain(), quoted(text)),
                )
                .expected("no request of the route has this path");
                warnings.push(
                    with_route(remark, rows, "the route begins here")
                        .help("paths of rules begin at the root of the host"),
                );
            } else if let Some(other) = self.taken_everywhere(text, rows) {
                warnings.push(
                    Remark::new(
                        path.place,
                        format!("{}: requests below {} go to another route", side.in_vain(), quoted(text)),
                    )
                    .expected("never seen by this rule")
                    .see(other.claim(), "they go here: the longest path wins")
                    .help("say on that route who may use it"),
                );
            }
        }
    }

    /// The route that takes all requests below `path` away from each of `rows`.
    fn taken_everywhere(&self, path: &str, rows: &[Row<'a>]) -> Option<Row<'a>> {
        let taken = rows.iter().filter(|row| !is_outside(path, **row)).map(|row| self.taken(path, *row));
        taken.collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    fn taken(&self, path: &str, row: Row<'a>) -> Option<Row<'a>> {
        let longer = |other: &Row<'a>| {
            other.meant.pattern.methods.is_empty()
                && other.meant.pattern.path.segments() > row.meant.pattern.path.segments()
        };
        let here =
            self.at(row.host(), path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path));
        here.into_iter().chain(self.above(row.host(), path)).find(longer)
    }

    fn methods_in_vain(&self, side: Side, at: At<'a, Rule>, rows: &[Row<'a>], warnings: &mut Vec<Remark>) {
        for method in at!(at.methods).all() {
            let refuses = |row: &Row<'a>| {
                let methods = &row.meant.pattern.methods;
                !methods.is_empty() && !methods.iter().any(|known| known.as_str() == method.value.as_str())
            };
            if rows.iter().all(refuses) {
                let remark = Remark::new(
                    method.place,
                    format!("{} with this method: the route does not take it", side.in_vain()),
                )
                .expected("not among the route's `methods`");
                warnings.push(with_route(remark, rows, "this route"));
            }
        }
    }

    fn scopes_in_vain(&self, side: Side, at: At<'a, Rule>, rows: &[Row<'a>]) -> Option<Remark> {
        let scopes = at!(at.scopes).given()?;
        if rows.iter().any(|row| row.meant.accept.bearer) {
            return None;
        }
        let remark = Remark::new(
            scopes.place,
            format!("{}: only access tokens have scopes, and none is accepted", side.in_vain()),
        )
        .expected("nobody comes with a scope");
        Some(
            with_route(remark, rows, "accepts sessions alone")
                .help("set `audiences` on the provider, and \"bearer\" among what the route accepts"),
        )
    }

    fn providers_in_vain(
        &self,
        side: Side,
        at: At<'a, Rule>,
        meant: &RuleSettings,
        rows: &[Row<'a>],
    ) -> Option<Remark> {
        let providers = &self.settings.relying_party.providers;
        let comes = |row: &Row<'a>| {
            providers.iter().filter(|provider| meant.providers.contains(&provider.name)).any(|provider| {
                (row.meant.accept.session && provider.client.is_some())
                    || (row.meant.accept.bearer && !provider.audiences.is_empty())
            })
        };
        if meant.providers.is_empty() || rows.iter().any(comes) {
            return None;
        }
        let written = at!(at.provider).given().or_else(|| at!(at.providers).given())?;
        let remark =
            Remark::new(written.place, format!("{}: nobody comes from this provider", side.in_vain()))
                .expected("its credentials are not accepted here");
        Some(
            with_route(remark, rows, "this route").help(
                "`client_id` lets people sign in with a provider, `audiences` lets its access tokens in",
            ),
        )
    }
}

fn is_outside(path: &str, row: Row<'_>) -> bool {
    let route = row.path();
    !is_under(path, &route) && !is_under(&route, path)
}

/// Points at the route, where it is a single one.
fn with_route(remark: Remark, rows: &[Row<'_>], what: &str) -> Remark {
    match rows {
        [row] => remark.see(row.claim(), what),
        _ => remark,
    }
}

fn nobody_uses(place: super::super::at::Place<'_>, name: &str) -> Remark {
    Remark::new(place, format!("no route uses the policy {}", quoted(name)))
        .expected("it protects nothing")
        .help(format!("say `policy = \"{name}\"` on a route, or remove it"))
}

/// Rules of a list, any of which suffices, that another one makes superfluous.
fn repeated(rules: &[Pair<'_>], warnings: &mut Vec<Remark>) {
    let rules = rules.get(..COMPARED).unwrap_or(rules);
    for (index, (at, rule)) in rules.iter().enumerate() {
        let wider = |(other, (_, wide)): &(usize, &Pair<'_>)| {
            *other != index && covers(wide, rule) && (*other < index || !covers(rule, wide))
        };
        let Some((other, (wide_at, wide))) = rules.iter().enumerate().find(wider) else { continue };
        let which = if other < index { "an earlier" } else { "a later" };
        let message = match covers(rule, wide) {
            true => "the same rule twice".to_owned(),
            false => format!("the rule changes nothing: {which} one holds whenever it does"),
        };
        let remark =
            Remark::new(at.place, message).expected("never decides").see(wide_at.place, "the wider one");
        warnings.push(remark.help("leave it out, or narrow the wider one"));
    }
}

/// `allow` rules that a `deny` rule always beats.
fn beaten(rules: &Rules<'_>, warnings: &mut Vec<Remark>) {
    let deny = rules.deny.get(..COMPARED).unwrap_or(&rules.deny);
    for (at, rule) in &rules.allow {
        let Some((denied, _)) = deny.iter().find(|(_, deny)| covers(deny, rule)) else { continue };
        warnings.push(
            Remark::new(at.place, "the rule lets nobody in: a `deny` rule holds whenever it does")
                .expected("always beaten")
                .see(denied.place, "`deny` beats `allow`")
                .help("narrow the `deny` rule, or leave this one out"),
        );
    }
}
