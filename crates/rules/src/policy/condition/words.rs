//! How a condition reads. A refusal page shows these words to strangers: what belongs to other people or to
//! the network (users, addresses, networks) is counted rather than listed, and no value of a claim is shown.

use super::{Condition, Effect, OfPrincipal, OfRequest, address, domain};
use crate::identity::{Gaps, Principal, listed};
use crate::policy::Question;

impl Condition {
    /// What it wants: `one of the groups: ops`.
    pub(in crate::policy) fn wanted(&self) -> String {
        match self {
            Self::Request(condition) => condition.wanted(),
            Self::Principal(condition) => condition.wanted(),
            Self::Strength(proof) => proof.wanted(),
            Self::Bound(wanted) => bound(Some(*wanted)).into(),
        }
    }

    /// What was there: `staff, dev`.
    pub(in crate::policy) fn found(&self, question: &Question<'_>) -> String {
        match (self, question.principal) {
            (Self::Request(condition), _) => condition.found(question),
            (Self::Principal(condition), Some(principal)) => condition.found(principal),
            (Self::Strength(proof), Some(principal)) => proof.found(principal, question.now),
            (Self::Bound(_), Some(_)) => bound(question.bound).into(),
            (Self::Principal(_) | Self::Strength(_) | Self::Bound(_), None) => "nobody signed in".into(),
        }
    }
}

impl OfRequest {
    fn wanted(&self) -> String {
        match self {
            Self::Methods(list) => format!("one of the methods: {}", listed(list)),
            Self::Networks(list) => {
                format!("a client address in {}", one_of(list.len(), "network", "networks"))
            }
            Self::Paths(list) if list.contains(&"".into()) => "any path".into(),
            Self::Paths(list) => format!("a path under: {}", listed(list)),
        }
    }

    fn found(&self, question: &Question<'_>) -> String {
        match self {
            Self::Methods(_) => question.method.to_string(),
            Self::Networks(_) => question.client.ip().to_string(),
            Self::Paths(_) => question.path.decoded().to_owned(),
        }
    }
}

impl OfPrincipal {
    fn wanted(&self) -> String {
        match self {
            Self::Provider(list) => format!("one of the providers: {}", listed(list)),
            Self::User(list) => one_of(list.len(), "user", "named users"),
            Self::Email(list, effect) => {
                let address = format!("{}e-mail address", verified(*effect));
                one_of(list.len(), &address, &format!("{address}es"))
            }
            Self::EmailDomain(list, effect) => {
                format!("{}e-mail address in: {}", verified(*effect), listed(list))
            }
            Self::Group(list) => format!("one of the groups: {}", listed(list)),
            Self::Scopes(list) => format!("all of the scopes: {}", listed(list)),
            Self::Claim(path, values) if values.is_empty() => format!("the claim {path}"),
            Self::Claim(path, values) => format!("the claim {path} with one of: {}", listed(values)),
        }
    }

    fn found(&self, principal: &Principal) -> String {
        let Some(gap) = self.gap(principal) else { return self.known(principal) };
        match self {
            // Some are known, and there may be others.
            Self::Group(_) if !principal.groups.is_empty() => {
                format!("{}, and others that are unknown", listed(&principal.groups))
            }
            Self::Claim(path, _) => format!("the claim {path} unknown"),
            Self::Provider(_)
            | Self::User(_)
            | Self::Email(..)
            | Self::EmailDomain(..)
            | Self::Group(_)
            | Self::Scopes(_) => format!("{} unknown", Gaps::default().with(gap)),
        }
    }

    fn known(&self, principal: &Principal) -> String {
        match self {
            Self::Provider(_) => principal.provider.to_string(),
            Self::User(_) => principal.user.clone(),
            Self::Email(_, effect) => email(principal, address(principal, *effect)),
            Self::EmailDomain(_, effect) => email(principal, address(principal, *effect).and_then(domain)),
            Self::Group(_) => listed(&principal.groups),
            Self::Scopes(_) => listed(&principal.scopes),
            Self::Claim(path, _) => match principal.claim(path) {
                Some(_) => format!("a claim {path}"),
                None => format!("no claim {path}"),
            },
        }
    }
}

const fn bound(is_bound: Option<bool>) -> &'static str {
    match is_bound {
        Some(true) => "a session that is bound to its device",
        Some(false) => "a session that is not bound to its device",
        None => "a session whose browser may be about to bind it",
    }
}

fn one_of(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("one particular {one}") } else { format!("one of {count} {several}") }
}

const fn verified(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "verified ",
        Effect::Deny => "",
    }
}

fn email(principal: &Principal, found: Option<&str>) -> String {
    match (&principal.email, found) {
        (None, _) => "no e-mail address".into(),
        (Some(email), None) if !email.verified => "an e-mail address that is not verified".into(),
        (Some(_), None) => "an e-mail address without domain".into(),
        (Some(_), Some(found)) => found.to_owned(),
    }
}
