//! `[policies.NAME]` and rules.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::gate::RouteSettings;
use crate::identity::{ClaimPath, ProviderName, Strength};
use crate::policy::{AccessSettings, PolicySettings, RuleSettings};

use super::Lowering;
use super::route::path_prefix;
use super::value::{DAY, MINUTE, domain, filled, is_name, method, network, unknown};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{OneOrMany, Policy, Rule, Scalar};

/// Stands in a rule for every provider.
pub(super) const ANY: &str = "any";
/// What a route's own rules are called in explanations; no policy can have this name.
pub(super) const OWN: &str = "route";

/// The rules that are written on the route itself.
pub(in crate::config) fn own_rules(route: &RouteSettings) -> Option<&PolicySettings> {
    match &route.access {
        AccessSettings::Policies(policies) => policies.last().filter(|policy| policy.name == OWN),
        AccessSettings::Public | AccessSettings::SignedIn => None,
    }
}

impl Lowering<'_> {
    pub(super) fn policies(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, Policy>>>,
        providers: &[&str],
    ) -> BTreeMap<String, PolicySettings> {
        let entries = at.given().map(Located::entries).unwrap_or_default();
        entries.into_iter().map(|(name, at)| (name.to_owned(), self.policy(name, at, providers))).collect()
    }

    fn policy(&mut self, name: &str, at: Located<'_, Policy>, providers: &[&str]) -> PolicySettings {
        if !is_name(name) || name == OWN {
            let expected = "expected letters, digits, `-` and `_`, at most 64, and not \"route\"";
            self.fault(
                Diagnostic::new(at.place, format!("{} is no name for a policy", quoted(name)))
                    .expected(expected),
            );
        }
        if at.value.allow.is_none() && at.value.deny.is_none() {
            self.fault(
                Diagnostic::new(at.place, "the policy has no rule")
                    .expected("expected `allow` or `deny`, such as `allow = [{ groups = [\"staff\"] }]`"),
            );
        }
        let mut allow = self.rules(at!(at.allow), providers);
        let deny = self.rules(at!(at.deny), providers);
        if allow.is_empty() && deny.is_empty() {
            // That has been reported: with a rule in it the policy makes no fault of each route that names
            // it.
            allow.push(RuleSettings::default());
        }
        PolicySettings { name: name.to_owned(), allow, deny }
    }

    /// The rules; an empty list is a fault, for nobody can tell whether it means everybody or nobody.
    pub(super) fn rules(
        &mut self,
        at: Located<'_, Option<OneOrMany<Rule>>>,
        providers: &[&str],
    ) -> Vec<RuleSettings> {
        let rules = self.entries(at, "a list without rules");
        rules.into_iter().map(|rule| self.rule(rule, providers)).collect()
    }

    fn rule(&mut self, at: Located<'_, Rule>, providers: &[&str]) -> RuleSettings {
        let settings = RuleSettings {
            users: self.either(at!(at.users), at!(at.user), filled),
            emails: self.condition(at!(at.emails), address),
            email_domains: self.condition(at!(at.email_domains), domain),
            groups: self.condition(at!(at.groups), filled),
            scopes: self.condition(at!(at.scopes), scope),
            providers: self.providers_of(at, providers),
            claims: self.claim_conditions(at!(at.claims)),
            methods: self.condition(at!(at.methods), method),
            paths: self.condition(at!(at.paths), |at| {
                path_prefix(at.value, at.place).map(|prefix| prefix.to_string())
            }),
            networks: self.condition(at!(at.networks), network),
            strength: self.strength(at),
            bound: at.value.bound,
        };
        if is_empty(at.value) {
            self.fault(
                Diagnostic::new(at.place, "a rule without conditions")
                    .expected("expected at least one condition, such as `groups = [\"staff\"]`")
                    .help(
                        "to open a route to everybody who is signed in, say `access = \"signed-in\"` on it",
                    ),
            );
        }
        settings
    }

    fn strength(&mut self, at: Located<'_, Rule>) -> Strength {
        Strength {
            acr: self.authentication_words(at!(at.acr)),
            amr: self.authentication_words(at!(at.amr)),
            max_age: at.value.max_auth_age.is_some().then(|| {
                let range = Duration::from_secs(MINUTE)..=Duration::from_secs(366 * DAY);
                self.span(at!(at.max_auth_age), Duration::from_secs(MINUTE), range)
            }),
            after: None,
        }
    }

    /// Names of levels or methods; so few and so short that all of them travel through a browser.
    fn authentication_words(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Vec<String> {
        const MOST: usize = 10;
        let words = self.condition(at, authentication_word);
        if words.len() > MOST {
            self.fault(Diagnostic::new(at.place, "too many").expected(format!("expected at most {MOST}")));
        }
        words
    }

    /// Which providers the rule means; none where it means any.
    fn providers_of(&mut self, at: Located<'_, Rule>, known: &[&str]) -> Vec<ProviderName> {
        if !means_any(at.value) {
            return self.either(at!(at.providers), at!(at.provider), |at| provider(at, known));
        }
        let written: Vec<_> = at!(at.providers).all().into_iter().chain(at!(at.provider).all()).collect();
        if let Some(other) = written.into_iter().find(|at| at.value != ANY) {
            self.fault(
                Diagnostic::new(other.place, format!("{} beside \"any\"", quoted(other.value)))
                    .expected("expected names of providers, or \"any\" alone"),
            );
        }
        Vec::new()
    }

    /// A condition that is called by its plural or its singular.
    fn either<T>(
        &mut self,
        many: Located<'_, Option<OneOrMany<String>>>,
        one: Located<'_, Option<OneOrMany<String>>>,
        read: impl Fn(Located<'_, String>) -> Result<T, Diagnostic>,
    ) -> Vec<T> {
        let mut values = self.condition(many, &read);
        values.extend(self.condition(one, &read));
        values
    }

    fn condition<T>(
        &mut self,
        at: Located<'_, Option<OneOrMany<String>>>,
        read: impl Fn(Located<'_, String>) -> Result<T, Diagnostic>,
    ) -> Vec<T> {
        let values = self.entries(at, "an empty list sets no condition");
        values.into_iter().filter_map(|at| self.keep(read(at))).collect()
    }

    /// The entries of a list that must have some: an empty one would hold for everybody.
    fn entries<'v, T>(&mut self, at: Located<'v, Option<OneOrMany<T>>>, empty: &str) -> Vec<Located<'v, T>> {
        let entries = at.all();
        if at.value.is_some() && entries.is_empty() {
            self.fault(
                Diagnostic::new(at.place, empty).expected("expected at least one entry, or no such key"),
            );
        }
        entries
    }

    fn claim_conditions(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, OneOrMany<Scalar>>>>,
    ) -> Vec<(ClaimPath, Vec<String>)> {
        let claims = at.given().map(Located::entries).unwrap_or_default();
        if at.value.is_some() && claims.is_empty() {
            self.fault(
                Diagnostic::new(at.place, "an empty table sets no condition")
                    .expected("expected at least one claim, such as `claims = { department = \"billing\" }`"),
            );
        }
        let condition = |(path, at): (&str, Located<'_, OneOrMany<Scalar>>)| {
            let values = at.items().into_iter().map(|value| value.value.text()).collect();
            Some((self.claim_path(path, at.place)?, values))
        };
        claims.into_iter().filter_map(condition).collect()
    }
}

/// Whether the rule says that it does not matter who vouches.
fn means_any(rule: &Rule) -> bool {
    let says = |list: &Option<OneOrMany<String>>| match list {
        Some(OneOrMany::One(word)) => word == ANY,
        Some(OneOrMany::Many(words)) => words.iter().any(|word| word == ANY),
        None => false,
    };
    says(&rule.providers) || says(&rule.provider)
}

fn is_empty(rule: &Rule) -> bool {
    let Rule {
        users,
        user,
        emails,
        email_domains,
        groups,
        scopes,
        providers,
        provider,
        claims,
        methods,
        paths,
        networks,
        acr,
        amr,
        max_auth_age,
        bound,
    } = rule;
    let lists = [
        users,
        user,
        emails,
        email_domains,
        groups,
        scopes,
        providers,
        provider,
        methods,
        paths,
        networks,
        acr,
        amr,
    ];
    let given = lists.into_iter().filter(|list| list.is_some()).count();
    let providers = [providers, provider].into_iter().filter(|list| list.is_some()).count();
    let other = claims.is_some() || max_auth_age.is_some() || bound.is_some();
    !other && (given == 0 || (given == providers && means_any(rule)))
}

fn address(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let whole =
        at.value.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if whole && !at.value.contains(|c: char| c == '*' || c.is_whitespace() || c.is_control()) {
        return Ok(at.value.clone());
    }
    let diagnostic = Diagnostic::new(at.place, "not an e-mail address")
        .expected("expected an address such as \"alice@corp.example\"");
    Err(match at.value.trim_start_matches('*').strip_prefix('@') {
        Some(_) => diagnostic.help("for everybody of a domain say `email_domains = [\"corp.example\"]`"),
        None => diagnostic,
    })
}

/// A scope is a word (RFC 6749, section 3.3).
fn scope(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let word = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    if !at.value.is_empty() && at.value.chars().all(word) {
        return Ok(at.value.clone());
    }
    Err(Diagnostic::new(at.place, "not a scope")
        .expected("expected one word such as \"orders:read\"; several are an array"))
}

/// `acr_values` has its values separated by blanks (OpenID Connect Core 1.0, section 3.1.2.1), and a challenge has no
/// way to write quotes (RFC 6750, section 3).
fn authentication_word(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    if (1..=100).contains(&at.value.len()) && at.value.chars().all(plain) {
        return Ok(at.value.clone());
    }
    Err(Diagnostic::new(at.place, "not a level or method of a sign-in")
        .expected("expected one word of at most 100 characters such as \"mfa\"; several are an array"))
}

fn provider(at: Located<'_, String>, known: &[&str]) -> Result<ProviderName, Diagnostic> {
    if known.contains(&at.value.as_str()) {
        return Ok(ProviderName::new(at.value));
    }
    Err(unknown(at, "provider", known.iter().copied()))
}
