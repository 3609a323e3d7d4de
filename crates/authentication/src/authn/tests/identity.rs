//! Who a token speaks of.

use super::*;
use crate::identity::{Email, Gap, Principal};

async fn principal_of(settings: ProviderSettings, claims: &Value) -> Result<Principal, TokenError> {
    let verified =
        World::with(settings).verify(&token(&header(), claims)).await.map_err(|refusal| refusal.error)?;
    Ok((*verified.principal).clone())
}

async fn plain(name: &str, value: Value) -> Result<Principal, TokenError> {
    principal_of(settings(), &with(claims(), name, value)).await
}

fn mapped(user: Option<&str>, email: &str, groups: &str) -> ProviderSettings {
    let mut settings = settings();
    settings.claims.user = user.and_then(ClaimPath::parse);
    settings.claims.email = ClaimPath::parse(email).unwrap();
    settings.claims.groups = ClaimPath::parse(groups).unwrap();
    settings
}

#[tokio::test]
async fn groups_come_as_string_or_array_from_any_path() {
    for (path, member, value, expected) in [
        ("groups", "groups", json!(["a", "b", "a"]), vec!["a", "b"]),
        ("groups", "groups", json!("a b,c"), vec!["a b,c"]),
        ("realm_access.roles", "realm_access", json!({"roles": ["r"]}), vec!["r"]),
        ("/https:~1~1corp.example~1groups", "https://corp.example/groups", json!(["g"]), vec!["g"]),
        ("https://corp.example/groups", "https://corp.example/groups", json!("g"), vec!["g"]),
        ("a.b.c", "a", json!({"b": {"c": ["x", 7, true, null, {"y": 1}]}}), vec!["x", "7", "true"]),
        ("groups", "other", json!(["a"]), vec![]),
        ("groups", "groups", json!({"admin": true}), vec![]),
    ] {
        let principal =
            principal_of(mapped(None, "email", path), &with(claims(), member, value)).await.unwrap();
        assert_eq!(principal.groups, expected, "{path}");
    }
}

#[tokio::test]
async fn too_many_groups_or_scopes_are_refused_not_cut() {
    let many = |n: usize| Value::from((0..n).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(plain("groups", many(1000)).await.unwrap().groups.len(), 1000);
    assert_eq!(plain("groups", many(1001)).await, Err(TokenError::BadClaim("groups")));
    assert_eq!(plain("scope", many(1000)).await.unwrap().scopes.len(), 1000);
    assert_eq!(plain("scope", many(1001)).await, Err(TokenError::BadClaim("scope")));
}

#[tokio::test]
async fn scopes_are_words_of_scope_else_scp() {
    assert_eq!(plain("scope", json!("a b  a")).await.unwrap().scopes, ["a", "b"]);
    assert_eq!(plain("scope", json!(["a", "b c"])).await.unwrap().scopes, ["a", "b", "c"]);
    assert_eq!(plain("scp", json!("a b")).await.unwrap().scopes, ["a", "b"]);
    assert_eq!(plain("scp", json!(["a", "b"])).await.unwrap().scopes, ["a", "b"]);
    let both = with(with(claims(), "scope", "a".into()), "scp", "b".into());
    assert_eq!(principal_of(settings(), &both).await.unwrap().scopes, ["a"]);
    assert!(plain("roles", json!(["a"])).await.unwrap().scopes.is_empty());
}

#[tokio::test]
async fn invariant_11_only_true_verifies_and_only_the_email_claim() {
    let email = async |mapping: &str, verified: Value| {
        let claims =
            with(with(claims(), "email", "a@corp.example".into()), "upn", "boss@corp.example".into());
        let claims = with(claims, "email_verified", verified);
        principal_of(mapped(None, mapping, "groups"), &claims).await.unwrap().email
    };
    let address =
        |address: &str, verified| Some(Email { address: address.into(), verified, withheld: false });
    assert_eq!(email("email", json!(true)).await, address("a@corp.example", true));
    assert_eq!(email("email", json!("true")).await, address("a@corp.example", true), "as some write it");
    for other in [json!("false"), json!(1), json!(false), Value::Null, json!([true])] {
        assert_eq!(email("email", other).await, address("a@corp.example", false));
    }
    assert_eq!(email("upn", json!(true)).await, address("boss@corp.example", false));
}

#[tokio::test]
async fn a_name_people_choose_does_not_stand_in_for_a_mapped_claim() {
    let settings = mapped(Some("employee"), "email", "groups");
    assert_eq!(principal_of(settings.clone(), &claims()).await.unwrap().user, "u1");
    let named = with(claims(), "employee", "e7".into());
    assert_eq!(principal_of(settings, &named).await.unwrap().user, "e7");
}

#[tokio::test]
async fn a_client_that_acts_for_itself_is_named_by_its_client_id() {
    let bare = with(with(claims(), "preferred_username", Value::Null), "sub", Value::Null);
    let principal = principal_of(settings(), &bare).await.unwrap();
    assert_eq!((principal.subject.as_str(), principal.user.as_str()), ("cli", "cli"));
    let nobody = with(bare, "client_id", Value::Null);
    assert_eq!(principal_of(settings(), &nobody).await, Err(TokenError::MissingClaim("sub")));
}

#[tokio::test]
async fn a_subject_is_a_short_string_and_nothing_stands_in_for_a_bad_one() {
    for sub in [json!(7), json!(""), json!(["u1"]), json!({}), json!("s".repeat(256))] {
        assert_eq!(plain("sub", sub.clone()).await, Err(TokenError::BadClaim("sub")), "{sub}");
    }
    let claims = claims().to_string().replace("\"u1\"", "null");
    let token = KEY.jws(Algorithm::ES256, &header().to_string(), &claims);
    assert_eq!(World::new().refusal(&token).await, Some(TokenError::BadClaim("sub")));
}

#[tokio::test]
async fn how_and_when_the_person_signed_in_is_kept() {
    let signed_in = with(with(claims(), "auth_time", (NOW - 5).into()), "acr", "mfa".into());
    let principal = principal_of(settings(), &signed_in).await.unwrap();
    assert_eq!(principal.auth_time.map(|at| at.seconds()), Some(NOW - 5));
    assert_eq!(principal.acr.as_deref(), Some("mfa"));
    assert_eq!(principal.claims["jti"], "j1");
}

async fn gaps(settings: ProviderSettings, change: impl FnOnce(&mut Value)) -> Vec<Gap> {
    let mut said = claims();
    for (name, value) in [
        ("groups", json!(["a"])),
        ("scope", json!("a")),
        ("preferred_username", json!("alice")),
        ("email", json!("alice@corp.example")),
    ] {
        said[name] = value;
    }
    change(&mut said);
    principal_of(settings, &said).await.unwrap().gaps.into()
}

#[tokio::test]
async fn invariant_19_what_a_bearer_token_does_not_say_is_unknown() {
    let without =
        |name: &'static str| move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name));
    assert_eq!(gaps(settings(), |_| {}).await, [Gap::Claims]);
    assert_eq!(gaps(settings(), without("groups")).await, [Gap::Groups, Gap::Claims]);
    assert_eq!(gaps(settings(), without("scope")).await, [Gap::Scopes, Gap::Claims]);
    assert_eq!(gaps(settings(), without("email")).await, [Gap::Email, Gap::Claims]);
    assert_eq!(gaps(settings(), without("preferred_username")).await, [Gap::User, Gap::Claims]);
    let upn = mapped(Some("upn"), "email", "groups");
    assert_eq!(gaps(upn, |_| {}).await, [Gap::User, Gap::Claims]);
    let odd = |claims: &mut Value| claims["scope"] = json!({"a": true});
    assert_eq!(gaps(settings(), odd).await, [Gap::Scopes, Gap::Claims]);
    let overage = |claims: &mut Value| claims["_claim_names"] = json!({"groups": "src1"});
    assert_eq!(gaps(settings(), overage).await, [Gap::Groups, Gap::Claims]);
    let mut relaxed = settings();
    relaxed.claims.absent_groups = AbsentGroups::None;
    assert_eq!(gaps(relaxed, without("groups")).await, [Gap::Claims]);
}
