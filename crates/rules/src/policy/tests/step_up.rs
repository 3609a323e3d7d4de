//! Who is asked for a stronger sign-in, and for which.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::json;

use super::{NOW, alice, groups, policies, policy, said, text};
use crate::clock::Timestamp;
use crate::identity::{Principal, Strength};
use crate::policy::{
    Access, AccessSettings, Decision, PolicySettings, Question, RuleSettings, decide, explain,
    least_strength, missing_scopes,
};
use crate::request::{ClientAddress, RequestPath};

/// Alice, who signed in with her password a quarter of an hour ago.
fn by_password() -> Principal {
    Principal {
        acr: Some("pwd".into()),
        auth_time: Some(Timestamp::from_seconds(NOW.seconds() - 900)),
        claims: json!({"amr": ["pwd"]}).as_object().unwrap().clone().into(),
        ..alice()
    }
}

fn level(acr: &[&str]) -> Strength {
    Strength { acr: text(acr), ..Strength::default() }
}

fn methods(amr: &[&str]) -> Strength {
    Strength { amr: text(amr), ..Strength::default() }
}

fn within(seconds: u64) -> Strength {
    Strength { max_age: Some(Duration::from_secs(seconds)), ..Strength::default() }
}

fn staff(strength: Strength) -> RuleSettings {
    RuleSettings { strength, ..groups(&["staff"]) }
}

fn allowing(allow: Vec<RuleSettings>) -> PolicySettings {
    policy("p", allow, vec![])
}

/// What is asked of Alice; nothing where she is let in or forbidden.
fn asked(settings: &AccessSettings) -> Option<Strength> {
    let (access, person) = (Access::compile(settings), Arc::new(by_password()));
    let path = RequestPath::parse("/").unwrap();
    let question = Question {
        principal: Some(&person),
        method: &Method::GET,
        path: &path,
        client: ClientAddress::HIDDEN,
        now: NOW,
    };
    assert_eq!(missing_scopes(&access, &question), None);
    match decide(&access, &question) {
        Decision::StepUp(strength, _) => Some(*strength),
        Decision::Permit(_) | Decision::SignIn(_) | Decision::Forbidden(_) => None,
    }
}

fn asked_by(list: Vec<PolicySettings>) -> Option<Strength> {
    asked(&policies(list))
}

#[test]
fn whoever_lacks_strength_alone_is_asked_for_it() {
    let mfa = policies(vec![allowing(vec![groups(&["ops"]), staff(level(&["mfa", "hwk"]))])]);
    assert_eq!(asked(&mfa), Some(level(&["mfa", "hwk"])));
    let expected = "step-up required: policy p, allow rule 2 needs a stronger sign-in";
    assert_eq!(said(&mfa, Some(by_password())), expected);
    let strong = Principal { acr: Some("hwk".into()), ..by_password() };
    assert_eq!(said(&mfa, Some(strong)), "permitted: policy p, allow rule 2");
    assert_eq!(said(&mfa, None), "sign-in required: nobody is signed in");
    assert_eq!(
        asked_by(vec![allowing(vec![staff(methods(&["pwd", "otp"]))])]),
        Some(methods(&["pwd", "otp"]))
    );
    assert_eq!(asked_by(vec![allowing(vec![staff(within(600))])]), Some(within(600)));
    assert_eq!(asked_by(vec![allowing(vec![staff(within(850))])]), None, "a minute for the clocks");
}

#[test]
fn whoever_lacks_something_else_is_forbidden() {
    let ops = RuleSettings { strength: level(&["mfa"]), ..groups(&["ops"]) };
    let expected = "forbidden: policy p, no allow rule holds";
    assert_eq!(said(&policies(vec![allowing(vec![ops])]), Some(by_password())), expected);
    let barred = policy("barred", vec![groups(&["staff"])], vec![groups(&["dev"])]);
    assert_eq!(asked_by(vec![allowing(vec![staff(level(&["mfa"]))]), barred]), None);
    let others = allowing(vec![groups(&["ops"])]);
    assert_eq!(asked_by(vec![allowing(vec![staff(level(&["mfa"]))]), others]), None);
}

#[test]
fn several_policies_ask_together() {
    let both = vec![
        allowing(vec![staff(Strength { max_age: Some(Duration::from_secs(600)), ..level(&["mfa", "hwk"]) })]),
        allowing(vec![staff(Strength { max_age: Some(Duration::from_secs(60)), ..level(&["hwk", "x"]) })]),
        allowing(vec![staff(methods(&["pwd", "otp"]))]),
        allowing(vec![staff(Strength { acr: text(&["hwk", "mfa"]), ..methods(&["otp", "hwk"]) })]),
        allowing(vec![groups(&["staff"])]),
    ];
    let expected = Strength {
        acr: text(&["hwk"]),
        amr: text(&["pwd", "otp", "hwk"]),
        max_age: Some(Duration::from_secs(60)),
    };
    assert_eq!(asked_by(both), Some(expected));
}

/// A sign-in has one level: what it meets now it must meet then.
#[test]
fn a_policy_that_allows_by_the_present_sign_in_counts_as_well() {
    let by = |acr| allowing(vec![staff(level(&[acr]))]);
    assert_eq!(asked_by(vec![by("pwd"), by("mfa")]), None, "no level is both");
    let either = allowing(vec![staff(level(&["pwd"])), staff(level(&["mfa"]))]);
    assert_eq!(asked_by(vec![either.clone(), by("mfa")]), Some(level(&["mfa"])));
    assert_eq!(asked_by(vec![by("mfa"), either]), Some(level(&["mfa"])));
}

#[test]
fn what_asks_for_nothing_more_goes_first() {
    let rules = vec![staff(level(&["hwk"])), staff(within(60)), groups(&["staff"])];
    let other = allowing(vec![staff(methods(&["otp"]))]);
    assert_eq!(asked_by(vec![allowing(rules), other]), Some(methods(&["otp"])));
}

#[test]
fn an_explanation_names_what_was_asked_and_what_there_was() {
    let strength =
        Strength { acr: text(&["mfa"]), amr: text(&["otp"]), max_age: Some(Duration::from_secs(300)) };
    let (access, person) = (
        Access::compile(&policies(vec![allowing(vec![staff(strength)])])),
        Arc::new(Principal { auth_time: None, ..by_password() }),
    );
    let path = RequestPath::parse("/").unwrap();
    let (method, client) = (&Method::GET, ClientAddress::HIDDEN);
    let question = Question { principal: Some(&person), method, path: &path, client, now: NOW };
    let shown = "step-up required: policy p, allow rule 1 needs a stronger sign-in
policy p
  allow rule 1 does not hold
    hit: wanted one of the groups: staff; found staff, dev
    miss: wanted one of the authentication levels (acr): mfa; found pwd
    miss: wanted all of the authentication methods (amr): otp; found pwd
    unknown: wanted a sign-in at most 5m ago; found the time of the sign-in unknown";
    assert_eq!(explain(&access, &question).to_string(), shown);
}

/// What is asked of whoever signs in for such a request.
fn first_asked(settings: &AccessSettings, method: &Method) -> Strength {
    let (access, path) = (Access::compile(settings), RequestPath::parse("/").unwrap());
    let question = Question { principal: None, method, path: &path, client: ClientAddress::HIDDEN, now: NOW };
    least_strength(&access, &question)
}

#[test]
fn a_first_sign_in_is_asked_for_no_more_than_every_rule_that_could_let_somebody_in_asks() {
    let of = |allow: Vec<RuleSettings>| first_asked(&policies(vec![allowing(allow)]), &Method::GET);
    let both = Strength { acr: text(&["mfa"]), ..within(900) };
    assert_eq!(of(vec![staff(both.clone())]), both);
    assert_eq!(of(vec![staff(both.clone()), groups(&["ops"])]), Strength::default(), "ops need none");
    assert_eq!(of(vec![groups(&["ops"]), staff(both.clone())]), Strength::default());
    let other = Strength { acr: text(&["hwk", "mfa"]), ..within(60) };
    let either = Strength { acr: text(&["mfa", "hwk"]), ..within(900) };
    assert_eq!(of(vec![staff(both.clone()), staff(other)]), either, "whoever it is, one of these is enough");
    assert_eq!(of(vec![staff(both.clone()), staff(within(60))]), within(900));
    assert_eq!(
        of(vec![staff(methods(&["otp"]))]),
        Strength::default(),
        "no provider can be asked for methods"
    );
    let reading = RuleSettings { methods: vec![Method::GET], ..groups(&["staff"]) };
    let writing = policies(vec![allowing(vec![reading, staff(both.clone())])]);
    assert_eq!(first_asked(&writing, &Method::GET), Strength::default());
    assert_eq!(first_asked(&writing, &Method::POST), both, "a rule of another method lets nobody in");
    assert_eq!(first_asked(&AccessSettings::SignedIn, &Method::GET), Strength::default());
}

#[test]
fn a_first_sign_in_is_asked_for_what_every_policy_asks() {
    let list = |first: Strength, second: Strength| {
        first_asked(
            &policies(vec![allowing(vec![staff(first)]), allowing(vec![staff(second)])]),
            &Method::GET,
        )
    };
    let expected = Strength { acr: text(&["mfa"]), ..within(60) };
    assert_eq!(list(level(&["mfa", "hwk"]), Strength { acr: text(&["mfa"]), ..within(60) }), expected);
    assert_eq!(list(within(900), within(60)), within(60));
    assert_eq!(list(Strength::default(), level(&["mfa"])), level(&["mfa"]));
}
