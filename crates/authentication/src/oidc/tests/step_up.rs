//! What a step-up asks of the provider, and what it takes for an answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{NOW, World, client, parameter};
use crate::identity::{Shortfall, Strength};
use crate::oidc::*;

fn level(acr: &[&str]) -> Strength {
    Strength { acr: acr.iter().map(|acr| (*acr).to_owned()).collect(), ..Strength::default() }
}

fn methods(amr: &[&str]) -> Strength {
    Strength { amr: amr.iter().map(|amr| (*amr).to_owned()).collect(), ..Strength::default() }
}

fn within(seconds: u64) -> Strength {
    Strength { max_age: Some(Duration::from_secs(seconds)), ..Strength::default() }
}

fn begin(world: &World, strength: Strength) -> AuthorizationRedirect {
    let intent = AuthenticationRequest { strength, ..AuthenticationRequest::default() };
    world.provider.begin(intent).unwrap()
}

/// What the provider falls short of when it says `told` of a sign-in of which `strength` was asked.
async fn shortfall(world: &World, strength: Strength, told: &Value) -> Vec<Shortfall> {
    let departure = begin(world, strength);
    let sign = |mut claims: Value| {
        told.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        world.signer.sign(&claims)
    };
    world.arrive(&departure, sign).await.unwrap().shortfall
}

#[tokio::test]
async fn it_asks_in_place_of_the_configured_levels_and_for_the_younger_sign_in() {
    let world = World::with(|settings| {
        client(settings).acr_values = vec!["pwd".into()];
        client(settings).max_age = Some(Duration::from_secs(600));
    })
    .await;
    let asked = |strength| {
        let location = begin(&world, strength).location;
        ["acr_values", "max_age"].map(|name| parameter(&location, name).unwrap())
    };
    assert_eq!(asked(level(&["mfa", "hwk"])), ["mfa hwk", "600"]);
    assert_eq!(asked(within(60)), ["pwd", "60"]);
    assert_eq!(asked(within(900)), ["pwd", "600"]);
}

#[tokio::test]
async fn one_of_the_levels_every_method_and_a_recent_sign_in_must_come_back() {
    let world = World::new().await;
    for (strength, told, met) in [
        (level(&["mfa", "hwk"]), json!({"acr": "hwk"}), true),
        (level(&["mfa"]), json!({"acr": "pwd"}), false),
        (level(&["mfa"]), json!({"acr": "mfa "}), false),
        (level(&["mfa"]), json!({"acr": null}), false),
        (methods(&["pwd", "otp"]), json!({"amr": ["otp", "pwd", "x"]}), true),
        (methods(&["pwd", "otp"]), json!({"amr": ["otp"]}), false),
        (methods(&["otp"]), json!({"amr": null}), false),
        (within(300), json!({"auth_time": NOW}), true),
        (within(300), json!({"auth_time": NOW - 300}), true),
        (within(300), json!({"auth_time": NOW - 361}), false),
        (within(300), json!({"auth_time": null}), false),
    ] {
        let found = shortfall(&world, strength.clone(), &told).await;
        assert_eq!(found.is_empty(), met, "{strength:?} {told} {found:?}");
    }
}

/// What is enough when it comes back and not a moment later would be sent round again and again.
#[tokio::test]
async fn a_sign_in_must_stay_recent_until_its_page_has_been_asked_for() {
    let world = World::new().await;
    assert!(shortfall(&world, within(300), &json!({"auth_time": NOW - 350})).await.is_empty());
    assert!(!shortfall(&world, within(300), &json!({"auth_time": NOW - 351})).await.is_empty());
}

#[tokio::test]
async fn what_was_asked_and_what_came_is_told() {
    let world = World::new().await;
    let strength =
        Strength { amr: vec!["otp".into()], max_age: Some(Duration::from_secs(60)), ..level(&["mfa"]) };
    let told = json!({"acr": "pwd", "amr": null, "auth_time": NOW - 7200});
    let found = shortfall(&world, strength, &told).await;
    let told: Vec<_> = found.iter().map(|it| (it.wanted.as_str(), it.found.as_str())).collect();
    let expected = [
        ("one of the authentication levels (acr): mfa", "pwd"),
        ("all of the authentication methods (amr): otp", "the methods of the sign-in unknown"),
        ("a sign-in at most 1m ago", "a sign-in 2h ago"),
    ];
    assert_eq!(told, expected);
}

/// The word of UserInfo is not about this sign-in.
#[tokio::test]
async fn nothing_but_the_id_token_proves_a_sign_in() {
    let world = World::with(|settings| client(settings).userinfo = AskUserInfo::Always).await;
    let more = json!({"sub": "u1", "acr": "mfa", "amr": ["otp"], "auth_time": NOW});
    world.fake.json("/userinfo", 200, &more);
    let strength =
        Strength { amr: vec!["otp".into()], max_age: Some(Duration::from_secs(60)), ..level(&["mfa"]) };
    let told = json!({"acr": null, "amr": null, "auth_time": null});
    assert_eq!(shortfall(&world, strength, &told).await.len(), 3);
    assert_eq!(world.fake.calls("/userinfo").len(), 1);
}
