//! Rules about all inputs: a step-up is asked for where it helps, and nowhere else.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::NOW;
use super::properties::{LEVELS, METHODS, asked, decided, some_policies};
use crate::identity::{Principal, Strength};
use crate::policy::{Access, AccessSettings, Decision, PolicySettings, Verdict, decide};

/// The same policies, of which no `deny` rule hangs on how somebody signed in.
fn denying_whatever_the_sign_in(mut policies: Vec<PolicySettings>) -> (Vec<PolicySettings>, Access) {
    let deny = policies.iter_mut().flat_map(|policy| &mut policy.deny);
    deny.for_each(|rule| rule.strength = Strength::default());
    let access = Access::compile(&AccessSettings::Policies(policies.clone()));
    (policies, access)
}

/// The same person after a sign-in of just now.
fn signs_in(person: &Principal, acr: Option<String>, amr: &[String]) -> Arc<Principal> {
    let mut claims = (*person.claims).clone();
    claims.insert("amr".into(), json!(amr));
    Arc::new(Principal { acr, claims: claims.into(), auth_time: Some(NOW), ..person.clone() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn whoever_signs_in_as_asked_is_let_in_and_nobody_is_asked_in_vain(
        policies in some_policies(),
        asked in asked(),
    ) {
        let (policies, access) = denying_whatever_the_sign_in(policies);
        let Decision::StepUp(strength, _) = decide(&access, &asked.question()) else { return Ok(()) };
        let person = asked.principal.clone().unwrap();
        prop_assert!(!strength.is_met(&person, NOW));
        let current: Vec<_> = person.acr.iter().cloned().collect();
        let levels = if strength.acr.is_empty() { current } else { strength.acr.clone() };
        for level in levels {
            let now = signs_in(&person, Some(level), &strength.amr);
            prop_assert_eq!(decided(&policies, &asked.by(now)).verdict(), Verdict::Permitted);
        }
    }

    #[test]
    fn no_sign_in_helps_whom_the_rules_forbid(policies in some_policies(), asked in asked()) {
        let (policies, access) = denying_whatever_the_sign_in(policies);
        let Decision::Forbidden(_) = decide(&access, &asked.question()) else { return Ok(()) };
        let Some(person) = asked.principal.clone() else { return Ok(()) };
        for level in LEVELS {
            let now = signs_in(&person, Some(level.to_owned()), &METHODS.map(str::to_owned));
            prop_assert_eq!(decided(&policies, &asked.by(now)).verdict(), Verdict::Forbidden);
        }
    }
}
