//! Rules that name somebody whom two providers could vouch for: a namesake of the other one would pass
//! (invariant 29).

use std::collections::HashMap;

use crate::authn::{Accept, Accepted};
use crate::gate::RouteSettings;
use crate::oidc::ProviderSettings;

use super::Lowering;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, Place, at};
use crate::config::raw::{Config, Route, Rule};

/// Names that a remark writes out.
const SHOWN: usize = 5;

impl Lowering<'_> {
    /// Every `allow` rule that must say whose user or group it means, and does not. A `deny` rule that says nothing
    /// keeps out the namesakes, too.
    pub(super) fn whose(
        &mut self,
        config: Located<'_, Config>,
        routes: &[(Located<'_, Route>, RouteSettings)],
        providers: &[ProviderSettings],
    ) {
        let mut accepted: HashMap<&str, Vec<Accept>> = HashMap::new();
        for (route, meant) in routes {
            let route = *route;
            self.ask_whose(&at!(route.allow).all(), &vouching(providers, &[meant.accept]));
            for name in at!(route.policy).all() {
                accepted.entry(name.value).or_default().push(meant.accept);
            }
        }
        let policies = at!(config.policies).given().map(Located::entries).unwrap_or_default();
        for (name, policy) in policies {
            let accepted = accepted.get(name).map_or(&[][..], Vec::as_slice);
            self.ask_whose(&at!(policy.allow).all(), &vouching(providers, accepted));
        }
    }

    fn ask_whose(&mut self, rules: &[Located<'_, Rule>], vouching: &[&ProviderSettings]) {
        // Two registrations at one issuer know the same people.
        let one = vouching.iter().all(|provider| provider.issuer == vouching[0].issuer);
        if mutant!(one, "namesake-passes" => true) {
            return;
        }
        for rule in rules.iter().filter(|at| at.value.provider.is_none() && at.value.providers.is_none()) {
            if let Some(named) = RuleNames::of(*rule) {
                self.fault(named.ownerless(vouching));
            }
        }
    }
}

/// The providers whose people or tokens come to routes that accept this.
fn vouching<'p>(providers: &'p [ProviderSettings], accepted: &[Accept]) -> Vec<&'p ProviderSettings> {
    providers.iter().filter(|provider| accepted.iter().any(|accept| lets_in(*accept, provider))).collect()
}

/// Whether a route with these credentials lets in people or tokens of the provider: people sign in by its
/// client, tokens are for its audiences.
pub(in crate::config) fn lets_in(accept: Accept, provider: &ProviderSettings) -> bool {
    (accept.has(Accepted::Session) && provider.client.is_some())
        || (accept.tokens() && !provider.audiences.is_empty())
}

/// The names in a rule, of people or groups, that two providers could give.
struct RuleNames<'a> {
    place: Place<'a>,
    key: &'static str,
    names: Vec<&'a str>,
}

impl<'a> RuleNames<'a> {
    /// Those of the first key that holds some.
    fn of(at: Located<'a, Rule>) -> Option<Self> {
        let keys = [
            ("users", at!(at.users)),
            ("user", at!(at.user)),
            ("groups", at!(at.groups)),
            ("emails", at!(at.emails)),
            ("email_domains", at!(at.email_domains)),
        ];
        keys.into_iter().find_map(|(key, at)| {
            let names: Vec<_> = at.all().into_iter().map(|name| name.value.as_str()).collect();
            (!names.is_empty()).then_some(Self { place: at.place, key, names })
        })
    }

    fn ownerless(&self, vouching: &[&ProviderSettings]) -> Diagnostic {
        let all = listed(vouching.iter().map(|provider| provider.name.as_str()));
        let first = self.likely(vouching);
        let names = listed(self.names.iter().copied());
        Diagnostic::new(self.place, "the rule does not say whose: a namesake of another provider would pass")
            .expected("expected `provider` beside it")
            .help(format!(
                "write `{} = [{names}], provider = \"{first}\"`; several are `provider = [{all}]`, and \
                 `provider = \"any\"` lets namesakes in on purpose",
                self.key
            ))
    }

    /// The provider to which people of this domain are sent, else the first.
    fn likely<'p>(&self, vouching: &[&'p ProviderSettings]) -> &'p str {
        let domain =
            |name: &str| name.rsplit_once('@').map_or(name, |(_, domain)| domain).to_ascii_lowercase();
        let domains: Vec<_> = self.names.iter().map(|name| domain(name)).collect();
        let sends = |provider: &&&ProviderSettings| {
            provider.email_domains.iter().any(|known| domains.contains(known))
        };
        vouching.iter().find(sends).unwrap_or(&vouching[0]).name.as_str()
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.take(SHOWN).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
