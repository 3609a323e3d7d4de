use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::world::settings;
use crate::identity::{ClaimPath, Principal};
use crate::oidc::EmailVerification;
use crate::oidc::claims::{ClaimsError, SourcesAnswered, principal, subject};

fn read(claims: &Value, user: Option<&str>, email: &str, groups: &str) -> Result<Principal, ClaimsError> {
    let mut settings = settings("corp", "https://id.example");
    settings.claims.user = user.and_then(ClaimPath::parse);
    settings.claims.email = ClaimPath::parse(email).unwrap();
    settings.claims.groups = ClaimPath::parse(groups).unwrap();
    let claims = claims.as_object().cloned().unwrap_or_default();
    principal(&settings, subject(&claims, "sub")?, claims, vec![], SourcesAnswered::All)
}

fn plain(claims: &Value) -> Result<Principal, ClaimsError> {
    read(claims, None, "email", "groups")
}

fn user(claims: &Value, mapped: Option<&str>) -> String {
    read(claims, mapped, "email", "groups").unwrap().user
}

#[test]
fn a_user_is_named_by_the_best_claim_there_is() {
    let all =
        json!({"sub": "s", "email": "a@b", "email_verified": true, "preferred_username": "p", "emp": 7});
    assert_eq!(user(&all, Some("emp")), "7");
    assert_eq!(user(&all, None), "p");
    assert_eq!(user(&json!({"sub": "s", "email": "a@b", "email_verified": true}), None), "a@b");
    assert_eq!(user(&json!({"sub": "s", "email": "a@b"}), None), "s");
    assert_eq!(user(&json!({"sub": "s", "preferred_username": ""}), None), "s");
}

#[test]
fn a_name_people_choose_does_not_stand_in_for_a_mapped_claim() {
    let claims = json!({"sub": "s", "preferred_username": "boss", "email": "boss@x", "email_verified": true});
    assert_eq!(user(&claims, Some("employee")), "s");
}

#[test]
fn invariant_11_only_true_verifies_and_only_the_email_claim() {
    let verified = |claims: Value, path| read(&claims, None, path, "groups").unwrap().email.unwrap().verified;
    assert!(verified(json!({"sub": "s", "email": "a@b", "email_verified": true}), "email"));
    assert!(
        verified(json!({"sub": "s", "email": "a@b", "email_verified": "true"}), "email"),
        "as some write it"
    );
    for value in [json!("false"), json!("yes"), json!(""), json!(1), json!(false), json!(null), json!([true])]
    {
        assert!(!verified(json!({"sub": "s", "email": "a@b", "email_verified": value}), "email"));
    }
    let other = json!({"sub": "s", "email": "a@b", "email_verified": true, "upn": "boss@b", "same": "a@b"});
    assert!(!verified(other.clone(), "upn"));
    assert!(verified(other, "same"));
}

#[test]
fn a_string_is_one_group_and_odd_ones_are_none() {
    let groups = |value: Value| plain(&json!({"sub": "s", "groups": value})).unwrap().groups;
    assert_eq!(groups(json!("a,b c")), ["a,b c"]);
    assert_eq!(groups(json!(["b", "a", "b", "", null, {"x": 1}, ["root"]])), ["b", "a"]);
    assert!(groups(json!(null)).is_empty() && groups(json!({"admin": true})).is_empty());
    let nested = json!({"sub": "s", "realm_access": {"roles": ["r"]}});
    assert_eq!(read(&nested, None, "email", "realm_access.roles").unwrap().groups, ["r"]);
}

#[test]
fn too_much_is_refused_not_cut() {
    let many =
        |n: usize| plain(&json!({"sub": "s", "groups": (0..n).map(|i| i.to_string()).collect::<Vec<_>>()}));
    assert_eq!(many(1000).map(|principal| principal.groups.len()), Ok(1000));
    assert_eq!(many(1001), Err(ClaimsError::TooManyGroups));
    assert_eq!(plain(&json!({"sub": "s", "x": "y".repeat(70_000)})), Err(ClaimsError::TooLarge));
}

#[test]
fn a_subject_is_a_short_string() {
    for sub in [json!(null), json!(""), json!(7), json!(["s"]), json!("s".repeat(256))] {
        assert_eq!(plain(&json!({"sub": sub})), Err(ClaimsError::Subject));
    }
    assert_eq!(plain(&Value::Null), Err(ClaimsError::Subject));
}

/// Any JSON of little depth.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_claims_whatever_harm_or_verify_by_accident(values in proptest::collection::vec(json_value(), 6)) {
        let names = ["preferred_username", "email", "email_verified", "groups", "auth_time", "acr"];
        let mut claims: Map<_, _> = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
        claims.insert("sub".into(), "s".into());
        let principal = plain(&claims.clone().into()).unwrap();
        prop_assert!(!principal.user.is_empty());
        prop_assert!(principal.email.is_none_or(|email| !email.verified || claims["email_verified"] == json!(true)));
        let mut groups = principal.groups.clone();
        groups.sort();
        groups.dedup();
        prop_assert_eq!(groups.len(), principal.groups.len());
    }
}

fn addressed(verification: EmailVerification, claims: Value, path: &str) -> (bool, bool) {
    let mut settings = settings("corp", "https://id.example");
    settings.claims.email_verified = verification;
    settings.claims.email = ClaimPath::parse(path).unwrap();
    let claims = claims.as_object().cloned().unwrap();
    let made =
        principal(&settings, subject(&claims, "sub").unwrap(), claims, vec![], SourcesAnswered::All).unwrap();
    made.email.map(|email| (email.verified, email.withheld)).unwrap()
}

#[test]
fn invariant_11_the_operator_speaks_of_addresses_only_where_the_provider_is_silent() {
    let assumed =
        |claims, path| addressed(EmailVerification::Assume(vec!["corp.example".into()]), claims, path).0;
    let of = |address: &str, said: Value| json!({"sub": "s", "email": address, "email_verified": said, "upn": "b@corp.example"});
    assert!(assumed(of("a@corp.example", json!(null)), "email"));
    assert!(assumed(of("A@Corp.Example", json!(null)), "email"));
    assert!(assumed(of("a@x.example", json!(null)), "upn"), "a mapped claim is the address");
    assert!(assumed(of("a@x.example", json!("true")), "email"), "what is said counts for any domain");
    for said in [json!(false), json!("false"), json!(0), json!({})] {
        assert!(!assumed(of("a@corp.example", said.clone()), "email"), "{said}");
    }
    for address in [
        "a@evilcorp.example",
        "a@sub.corp.example",
        "a@corp.example.evil",
        "corp.example",
        "@corp.example",
        "x@evil.example@corp.example",
        "a@corp.example ",
        "a@x.example",
    ] {
        assert!(!assumed(of(address, json!(null)), "email"), "{address}");
    }
}

#[test]
fn an_address_that_must_be_verified_is_withheld_until_it_is() {
    let of = |said: Value| json!({"sub": "s", "email": "a@corp.example", "email_verified": said});
    let required = |said| addressed(EmailVerification::Require, of(said), "email");
    assert_eq!(required(json!(true)), (true, false));
    assert_eq!(required(json!("true")), (true, false));
    assert_eq!([json!(null), json!(false)].map(required), [(false, true); 2]);
    assert_eq!(addressed(EmailVerification::AsSaid, of(json!(null)), "email"), (false, false));
}
