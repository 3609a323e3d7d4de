use std::time::Duration;

use http::Method;
use serde_json::json;

use super::{alice, allows, claim, denies, groups, policies, policy, said, text};
use crate::clock::Timestamp;
use crate::identity::{Claims, Gap, Gaps, Principal, ProviderName, Strength};
use crate::policy::RuleSettings;

fn without(principal: Principal, gap: Gap) -> Principal {
    let gaps = Gaps::default().with(gap);
    match gap {
        Gap::SignIn => Principal { acr: None, auth_time: None, claims: Claims::default(), gaps, ..principal },
        Gap::User | Gap::Email | Gap::Groups | Gap::Scopes | Gap::Claims | Gap::Binding => {
            Principal { gaps, ..principal }
        }
    }
}

fn strength(strength: Strength) -> RuleSettings {
    RuleSettings { strength, ..RuleSettings::default() }
}

/// A rule of each kind that asks what `gap` is about, and that somebody of whom it is unknown does not meet as far
/// as is known.
fn rules_about(gap: Gap) -> Vec<RuleSettings> {
    let rule = RuleSettings::default;
    match gap {
        Gap::User => vec![RuleSettings { users: text(&["banned"]), ..rule() }],
        Gap::Email => vec![
            RuleSettings { emails: text(&["banned@corp.example"]), ..rule() },
            RuleSettings { email_domains: text(&["banned.example"]), ..rule() },
        ],
        Gap::Groups => vec![groups(&["banned"])],
        Gap::Scopes => vec![RuleSettings { scopes: text(&["banned"]), ..rule() }],
        Gap::Claims => vec![claim("banned", &[]), claim("banned", &["true"])],
        Gap::SignIn => vec![
            strength(Strength { acr: text(&["banned"]), ..Strength::default() }),
            strength(Strength { amr: text(&["banned"]), ..Strength::default() }),
            strength(Strength { max_age: Some(Duration::from_secs(60)), ..Strength::default() }),
        ],
        // No source of the person's could say it: `bound` has the tests of it.
        Gap::Binding => Vec::new(),
    }
}

#[test]
fn invariant_19_what_is_unknown_allows_nobody_and_denies() {
    let nameless = || Principal {
        email: None,
        groups: vec![],
        scopes: vec![],
        acr: Some("pwd".into()),
        auth_time: Some(Timestamp::from_seconds(0)),
        claims: json!({"amr": ["pwd"]}).as_object().unwrap().clone().into(),
        ..alice()
    };
    for gap in Gap::ALL {
        for rule in rules_about(gap) {
            let unknown = without(nameless(), gap);
            assert!(!allows(rule.clone(), unknown.clone()), "{gap:?}");
            assert!(denies(rule.clone(), unknown), "{gap:?}");
            assert!(!denies(rule, nameless()), "{gap:?} is known to be none");
        }
    }
}

#[test]
fn invariant_19_a_deny_rule_lapses_where_a_condition_is_known_to_fail() {
    let banned = || groups(&["banned"]);
    let unknown = || without(Principal { groups: vec![], ..alice() }, Gap::Groups);
    assert!(!denies(RuleSettings { methods: vec![Method::POST], ..banned() }, unknown()));
    assert!(!denies(RuleSettings { users: text(&["bob"]), ..banned() }, unknown()));
    assert!(!denies(RuleSettings { providers: vec![ProviderName::new("partner")], ..banned() }, unknown()));
    assert!(denies(RuleSettings { users: text(&["alice"]), ..banned() }, unknown()));
}

#[test]
fn invariant_19_what_is_known_counts_although_there_may_be_more() {
    let some = || without(alice(), Gap::Groups);
    assert!(allows(groups(&["staff"]), some()));
    assert!(denies(groups(&["staff"]), some()));
    assert!(!allows(groups(&["ops"]), some()) && denies(groups(&["ops"]), some()));
}

#[test]
fn invariant_19_a_claim_that_is_kept_elsewhere_or_cannot_be_read_is_unknown() {
    let with = |claims: serde_json::Value| Principal {
        claims: claims.as_object().unwrap().clone().into(),
        ..alice()
    };
    for claims in [
        json!({"_claim_names": {"roles": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}}),
        json!({"_claim_names": "roles"}),
        json!({"_claim_sources": {"src1": {}}}),
        json!({"roles": {"banned": true}}),
        json!({"roles": ["a", {"name": "banned"}]}),
        json!({"roles": [["banned"]]}),
    ] {
        assert!(denies(claim("roles", &["banned"]), with(claims.clone())), "{claims}");
        assert!(!allows(claim("roles", &["banned"]), with(claims.clone())), "{claims}");
    }
    for claims in [
        json!({"_claim_names": {"other": "src1"}, "_claim_sources": {"src1": {}}}),
        json!({"roles": ["a", null]}),
        json!({"roles": null}),
        json!({}),
    ] {
        assert!(!denies(claim("roles", &["banned"]), with(claims.clone())), "{claims}");
    }
}

#[test]
fn a_reason_says_what_the_provider_did_not_list() {
    let unknown = || {
        let nobody = Principal { groups: vec![], email: None, ..alice() };
        Principal { gaps: [Gap::Groups, Gap::Email].into_iter().collect(), ..nobody }
    };
    let deny = policies(vec![policy("p", vec![RuleSettings::default()], vec![groups(&["banned"])])]);
    let allow = policies(vec![policy("p", vec![groups(&["staff"])], vec![])]);
    let both = RuleSettings { emails: text(&["x@y.example"]), ..groups(&["staff"]) };
    let both = policies(vec![policy(
        "p",
        vec![RuleSettings { users: text(&["bob"]), ..groups(&["a"]) }, both],
        vec![],
    )]);
    let said = |settings| said(settings, Some(unknown()));
    assert_eq!(said(&deny), "forbidden: policy p, deny rule 1; the provider did not list the groups");
    assert_eq!(
        said(&allow),
        "forbidden: policy p, no allow rule holds; the provider did not list the groups"
    );
    let two = "forbidden: policy p, no allow rule holds; the provider did not list the e-mail address and the groups";
    assert_eq!(said(&both), two);
}

/// So many rules are looked up, and every one of them may hold for somebody whose groups are unknown.
#[test]
fn invariant_19_an_unknown_person_is_denied_by_the_first_of_many_rules() {
    let deny: Vec<_> = (0..20).map(|index| groups(&[&format!("g{index}")])).collect();
    let settings = policies(vec![policy("p", vec![RuleSettings::default()], deny)]);
    let unknown = without(Principal { groups: vec!["g7".into()], ..alice() }, Gap::Groups);
    let expected = "forbidden: policy p, deny rule 1; the provider did not list the groups";
    assert_eq!(said(&settings, Some(unknown)), expected);
}
