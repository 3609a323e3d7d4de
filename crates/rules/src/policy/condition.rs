//! One condition of a rule: whether it holds, and how it reads.

mod key;
mod words;

use http::Method;
use ipnet::IpNet;
use serde_json::Value;

use super::{Question, RuleSettings};
use crate::identity::{ClaimPath, Email, Gap, Principal, Proof, ProviderName, is_text};

pub(super) use key::KeyKind;

/// What a rule does where it holds. Where it is in doubt whether an address is somebody's, a rule does not allow
/// and does deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Whether a condition holds. Unknown is not no: a rule that allows needs conditions that are known to hold, one
/// that denies holds unless a condition is known not to (invariant 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is known to hold.
    Yes,
    /// It is known not to hold.
    No,
    /// It does not hold as far as is known, and that is not far enough: the provider did not say this.
    Unknown(Gap),
}

impl Truth {
    /// What the provider did not say.
    pub(super) const fn gap(self) -> Option<Gap> {
        match self {
            Self::Unknown(gap) => Some(gap),
            Self::Yes | Self::No => None,
        }
    }
}

/// What must hold; each list is not empty, but for the values of a claim.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Request(OfRequest),
    Principal(OfPrincipal),
    /// What the same person may come to meet by signing in anew.
    Strength(Proof),
}

/// What a request alone can answer.
#[derive(Clone, Debug)]
pub(super) enum OfRequest {
    Methods(Box<[Method]>),
    Networks(Box<[IpNet]>),
    Paths(Box<[Box<str>]>),
}

/// What only a principal can meet: where nobody is signed in, it does not hold.
#[derive(Clone, Debug)]
pub(super) enum OfPrincipal {
    Provider(Box<[ProviderName]>),
    User(Box<[String]>),
    Email(Box<[String]>, Effect),
    EmailDomain(Box<[String]>, Effect),
    Group(Box<[String]>),
    Scopes(Box<[String]>),
    Claim(ClaimPath, Box<[String]>),
}

impl Condition {
    /// The conditions of a rule, the cheapest first.
    pub(super) fn all(rule: &RuleSettings, effect: Effect) -> Box<[Self]> {
        let request = OfRequest::all(rule).map(Self::Request);
        let principal = OfPrincipal::all(rule, effect).map(Self::Principal);
        request.chain(principal).chain(rule.strength.proofs().map(Self::Strength)).collect()
    }

    #[inline] // every request passes here
    pub(super) fn holds(&self, question: &Question<'_>) -> bool {
        match self {
            Self::Request(condition) => condition.holds(question),
            Self::Principal(condition) => {
                question.principal.is_some_and(|principal| condition.holds(principal))
            }
            Self::Strength(proof) => {
                let given = question.principal.and_then(|person| proof.is_given(person, question.now));
                mutant!(given == Some(true), "unknown-strength-holds" => given != Some(false))
            }
        }
    }

    /// Whether it asks nothing of whoever sends the request.
    pub(super) const fn is_of_request(&self) -> bool {
        matches!(self, Self::Request(_))
    }

    /// Whether it asks how strong the sign-in was.
    pub(super) const fn is_of_strength(&self) -> bool {
        matches!(self, Self::Strength(_))
    }

    pub(super) fn truth(&self, question: &Question<'_>) -> Truth {
        match (self, question.principal) {
            _ if self.holds(question) => Truth::Yes,
            (Self::Principal(condition), Some(principal)) => {
                condition.gap(principal).map_or(Truth::No, Truth::Unknown)
            }
            (Self::Strength(proof), Some(principal)) => match proof.is_given(principal, question.now) {
                Some(_) => Truth::No,
                None => Truth::Unknown(Gap::SignIn),
            },
            (Self::Request(_), _) | (Self::Principal(_) | Self::Strength(_), None) => Truth::No,
        }
    }

    /// The scopes it wants, where it is about scopes.
    pub(super) fn scopes(&self) -> Option<&[String]> {
        match self {
            Self::Principal(OfPrincipal::Scopes(scopes)) => Some(scopes),
            Self::Principal(_) | Self::Request(_) | Self::Strength(_) => None,
        }
    }
}

impl OfRequest {
    fn all(rule: &RuleSettings) -> impl Iterator<Item = Self> {
        let prefix = |path: &String| path.strip_suffix('/').unwrap_or(path).into();
        let paths = some(&rule.paths).map(|paths| Self::Paths(paths.iter().map(prefix).collect()));
        let methods = some(&rule.methods).map(Self::Methods);
        [methods, some(&rule.networks).map(Self::Networks), paths].into_iter().flatten()
    }

    fn holds(&self, question: &Question<'_>) -> bool {
        match self {
            Self::Methods(methods) => methods.contains(question.method),
            Self::Networks(networks) => question.client.is_in(networks),
            Self::Paths(paths) => paths.iter().any(|path| is_under(question.path.decoded(), path)),
        }
    }
}

impl OfPrincipal {
    fn all(rule: &RuleSettings, effect: Effect) -> impl Iterator<Item = Self> {
        let claims =
            rule.claims.iter().map(|(path, values)| Self::Claim(path.clone(), values.as_slice().into()));
        let lists = [
            some(&rule.providers).map(Self::Provider),
            some(&rule.users).map(Self::User),
            some(&rule.emails).map(|emails| Self::Email(emails, effect)),
            some(&rule.email_domains).map(|domains| Self::EmailDomain(domains, effect)),
            some(&rule.groups).map(Self::Group),
            some(&rule.scopes).map(Self::Scopes),
        ];
        lists.into_iter().flatten().chain(claims)
    }

    fn holds(&self, principal: &Principal) -> bool {
        match self {
            Self::Provider(providers) => providers.contains(&principal.provider),
            Self::User(users) => users.contains(&principal.user),
            Self::Email(wanted, effect) => {
                address(principal, *effect).is_some_and(|address| is_any(wanted, address))
            }
            Self::EmailDomain(wanted, effect) => {
                address(principal, *effect).and_then(domain).is_some_and(|domain| is_any(wanted, domain))
            }
            Self::Group(groups) => principal.groups.iter().any(|group| groups.contains(group)),
            Self::Scopes(scopes) => {
                let has = |scope: &String| principal.scopes.contains(scope);
                mutant!(scopes.iter().all(has), "one-scope-is-enough" => scopes.iter().any(has))
            }
            Self::Claim(path, values) => principal.claim(path).is_some_and(|found| satisfies(found, values)),
        }
    }

    /// What would have to be known to say that it does not hold, where that is not known.
    fn gap(&self, principal: &Principal) -> Option<Gap> {
        let gap = match self {
            Self::Provider(_) => return None,
            Self::User(_) => Gap::User,
            Self::Email(..) | Self::EmailDomain(..) => Gap::Email,
            Self::Group(_) => Gap::Groups,
            Self::Scopes(_) => Gap::Scopes,
            Self::Claim(path, values) => {
                return claim_may_be(principal, path, !values.is_empty()).then_some(Gap::Claims);
            }
        };
        principal.gaps.has(gap).then_some(gap)
    }
}

/// Whether the claim at `path` may be other than it stands there: that it is there at all, or, where a rule asks
/// for `values`, what it holds.
fn claim_may_be(principal: &Principal, path: &ClaimPath, values: bool) -> bool {
    match principal.claim(path) {
        None | Some(Value::Null) => {
            principal.gaps.has(Gap::Claims)
                || mutant!(principal.keeps_elsewhere(path), "claim-kept-elsewhere-is-none" => false)
        }
        Some(found) => (values && !is_text(found)) || principal.keeps_elsewhere(path),
    }
}

fn some<T: Clone>(list: &[T]) -> Option<Box<[T]>> {
    (!list.is_empty()).then(|| list.into())
}

fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(
        |rest| mutant!(rest.is_empty() || rest.starts_with('/'), "path-rule-by-its-beginning" => true),
    )
}

/// The address that counts: to be allowed a verified one (invariant 11), to be denied any.
fn address(principal: &Principal, effect: Effect) -> Option<&str> {
    let counts = |email: &&Email| {
        mutant!(
            email.verified || effect == Effect::Deny,
            "unverified-address-allows" => true,
            "unverified-address-escapes-deny" => email.verified,
        )
    };
    principal.email.as_ref().filter(counts).map(|email| email.address.as_str())
}

/// All behind the last `@`, as [`Email::domain`] has it, without a copy.
fn domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').filter(|(local, _)| !local.is_empty()).map(|(_, domain)| domain)
}

/// Whole texts only: what merely ends or begins like one is another one (invariant 11).
fn is_any(wanted: &[String], found: &str) -> bool {
    wanted.iter().any(|wanted| {
        mutant!(wanted.eq_ignore_ascii_case(found), "address-by-its-end" => found.ends_with(wanted.as_str()))
    })
}

/// Whether a claim has one of the values, or, where none is asked for, says anything but no.
fn satisfies(found: &Value, values: &[String]) -> bool {
    if values.is_empty() {
        return !matches!(found, Value::Null | Value::Bool(false));
    }
    match found {
        Value::Array(items) => items.iter().any(|item| !item.is_array() && is_one_of(item, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            is_one_of(found, values)
        }
    }
}

/// As [`texts`](crate::identity::texts) reads claims, without a copy.
fn is_one_of(found: &Value, values: &[String]) -> bool {
    match found {
        Value::String(text) => values.contains(text),
        Value::Bool(truth) => values.iter().any(|value| value == if *truth { "true" } else { "false" }),
        Value::Number(number) => values.contains(&number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}
