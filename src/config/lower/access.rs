//! Who may use a route, and by which credential.

use std::time::Duration;

use crate::authn::{Accept, Accepted};
use crate::policy::{AccessSettings, PolicySettings, RuleSettings};
use crate::session::SessionSettings;

use super::policy::OWN;
use super::value::{MINUTE, unknown};
use super::{Definitions, Lowering};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, at};
use crate::config::raw::{AcceptWord, AccessWord, Route, Span};

/// What a route says about who may use it.
struct StatedAccess<'a> {
    word: Option<AccessWord>,
    named: Vec<&'a PolicySettings>,
    own: PolicySettings,
}

impl Lowering<'_> {
    /// Who may use the route; nobody where that is a fault.
    pub(super) fn access(
        &mut self,
        route: Located<'_, Route>,
        definitions: &Definitions<'_>,
    ) -> AccessSettings {
        let before = self.diagnostics.faults.len();
        let said = StatedAccess {
            word: route.value.access,
            named: self.named(route, definitions),
            own: PolicySettings {
                name: OWN.to_owned(),
                allow: self.rules(at!(route.allow), &definitions.providers),
                deny: self.rules(at!(route.deny), &definitions.providers),
            },
        };
        // Whether the parts contradict each other is not judged where one of them is wrong.
        if self.diagnostics.faults.len() > before {
            return AccessSettings::Policies(Vec::new());
        }
        let access = self.contradiction(route, &said).map_or_else(|| Ok(said.access()), Err);
        self.keep(access).unwrap_or(AccessSettings::Policies(Vec::new()))
    }

    fn named<'k>(
        &mut self,
        route: Located<'_, Route>,
        definitions: &Definitions<'k>,
    ) -> Vec<&'k PolicySettings> {
        let at = at!(route.policy);
        let mut named: Vec<&PolicySettings> = Vec::new();
        for at in at.all() {
            match definitions.policies.get(at.value) {
                Some(policy) if named.iter().any(|other| other.name == policy.name) => {
                    self.fault(
                        Diagnostic::new(at.place, format!("the policy {} is named twice", quoted(at.value)))
                            .expected("expected each policy once"),
                    );
                }
                Some(policy) => named.push(policy),
                None => self.fault(unknown(at, "policy", definitions.policies.keys().map(String::as_str))),
            }
        }
        if at.value.is_some() && at.all().is_empty() {
            self.fault(
                Diagnostic::new(at.place, "a list without policies")
                    .expected("expected the name of a policy"),
            );
        }
        named
    }

    fn contradiction(&self, route: Located<'_, Route>, said: &StatedAccess<'_>) -> Option<Diagnostic> {
        let raw = route.value;
        let narrower = [
            ("policy", raw.policy.is_some(), at!(route.policy).place),
            ("allow", raw.allow.is_some(), at!(route.allow).place),
            ("deny", raw.deny.is_some(), at!(route.deny).place),
        ];
        let mut narrower =
            narrower.into_iter().filter(|(_, given, _)| *given).map(|(key, _, place)| (key, place));
        match said.word {
            Some(AccessWord::Public) => {
                let (key, place) = narrower.next()?;
                Some(
                    Diagnostic::new(place, format!("`{key}` on a public route"))
                        .expected("expected either `access = \"public\"` or rules")
                        .help("a public route asks nobody who they are, so no rule can be judged"),
                )
            }
            Some(AccessWord::SignedIn) if said.allows() => {
                let (key, place) = narrower.find(|(key, _)| *key == "allow").or_else(|| said.first(route))?;
                Some(
                    Diagnostic::new(
                        place,
                        format!("`access = \"signed-in\"` lets in whom `{key}` would not"),
                    )
                    .expected("expected one of the two")
                    .help("leave out `access` to let in only whom the rules allow"),
                )
            }
            Some(AccessWord::SignedIn) => None,
            None if mutant!(said.is_silent(), "route-open-by-silence" => false) => Some(silent(route)),
            None if !said.allows() => {
                let (_, place) = narrower.next()?;
                Some(
                    Diagnostic::new(place, "`deny` rules alone let nobody in")
                        .expected("expected `access = \"signed-in\"` beside them, or rules that allow"),
                )
            }
            None => None,
        }
    }

    /// Which credentials the route looks at.
    pub(super) fn accept(
        &mut self,
        route: Located<'_, Route>,
        definitions: &Definitions<'_>,
        public: bool,
    ) -> Accept {
        let at = at!(route.accept);
        match (at.given(), public) {
            (Some(at), true) => {
                self.fault(
                    Diagnostic::new(at.place, "`accept` on a public route")
                        .expected("expected no `accept`: a public route looks at no credential"),
                );
                Accept::NOTHING
            }
            (None, true) => Accept::NOTHING,
            (None, false) => self.whatever_is_offered(route, definitions.offered),
            (Some(_), false) => self.chosen(route, definitions.offered),
        }
    }

    fn whatever_is_offered(&mut self, route: Located<'_, Route>, offered: Accept) -> Accept {
        if offered == Accept::NOTHING {
            self.fault(
                Diagnostic::new(route.place, "nobody can get in: this file has no provider to sign in with")
                    .expected("expected `[providers.NAME]` with `issuer` and `client_id`")
                    .help("with `audiences` a provider's access tokens are accepted, too"),
            );
        }
        offered
    }

    fn chosen(&mut self, route: Located<'_, Route>, offered: Accept) -> Accept {
        let at = at!(route.accept);
        let words = at.all();
        for word in &words {
            let missing = match word.value {
                AcceptWord::Session if !offered.has(Accepted::Session) => "client_id",
                AcceptWord::Bearer | AcceptWord::Basic if !offered.tokens() => "audiences",
                AcceptWord::Session | AcceptWord::Bearer | AcceptWord::Basic => continue,
            };
            self.fault(
                Diagnostic::new(word.place, format!("no provider has `{missing}`"))
                    .expected(format!("expected a provider with `{missing}`, or another credential")),
            );
        }
        if words.is_empty() {
            self.fault(
                Diagnostic::new(at.place, "a route that accepts no credential lets nobody in")
                    .expected("expected \"session\", \"bearer\" or \"basic\""),
            );
        }
        words.iter().map(|word| accepted(*word.value)).collect()
    }

    /// How long ago the sign-in behind a session may have been, and its last use of the route.
    pub(super) fn route_session(
        &mut self,
        route: Located<'_, Route>,
        accept: Accept,
        session: &SessionSettings,
    ) -> (Option<Duration>, Option<Duration>) {
        let Some(at) = at!(route.session).given() else { return (None, None) };
        if !accept.has(Accepted::Session) {
            self.fault(
                Diagnostic::new(at.place, "`session` on a route that looks at no sessions")
                    .expected("expected it where `accept` has \"session\""),
            );
        }
        let mut within = |at: Located<'_, Option<Span>>, longest| {
            at.given().map(|_| self.span(at, longest, Duration::from_secs(MINUTE)..=longest))
        };
        (within(at!(at.max_age), session.max_age), within(at!(at.idle_timeout), session.idle_timeout))
    }

    /// What the route's challenges call it.
    pub(super) fn realm(&mut self, route: Located<'_, Route>) -> String {
        let at = at!(route.realm);
        at.given().and_then(|at| self.keep(realm(at))).unwrap_or_else(|| "portcullis".into())
    }
}

const fn accepted(word: AcceptWord) -> Accepted {
    match word {
        AcceptWord::Session => Accepted::Session,
        AcceptWord::Bearer => Accepted::Bearer,
        AcceptWord::Basic => Accepted::Basic,
    }
}

/// A realm without characters that have to be escaped, which clients read differently.
fn realm(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let printable = |c: char| (c == ' ' || c.is_ascii_graphic()) && c != '"' && c != '\\';
    let good = (1..=128).contains(&at.value.len()) && at.value.chars().all(printable);
    good.then(|| at.value.clone()).ok_or_else(|| {
        Diagnostic::new(at.place, "not a realm")
            .expected("expected 1 to 128 characters of ASCII, without quotes and backslashes")
    })
}

fn silent(route: Located<'_, Route>) -> Diagnostic {
    Diagnostic::new(route.place, "the route does not say who may use it")
        .expected("expected `access = \"signed-in\"`, a `policy` or `allow` rules")
        .help("`access = \"public\"` opens it to everybody, without signing in")
}

impl StatedAccess<'_> {
    /// Whether some rule allows.
    fn allows(&self) -> bool {
        !self.own.allow.is_empty() || self.named.iter().any(|policy| !policy.allow.is_empty())
    }

    fn is_silent(&self) -> bool {
        self.named.is_empty() && self.own.allow.is_empty() && self.own.deny.is_empty()
    }

    /// The first named policy that allows.
    fn first<'r>(
        &self,
        route: Located<'r, Route>,
    ) -> Option<(&'static str, crate::config::located::Place<'r>)> {
        let allows = |at: &Located<'_, String>| {
            self.named.iter().any(|policy| policy.name == *at.value && !policy.allow.is_empty())
        };
        at!(route.policy).all().into_iter().find(allows).map(|at| ("policy", at.place))
    }

    fn access(self) -> AccessSettings {
        match self.word {
            Some(AccessWord::Public) => AccessSettings::Public,
            Some(AccessWord::SignedIn) if self.is_silent() => AccessSettings::SignedIn,
            Some(AccessWord::SignedIn) | None => self.policies(),
        }
    }

    /// All policies are required. One that has `deny` rules alone is given a rule that allows everybody who
    /// is signed in: so it only takes away, and the others decide about the rest.
    fn policies(self) -> AccessSettings {
        let own = (!self.own.allow.is_empty() || !self.own.deny.is_empty()).then_some(self.own);
        let mut policies: Vec<_> = self.named.into_iter().cloned().chain(own).collect();
        for policy in policies.iter_mut().filter(|policy| policy.allow.is_empty()) {
            policy.allow.push(RuleSettings::default());
        }
        AccessSettings::Policies(policies)
    }
}
