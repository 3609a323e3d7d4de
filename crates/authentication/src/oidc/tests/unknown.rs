//! What a provider does not say is unknown, not none (invariant 19), and which sources must have answered before
//! absent counts as none.

use serde_json::{Map, Value, json};

use super::fake::Answer;
use super::signer::{Signer, base64url};
use super::world::{World, client, settings};
use crate::identity::{ClaimPath, Gap, Gaps, Principal};
use crate::oidc::claims::{SourcesAnswered, principal, subject};
use crate::oidc::*;

fn claims(claims: &Value) -> Map<String, Value> {
    let Value::Object(claims) = claims else { panic!("an object") };
    let mut all = claims.clone();
    for (name, value) in [("sub", "u1"), ("preferred_username", "alice"), ("email", "alice@corp.example")] {
        all.entry(name).or_insert_with(|| value.into());
    }
    all
}

fn gaps(change: impl FnOnce(&mut ClaimMapping), said: &Value, answered: SourcesAnswered) -> Vec<Gap> {
    let mut settings = settings("corp", "https://id.example");
    change(&mut settings.claims);
    let said = claims(said);
    let made = principal(&settings, subject(&said, "sub").unwrap(), said, Vec::new(), answered).unwrap();
    made.gaps.into()
}

fn of_all(said: &Value) -> Vec<Gap> {
    gaps(|_| {}, said, SourcesAnswered::All)
}

fn of_some(said: &Value) -> Vec<Gap> {
    gaps(|_| {}, said, SourcesAnswered::Some)
}

/// The shapes of <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference> and of
/// OpenID Connect Core 1.0, section 5.6.2.
#[test]
fn invariant_19_groups_that_are_kept_elsewhere_are_unknown() {
    for said in [
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph"}}}),
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"JWT": "e30.e30.x"}}}),
        json!({"_claim_names": {"groups": "src1"}, "groups": ["some"]}),
        json!({"_claim_names": {"groups": "src1"}}),
        json!({"_claim_names": ["groups"]}),
        json!({"_claim_sources": {"src1": {"endpoint": "https://graph"}}}),
        json!({"hasgroups": true}),
        json!({"hasgroups": "true"}),
        json!({"groups:src1": {"endpoint": "https://graph"}}),
    ] {
        assert!(of_all(&said).contains(&Gap::Groups), "{said}");
    }
    for said in [
        json!({"_claim_names": {"photo": "src1"}, "_claim_sources": {"src1": {}}}),
        json!({"hasgroups": false}),
        json!({}),
    ] {
        assert_eq!(of_all(&said), [], "{said}");
    }
}

#[test]
fn invariant_19_groups_in_a_shape_that_cannot_be_read_are_unknown() {
    for groups in [json!({"admin": true}), json!([{"name": "banned"}]), json!(["a", ["banned"]])] {
        assert_eq!(of_all(&json!({"groups": groups})), [Gap::Groups], "{groups}");
    }
    for groups in [json!([]), json!(""), json!(["a", 7, null]), json!("a"), json!(null)] {
        assert_eq!(of_all(&json!({"groups": groups})), [], "{groups}");
    }
    assert_eq!(of_all(&json!({"email": ["alice@corp.example"]})), [Gap::Email]);
    assert_eq!(of_all(&json!({"preferred_username": {"first": "alice"}})), [Gap::User]);
}

#[test]
fn invariant_19_absent_is_none_only_where_every_source_has_answered() {
    assert_eq!(of_some(&json!({"groups": ["a"]})), [Gap::Claims]);
    assert_eq!(of_some(&json!({})), [Gap::Groups, Gap::Claims]);
    assert_eq!(of_some(&json!({"groups": null})), [Gap::Groups, Gap::Claims]);
    assert_eq!(of_some(&json!({"groups": [], "email": null})), [Gap::Email, Gap::Claims]);
    let mapped = |mapping: &mut ClaimMapping| mapping.user = ClaimPath::parse("upn");
    assert_eq!(gaps(mapped, &json!({"groups": []}), SourcesAnswered::Some), [Gap::User, Gap::Claims]);
    assert_eq!(gaps(mapped, &json!({"groups": []}), SourcesAnswered::All), []);
}

#[test]
fn absent_groups_are_none_where_the_operator_says_so_and_the_provider_not_otherwise() {
    let relaxed = |mapping: &mut ClaimMapping| mapping.absent_groups = AbsentGroups::None;
    assert_eq!(gaps(relaxed, &json!({}), SourcesAnswered::Some), [Gap::Claims]);
    for said in [json!({"_claim_names": {"groups": "src1"}}), json!({"groups": {"admin": true}})] {
        assert_eq!(gaps(relaxed, &said, SourcesAnswered::Some), [Gap::Groups, Gap::Claims], "{said}");
    }
}

async fn signed_in(world: &World, without: &'static str) -> Result<Principal, SignInError> {
    let bare = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(without));
    world.sign_in(bare).await.map(|signed_in| signed_in.principal)
}

#[tokio::test]
async fn what_user_info_does_not_say_either_is_none() {
    let world = World::new().await;
    world.fake.json("/userinfo", 200, &json!({"sub": "u1"}));
    assert_eq!(signed_in(&world, "groups").await.unwrap().gaps, Gaps::default());
    let mut document = world.fake.document();
    document.as_object_mut().unwrap().remove("userinfo_endpoint");
    let without = World::undiscovered(|_| {}).await;
    let mut there = without.fake.document();
    there.as_object_mut().unwrap().remove("userinfo_endpoint");
    without.fake.discovery(&there);
    without.provider.retry_now().await.unwrap();
    assert_eq!(signed_in(&without, "groups").await.unwrap().gaps, Gaps::default(), "nobody else to ask");
}

#[tokio::test]
async fn a_user_info_that_fails_ends_no_sign_in_and_leaves_unknown_what_it_would_have_said() {
    for answer in [
        Answer::Reply(500, "application/json", "{}".into()),
        Answer::Reply(404, "text/html", "<html>".into()),
        Answer::Reply(200, "application/jwt", "e30.e30.".into()),
        Answer::Reply(200, "application/json", "[]".into()),
        Answer::Redirect("/x".into()),
    ] {
        let world = World::new().await;
        world.fake.answer("/userinfo", answer);
        let gaps: Vec<_> = signed_in(&world, "groups").await.unwrap().gaps.into();
        assert_eq!(gaps, [Gap::Groups, Gap::Claims]);
        let gaps: Vec<_> = signed_in(&world, "email").await.unwrap().gaps.into();
        assert_eq!(gaps, [Gap::Email, Gap::Claims]);
    }
}

#[tokio::test]
async fn a_slow_user_info_ends_no_sign_in() {
    let world = World::with(|settings| settings.timeout = std::time::Duration::from_millis(200)).await;
    world.fake.answer("/userinfo", Answer::Stall);
    assert!(signed_in(&world, "groups").await.unwrap().gaps.has(Gap::Groups));
}

/// Else people would have one name while UserInfo is well, and another while it is not.
#[tokio::test]
async fn a_name_that_only_user_info_knows_is_needed() {
    let world = World::new().await;
    world.fake.json("/userinfo", 500, &json!({}));
    let error = signed_in(&world, "preferred_username").await.unwrap_err();
    assert!(matches!(error, SignInError::UserInfo(UserInfoError::Http(_))), "{error}");
}

#[tokio::test]
async fn user_info_is_never_asked_where_the_operator_says_so() {
    let world = World::with(|settings| client(settings).userinfo = AskUserInfo::Never).await;
    for without in ["groups", "preferred_username"] {
        let principal = signed_in(&world, without).await.unwrap();
        assert!(principal.gaps.has(Gap::Claims), "what was not asked is unknown");
    }
    assert!(world.fake.calls("/userinfo").is_empty());
}

#[tokio::test]
async fn user_info_is_asked_for_a_claim_that_a_rule_names() {
    let world = World::with(|settings| {
        settings.claims.named_by_rules = vec![ClaimPath::parse("suspended").unwrap()];
    })
    .await;
    world.fake.json("/userinfo", 200, &json!({"sub": "u1", "suspended": true}));
    let principal = world.sign_in(|_| {}).await.unwrap().principal;
    assert_eq!(principal.claims["suspended"], true);
    assert_eq!(principal.gaps, Gaps::default());
}

async fn signed(
    answer: impl FnOnce(&World) -> String,
    media_type: &'static str,
) -> Result<Principal, SignInError> {
    let world = World::new().await;
    let answer = answer(&world);
    world.fake.answer("/userinfo", Answer::Reply(200, media_type, answer));
    signed_in(&world, "groups").await
}

fn said(world: &World) -> Value {
    json!({"iss": world.fake.issuer, "aud": "portcullis", "sub": "u1", "groups": ["late"]})
}

/// OpenID Connect Core 1.0, section 5.3.2.
#[tokio::test]
async fn a_signed_user_info_is_verified_and_believed() {
    for media_type in ["application/jwt", "application/jwt; charset=utf-8", "text/plain", "application/json"]
    {
        let principal = signed(|world| world.signer.sign(&said(world)), media_type).await.unwrap();
        assert_eq!(
            (principal.groups.as_slice(), principal.gaps),
            (&["late".to_owned()][..], Gaps::default())
        );
    }
    let bare = json!({"sub": "u1", "groups": ["late"]});
    assert_eq!(signed(|world| world.signer.sign(&bare), "application/jwt").await.unwrap().groups, ["late"]);
}

#[tokio::test]
async fn invariant_5_a_signed_user_info_that_does_not_hold_says_nothing() {
    let changed = |name: &'static str, value: Value| {
        move |world: &World| {
            let mut claims = said(world);
            claims[name] = value;
            world.signer.sign(&claims)
        }
    };
    let other_key = |world: &World| Signer::es256("k1").sign(&said(world));
    let unsigned = |world: &World| {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.", part(&json!({"alg": "none"})), part(&said(world)))
    };
    let doubtful = [
        signed(other_key, "application/jwt").await,
        signed(unsigned, "application/jwt").await,
        signed(changed("iss", json!("https://evil.example")), "application/jwt").await,
        signed(changed("aud", json!("another-client")), "application/jwt").await,
        signed(changed("aud", json!(["a", "b"])), "application/jwt").await,
        signed(changed("exp", json!(1)), "application/jwt").await,
        signed(changed("events", json!({})), "application/jwt").await,
        signed(|_| "a.b.c.d.e".into(), "application/jwt").await,
    ];
    for (index, principal) in doubtful.into_iter().enumerate() {
        let principal = principal.unwrap();
        assert!(principal.groups.is_empty() && principal.gaps.has(Gap::Groups), "{index}");
    }
    let mallory = signed(changed("sub", json!("u2")), "application/jwt").await;
    assert_eq!(mallory, Err(SignInError::UserInfo(UserInfoError::OtherSubject)));
}
