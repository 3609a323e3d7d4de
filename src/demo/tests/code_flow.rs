//! The way a person takes: authentication request → sign-in → consent → code → tokens.

use serde_json::json;

use super::world::World;

#[tokio::test]
async fn a_person_signs_in_consents_and_the_client_gets_tokens() {
    let world = World::new().await;
    let consent = world.sign_in("alice", &[]).await;
    assert!(
        consent.body.contains("Portcullis") && consent.body.contains("alice@demo.example"),
        "{}",
        consent.body
    );
    let (url, parameters) = world.allow(&consent).await.location();
    assert_eq!(url.as_str().split('?').next(), Some(super::world::CALLBACK));
    assert_eq!(parameters["state"], "the state");
    assert_eq!(parameters["iss"], world.demo.issuer());
    let tokens = world.redeem(&parameters["code"]).await.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(600)));
    let (typ, claims) = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(typ, "JWT");
    assert_eq!(claims["iss"], world.demo.issuer());
    assert_eq!(claims["aud"], world.demo.client_id());
    assert_eq!((&claims["nonce"], &claims["auth_time"]), (&json!("the nonce"), &json!(1_800_000_000)));
    assert_eq!((&claims["preferred_username"], &claims["groups"]), (&json!("alice"), &json!(["staff"])));
    let (typ, claims) = world.claims(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((typ.as_str(), claims["aud"].as_str()), ("at+jwt", Some(world.demo.audience())));
    assert_eq!(claims["scope"], "openid profile email groups");
    let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&told["sub"], &told["email"]), (&claims["sub"], &json!("alice@demo.example")));
}
