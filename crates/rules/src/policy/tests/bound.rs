//! Rules that ask whether a session is bound to its device.

use super::*;
use crate::identity::Gap;

fn rule(bound: bool) -> RuleSettings {
    RuleSettings { bound: Some(bound), ..RuleSettings::default() }
}

/// What is decided of Alice by these rules, and what it hangs on that is not known.
fn decided(allow: Vec<RuleSettings>, deny: Vec<RuleSettings>, bound: Option<bool>) -> (&'static str, bool) {
    let access = Access::compile(&policies(vec![policy("p", allow, deny)]));
    let (alice, path) = (Arc::new(alice()), RequestPath::parse("/").unwrap());
    let (method, client) = (&Method::GET, ClientAddress::HIDDEN);
    let question = Question { principal: Some(&alice), method, path: &path, client, now: NOW, bound };
    match decide(&access, &question) {
        Decision::Permit(_) => ("permitted", false),
        Decision::Forbidden(reason) => {
            let hangs = reason.unsaid().is_some_and(|unsaid| unsaid.has(Gap::Binding));
            ("forbidden", hangs)
        }
        Decision::SignIn(_) | Decision::StepUp(..) => ("asked to sign in", false),
    }
}

#[test]
fn invariant_19_a_session_that_is_about_to_be_bound_is_neither() {
    let allows = |bound| decided(vec![rule(true)], vec![], bound);
    assert_eq!(allows(Some(true)), ("permitted", false));
    assert_eq!(allows(Some(false)), ("forbidden", false));
    assert_eq!(allows(None), ("forbidden", true));
    let denies = |bound| decided(vec![groups(&["staff"])], vec![rule(false)], bound);
    assert_eq!(denies(Some(true)), ("permitted", false));
    assert_eq!(denies(Some(false)), ("forbidden", false));
    assert_eq!(denies(None), ("forbidden", true), "it denies while nobody knows");
}

#[test]
fn nobody_is_sent_away_for_a_session_that_they_have_not_made_yet() {
    let access = Access::compile(&policies(vec![policy("p", vec![groups(&["staff"])], vec![rule(false)])]));
    let path = RequestPath::parse("/").unwrap();
    let (method, client) = (&Method::GET, ClientAddress::HIDDEN);
    let question = Question { principal: None, method, path: &path, client, now: NOW, bound: Some(false) };
    assert!(matches!(decide(&access, &question), Decision::SignIn(_)));
}

#[test]
fn a_refusal_says_what_was_asked_and_found() {
    let access = Access::compile(&policies(vec![policy("p", vec![rule(true)], vec![])]));
    let (alice, path) = (Arc::new(alice()), RequestPath::parse("/").unwrap());
    let (method, client) = (&Method::GET, ClientAddress::HIDDEN);
    for (bound, found) in [
        (Some(false), "a session that is not bound to its device"),
        (None, "a session whose browser may be about to bind it"),
    ] {
        let question = Question { principal: Some(&alice), method, path: &path, client, now: NOW, bound };
        let explanation = explain(&access, &question);
        let condition = &explanation.policies[0].allow[0].conditions[0];
        assert_eq!(condition.wanted, "a session that is bound to its device");
        assert_eq!(condition.found, found);
    }
}
