//! Apps can verify who asks, and nobody but the gateway tells them.

use http::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::support::{Browser, World, told};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request", assertion = true }

[[routes]]
name = "forwarded"
path = "/forwarded"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-forwarded" }

[[routes]]
name = "remote"
path = "/remote"
upstream = "{app}"
access = "signed-in"
identity = { headers = "remote" }

[[routes]]
name = "open"
path = "/open"
upstream = "{app}"
access = "public"
"#;

async fn keys(world: &World) -> JwkSet {
    let answer = Browser::new().get(&world.gateway.url("/.portcullis/jwks.json")).await;
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert!(!answer.body.contains("\"d\""), "no private key: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn verified(keys: &JwkSet, token: &str, audience: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let head = decode_header(token)?;
    let key = keys.find(&head.kid.unwrap()).expect("the key is published");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    decode::<Value>(token, &DecodingKey::from_jwk(key)?, &validation).map(|data| data.claims)
}

#[tokio::test]
async fn an_assertion_verifies_with_the_published_keys_for_this_host_and_about_a_minute() {
    let mut world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let token = told(&browser.get(&world.gateway.url("/")).await, "portcullis-assertion").remove(0);
    let claims = verified(&keys(&world).await, &token, "127.0.0.1").unwrap();
    assert!(verified(&keys(&world).await, &token, "other.example").is_err());
    assert_eq!(claims["iss"].as_str().unwrap().trim_end_matches('/'), world.gateway.url(""));
    assert_eq!((&claims["sub"], &claims["email"]), (&"alice".into(), &"alice@corp.example".into()));
    assert_eq!(claims["groups"][0], "staff");
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert!((30..=90).contains(&life), "{life} s");
    world.gateway.restart();
    let after = keys(&world).await;
    assert!(verified(&after, &token, "127.0.0.1").is_ok(), "the key survives a restart");
}

#[tokio::test]
async fn the_families_of_headers_say_the_same_in_other_words() {
    let world = World::open(ROUTES).await;
    world.provider.control("as?user=zoe").await;
    let browser = world.signed_in().await;
    let (user, name) = ("Zo%C3%AB 100%25", "Zo%C3%AB, the one");
    for (path, prefix, last, value) in [
        ("/", "x-auth-request-", "preferred-username", user),
        ("/forwarded", "x-forwarded-", "preferred-username", user),
        ("/remote", "remote-", "name", name),
    ] {
        let answer = browser.get(&world.gateway.url(path)).await;
        let header = |suffix: &str| told(&answer, &format!("{prefix}{suffix}"));
        assert_eq!(header("user"), [user], "{path}");
        assert_eq!(header("email"), ["zoe@corp.example"], "{path}");
        assert_eq!(header("groups"), ["B%C3%BCro%2C S%C3%BCd,staff"], "{path}");
        assert_eq!(header(last), [value], "{path}");
    }
}

#[tokio::test]
async fn invariant_9_nobody_but_the_gateway_says_who_you_are() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let forged = [
        ("x-auth-request-user", "root"),
        ("X_Auth_Request_User", "root"),
        ("x-auth-request-groups", "root"),
        ("remote-user", "root"),
        ("x-forwarded-user", "root"),
        ("portcullis-assertion", "root"),
        ("connection", "x-auth-request-user, x-auth-request-email"),
    ];
    for path in ["/", "/open", "/remote"] {
        let answer = browser.send(Method::GET, &world.gateway.url(path), &forged, "").await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("root"), "{path}: {}", answer.body);
    }
    let own = browser.send(Method::GET, &world.gateway.url("/"), &forged, "").await;
    assert_eq!(told(&own, "x-auth-request-user"), ["alice"], "naming it in Connection does not remove it");
    assert_eq!(told(&own, "x-auth-request-email"), ["alice@corp.example"]);
}
