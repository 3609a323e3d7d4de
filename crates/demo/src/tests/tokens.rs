//! The token endpoint and its neighbours, asked by those who should and those who should not.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;

use super::browser::encoded;
use super::world::{CALLBACK, VERIFIER, World, assert_refused};

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_a_second_use_ends_what_the_first_led_to() {
    let world = World::new().await;
    let code = world.code("alice", &[]).await;
    let tokens = world.redeem(&code).await.json();
    assert_eq!(world.userinfo(text(&tokens, "access_token")).await.status, StatusCode::OK);
    assert_refused(&world.redeem(&code).await, 400, "invalid_grant");
    assert_eq!(world.userinfo(text(&tokens, "access_token")).await.status, StatusCode::UNAUTHORIZED);
    assert_refused(&world.refresh(text(&tokens, "refresh_token")).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_worth_nothing_after_a_minute() {
    let world = World::new().await;
    let (early, late) = (world.code("alice", &[]).await, world.code("bob", &[("prompt", "login")]).await);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(world.redeem(&early).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(1));
    assert_refused(&world.redeem(&late).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_bound_to_address_and_verifier_and_a_wrong_guess_uses_it_up() {
    let world = World::new().await;
    let other = format!("{VERIFIER}x");
    let short = &VERIFIER[..42];
    for (redirect_uri, verifier) in [
        (CALLBACK, other.as_str()),
        (CALLBACK, short),
        (CALLBACK, ""),
        ("http://127.0.0.1:8080/.portcullis/callback/", VERIFIER),
        ("", VERIFIER),
    ] {
        let code = world.code("alice", &[("prompt", "login consent")]).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        assert_refused(&world.token(&form).await, 400, "invalid_grant");
        assert_refused(&world.redeem(&code).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn nobody_gets_tokens_without_the_clients_secret() {
    let world = World::new().await;
    let code = world.code("alice", &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let (id, secret) = (world.demo.client_id(), world.demo.client_secret().expose());
    for (id, secret) in [(id, "guessed"), (id, ""), ("nobody", secret), ("robot", secret), ("", "")] {
        let answer = world.token_as(id, secret, &form).await;
        assert_refused(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic"));
    }
    let content_type = [("content-type", "application/x-www-form-urlencoded")];
    let bare = world.browser.send(Method::POST, "/op/token", &content_type, encoded(&form).into()).await;
    assert_refused(&bare, 401, "invalid_client");
    let mut post = form.to_vec();
    post.extend([("client_id", id), ("client_secret", secret)]);
    assert_refused(&world.token(&post).await, 400, "invalid_request");
    let posted = world.browser.send(Method::POST, "/op/token", &content_type, encoded(&post).into()).await;
    assert_eq!(posted.status, StatusCode::OK, "client_secret_post: {}", posted.body);
    assert_eq!(posted.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_grant() {
    let world = World::new().await;
    let first = world.redeem(&world.code("alice", &[]).await).await.json();
    let second = world.refresh(text(&first, "refresh_token")).await.json();
    assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
    let (_, claims) = world.claims(text(&second, "id_token")).await;
    assert!(!claims.contains_key("nonce"), "the nonce belonged to the sign-in");
    assert_refused(&world.refresh(text(&first, "refresh_token")).await, 400, "invalid_grant");
    assert_refused(&world.refresh(text(&second, "refresh_token")).await, 400, "invalid_grant");
    assert_eq!(world.userinfo(text(&second, "access_token")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_refresh_never_widens_what_was_granted() {
    let world = World::new().await;
    let tokens = world.redeem(&world.code("alice", &[]).await).await.json();
    let refresh = |token: String, scope: &'static str| {
        let world = &world;
        async move {
            world.token(&[("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", scope)]).await
        }
    };
    let token = text(&tokens, "refresh_token").to_owned();
    assert_refused(&refresh(token.clone(), "openid api").await, 400, "invalid_scope");
    let narrow = refresh(token, "openid").await.json();
    assert_eq!(text(&narrow, "scope"), "openid");
    let told = world.userinfo(text(&narrow, "access_token")).await.json();
    assert_eq!(told.as_object().unwrap().len(), 1, "{told}");
}

#[tokio::test]
async fn a_program_gets_a_token_of_its_own_and_of_nobody_else() {
    let world = World::new().await;
    let secret = world.demo.provider.clients.machine.secret.expose().to_owned();
    let ask = |form: Vec<(&'static str, &'static str)>| {
        let (world, secret) = (&world, &secret);
        async move { world.token_as("robot", secret, &form).await }
    };
    let token = ask(vec![("grant_type", "client_credentials")]).await.json();
    assert_eq!((text(&token, "scope"), &token["refresh_token"]), ("api", &Value::Null));
    let (typ, claims) = world.claims(text(&token, "access_token")).await;
    assert_eq!(
        (typ.as_str(), &claims["sub"], &claims["client_id"]),
        ("at+jwt", &"robot".into(), &"robot".into())
    );
    assert_eq!(world.userinfo(text(&token, "access_token")).await.status, StatusCode::FORBIDDEN);
    for scope in ["openid", "groups", "unheard-of"] {
        let answer = ask(vec![("grant_type", "client_credentials"), ("scope", scope)]).await;
        assert_refused(&answer, 400, "invalid_scope");
    }
    let code = ask(vec![("grant_type", "authorization_code"), ("code", "x")]).await;
    assert_refused(&code, 400, "unauthorized_client");
    assert_refused(&world.token(&[("grant_type", "client_credentials")]).await, 400, "unauthorized_client");
    assert_refused(&world.token(&[("grant_type", "password")]).await, 400, "unsupported_grant_type");
}

#[tokio::test]
async fn a_revoked_token_takes_its_grant_with_it() {
    let world = World::new().await;
    for which in ["access_token", "refresh_token"] {
        let tokens = world.redeem(&world.code("alice", &[("prompt", "login consent")]).await).await.json();
        let revoke = |id: &'static str, secret: String| {
            let (world, token) = (&world, text(&tokens, which).to_owned());
            async move {
                let form =
                    encoded(&[("token", token.as_str()), ("client_id", id), ("client_secret", &secret)]);
                world.browser.post("/op/revoke", &form).await.status
            }
        };
        let machine = world.demo.provider.clients.machine.secret.expose().to_owned();
        assert_eq!(revoke("robot", machine).await, StatusCode::OK, "not its token: nothing happens");
        assert_eq!(world.userinfo(text(&tokens, "access_token")).await.status, StatusCode::OK);
        assert_eq!(revoke("portcullis", "guessed".into()).await, StatusCode::UNAUTHORIZED);
        assert_eq!(revoke("portcullis", world.demo.client_secret().expose().into()).await, StatusCode::OK);
        assert_eq!(world.userinfo(text(&tokens, "access_token")).await.status, StatusCode::UNAUTHORIZED);
        assert_refused(&world.refresh(text(&tokens, "refresh_token")).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn userinfo_takes_access_tokens_that_hold_and_nothing_else() {
    let world = World::new().await;
    let tokens = world.redeem(&world.code("alice", &[]).await).await.json();
    let access = text(&tokens, "access_token");
    let unsigned = format!("{}.", access.rsplit_once('.').unwrap().0);
    for token in [text(&tokens, "id_token"), text(&tokens, "refresh_token"), &unsigned, "", "a.b.c"] {
        assert_eq!(world.userinfo(token).await.status, StatusCode::UNAUTHORIZED, "{token}");
    }
    assert_eq!(world.userinfo(access).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(600));
    let late = world.userinfo(access).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    assert!(late.header("www-authenticate").contains("invalid_token"));
}
