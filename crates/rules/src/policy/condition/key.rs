//! Keys by which rules are filed ([`Index`](crate::policy::index::Index)). What a condition names and what a
//! question has are compared here as `holds` compares them: a question without any of a condition's keys does
//! not meet it, unless it is unknown whether it has more of them.

use serde_json::Value;

use super::{Condition, Effect, OfPrincipal, OfRequest, address, claim_may_be, domain};
use crate::identity::{ClaimPath, Gap, Principal};
use crate::policy::Question;

/// What a key is a value of: the request's path, or an attribute of its principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum KeyKind {
    Path,
    Person(Attribute),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Attribute {
    Provider,
    User,
    Email(Effect),
    EmailDomain(Effect),
    Group,
    Scope,
    Claim(ClaimPath),
}

impl Condition {
    /// Keys of which a question must have one for this condition to hold; `None` where they cannot be listed.
    pub(in crate::policy) fn keys(&self) -> Option<(KeyKind, Vec<String>)> {
        match self {
            Self::Request(OfRequest::Paths(paths)) => {
                Some((KeyKind::Path, paths.iter().map(ToString::to_string).collect()))
            }
            Self::Request(OfRequest::Methods(_) | OfRequest::Networks(_))
            | Self::Strength(_)
            | Self::Bound(_) => None,
            Self::Principal(condition) => {
                condition.keys().map(|(about, keys)| (KeyKind::Person(about), keys))
            }
        }
    }
}

impl OfPrincipal {
    fn keys(&self) -> Option<(Attribute, Vec<String>)> {
        let lower = |list: &[String]| list.iter().map(|text| text.to_ascii_lowercase()).collect();
        Some(match self {
            Self::Provider(list) => (Attribute::Provider, list.iter().map(ToString::to_string).collect()),
            Self::User(list) => (Attribute::User, list.to_vec()),
            Self::Email(list, effect) => (Attribute::Email(*effect), lower(list)),
            Self::EmailDomain(list, effect) => (Attribute::EmailDomain(*effect), lower(list)),
            Self::Group(list) => (Attribute::Group, list.to_vec()),
            // All of the scopes are required: any one of them is looked for as well as another.
            Self::Scopes(list) => (Attribute::Scope, list.iter().take(1).cloned().collect()),
            Self::Claim(_, values) if values.is_empty() => return None,
            Self::Claim(path, values) => (Attribute::Claim(path.clone()), values.to_vec()),
        })
    }
}

impl KeyKind {
    /// Whether a question may have keys of this kind that are not known.
    pub(in crate::policy) fn may_have_more(&self, question: &Question<'_>) -> bool {
        match (self, question.principal) {
            (Self::Person(about), Some(principal)) => about.may_be_more(principal),
            (Self::Path, _) | (Self::Person(_), None) => false,
        }
    }

    /// Tells `visit` the keys of this kind that a question has.
    pub(in crate::policy) fn each(&self, question: &Question<'_>, visit: &mut dyn FnMut(&str)) {
        match (self, question.principal) {
            (Self::Path, _) => prefixes(question.path.decoded()).for_each(visit),
            (Self::Person(about), Some(principal)) => about.each(principal, visit),
            (Self::Person(_), None) => {}
        }
    }
}

impl Attribute {
    fn may_be_more(&self, principal: &Principal) -> bool {
        match self {
            Self::Provider => false,
            Self::User => principal.gaps.has(Gap::User),
            Self::Email(_) | Self::EmailDomain(_) => principal.gaps.has(Gap::Email),
            Self::Group => principal.gaps.has(Gap::Groups),
            Self::Scope => principal.gaps.has(Gap::Scopes),
            Self::Claim(path) => claim_may_be(principal, path, true),
        }
    }

    fn each(&self, principal: &Principal, visit: &mut dyn FnMut(&str)) {
        let mut lower =
            |text: Option<&str>| text.map(str::to_ascii_lowercase).iter().for_each(|key| visit(key));
        match self {
            Self::Provider => visit(principal.provider.as_str()),
            Self::User => visit(&principal.user),
            Self::Email(effect) => lower(address(principal, *effect)),
            Self::EmailDomain(effect) => lower(address(principal, *effect).and_then(domain)),
            Self::Group => principal.groups.iter().for_each(|group| visit(group)),
            Self::Scope => principal.scopes.iter().for_each(|scope| visit(scope)),
            Self::Claim(path) => {
                principal.claim(path).into_iter().for_each(|found| values(found, visit));
            }
        }
    }
}

/// Every path that `path` is or is under, the shortest first.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let borders = path.match_indices('/').map(|(border, _)| border);
    borders.chain([path.len()]).filter_map(|border| path.get(..border))
}

/// The texts that a claim is compared by.
fn values(found: &Value, visit: &mut dyn FnMut(&str)) {
    match found {
        Value::String(text) => visit(text),
        Value::Bool(truth) => visit(if *truth { "true" } else { "false" }),
        Value::Number(number) => visit(&number.to_string()),
        Value::Array(items) => {
            items.iter().filter(|item| !item.is_array()).for_each(|item| values(item, visit));
        }
        Value::Null | Value::Object(_) => {}
    }
}
