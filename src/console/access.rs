//! Who may use a route, in words.

use http::Method;

use crate::clock::Timestamp;
use crate::policy::{Access, AccessSettings, PolicyResult, Question, RuleResult, explain};
use crate::request::{ClientAddress, RequestPath};

/// Who may use a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WhoMay {
    /// Anybody.
    Everybody,
    /// Anybody who has signed in.
    SignedIn,
    /// Whom all of these let in.
    Rules(Vec<PolicyWords>),
}

/// A policy in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyWords {
    pub(super) name: String,
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
}

impl WhoMay {
    pub(super) fn of(access: &AccessSettings) -> Self {
        match access {
            AccessSettings::Public => Self::Everybody,
            AccessSettings::SignedIn => Self::SignedIn,
            AccessSettings::Policies(_) => Self::Rules(policies(access)),
        }
    }
}

/// As explanations say it, which are the same whoever asks for whatever.
fn policies(access: &AccessSettings) -> Vec<PolicyWords> {
    let Ok(path) = RequestPath::parse("/") else { return Vec::new() };
    let question = Question {
        principal: None,
        method: &Method::GET,
        path: &path,
        client: ClientAddress::new([0, 0, 0, 0].into()),
        now: Timestamp::default(),
        bound: None,
    };
    explain(&Access::compile(access), &question).policies.into_iter().map(in_words).collect()
}

fn in_words(policy: PolicyResult) -> PolicyWords {
    let rules = |rules: &[RuleResult]| rules.iter().map(rule).collect();
    PolicyWords { allow: rules(&policy.allow), deny: rules(&policy.deny), name: policy.name }
}

fn rule(rule: &RuleResult) -> String {
    if rule.conditions.is_empty() {
        return "anybody who has signed in".to_owned();
    }
    rule.conditions.iter().map(|condition| condition.wanted.as_str()).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{PolicySettings, RuleSettings};

    #[test]
    fn rules_are_told_as_explanations_tell_them() {
        let rule = |groups: &[&str], paths: &[&str]| RuleSettings {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..RuleSettings::default()
        };
        let policy = PolicySettings {
            name: "staff".into(),
            allow: vec![rule(&["staff", "ops"], &[]), rule(&[], &[])],
            deny: vec![rule(&["guests"], &["/admin"])],
        };
        let WhoMay::Rules(told) = WhoMay::of(&AccessSettings::Policies(vec![policy])) else { panic!() };
        assert_eq!(told[0].name, "staff");
        assert_eq!(told[0].allow, ["one of the groups: staff, ops", "anybody who has signed in"]);
        assert!(told[0].deny[0].contains("one of the groups: guests") && told[0].deny[0].contains(" and "));
        assert_eq!(WhoMay::of(&AccessSettings::Public), WhoMay::Everybody);
    }
}
