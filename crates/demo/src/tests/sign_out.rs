//! Signing out at the provider.

use http::StatusCode;

use super::browser::{Answer, encoded};
use super::world::{World, assert_refused};

const SIGNED_OUT: &str = "http://127.0.0.1:8080/.portcullis/signed-out";

/// A world in which alice is signed in, her ID token, and her refresh token.
async fn alice(scope: &str) -> (World, String, String) {
    let world = World::new().await;
    let tokens = world.redeem(&world.code("alice", &[("scope", scope)]).await).await.json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (world, text("id_token"), text("refresh_token"))
}

async fn end_session(world: &World, parameters: &[(&str, &str)]) -> Answer {
    world.browser.get(&format!("/op/end-session?{}", encoded(parameters))).await
}

async fn is_signed_in(world: &World) -> bool {
    world.browser.get(&world.wanted(&[("prompt", "none")])).await.location().1.contains_key("code")
}

#[tokio::test]
async fn a_client_that_shows_the_id_token_signs_out_at_once_and_gets_its_state_back() {
    let (world, id_token, refresh) = alice("openid profile email groups").await;
    let parameters =
        [("id_token_hint", id_token.as_str()), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "a b&c")];
    let (url, back) = end_session(&world, &parameters).await.location();
    assert!(url.as_str().starts_with(SIGNED_OUT) && back["state"] == "a b&c", "{url}");
    assert!(!is_signed_in(&world).await);
    assert_refused(&world.refresh(&refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn what_was_granted_for_times_of_absence_outlives_the_session() {
    let (world, id_token, refresh) = alice("openid offline_access").await;
    end_session(&world, &[("id_token_hint", &id_token)]).await;
    assert_eq!(world.refresh(&refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_good_hint_the_person_is_asked() {
    let (world, id_token, _) = alice("openid profile email groups").await;
    let bob = World::new().await;
    let foreign = bob.redeem(&bob.code("alice", &[]).await).await.json();
    let broken = format!("{id_token}x");
    for hint in [foreign["id_token"].as_str().unwrap(), &broken, ""] {
        let asked =
            end_session(&world, &[("id_token_hint", hint), ("post_logout_redirect_uri", SIGNED_OUT)]).await;
        assert_eq!(asked.status, StatusCode::OK);
        assert!(asked.body.contains("Sign out?"), "{}", asked.body);
    }
    assert!(is_signed_in(&world).await);
    let asked = end_session(
        &world,
        &[("client_id", world.demo.client_id()), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s")],
    )
    .await;
    let forged = encoded(&[("post_logout_redirect_uri", SIGNED_OUT)]);
    assert_eq!(world.browser.post("/op/sign-out", &forged).await.status, StatusCode::FORBIDDEN);
    let (url, _) = world.browser.submit(&asked, "/op/sign-out", &[]).await.location();
    assert_eq!(url.as_str(), format!("{SIGNED_OUT}?state=s"));
    assert!(!is_signed_in(&world).await);
}

#[tokio::test]
async fn another_persons_id_token_signs_nobody_out() {
    let (world, alices, _) = alice("openid profile email groups").await;
    world.code("bob", &[("prompt", "login")]).await;
    let asked = end_session(&world, &[("id_token_hint", &alices)]).await;
    assert!(asked.body.contains("Bob Baker"), "{}", asked.body);
    assert!(is_signed_in(&world).await);
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    let (world, id_token, _) = alice("openid profile email groups").await;
    for address in [
        "https://evil.example/",
        "//evil.example",
        "http://127.0.0.1:8080/.portcullis/signed-out/",
        "http://127.0.0.1:8080/.portcullis/signed-out?x",
        "http://127.0.0.1:8080@evil.example/.portcullis/signed-out",
        "javascript:alert(1)",
    ] {
        for hint in
            [("id_token_hint", id_token.as_str()), ("client_id", "portcullis"), ("client_id", "robot")]
        {
            let answer = end_session(&world, &[hint, ("post_logout_redirect_uri", address)]).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, ""), "{address}");
        }
    }
}
