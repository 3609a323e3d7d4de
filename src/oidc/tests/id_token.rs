use std::sync::atomic::Ordering;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::signer::{Signer, base64url};
use super::world::{ACCESS, NOW, World, client};
use crate::oidc::{IdTokenError, SignInError};

async fn refused(change: impl FnOnce(&mut Value)) -> IdTokenError {
    refused_in(&World::new().await, change).await
}

async fn refused_in(world: &World, change: impl FnOnce(&mut Value)) -> IdTokenError {
    reason(world.sign_in(change).await)
}

fn reason<T: std::fmt::Debug>(result: Result<T, SignInError>) -> IdTokenError {
    match result {
        Err(SignInError::IdToken(cause)) => cause,
        other => panic!("expected a refused ID token, got {other:?}"),
    }
}

fn at_hash(token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    base64url(&hash.as_ref()[..16])
}

#[tokio::test]
async fn invariant_5_issuer_audience_nonce_and_times_must_match() {
    let faults: [(&str, Value); 11] = [
        ("iss", json!("http://127.0.0.1:1")),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!(["portcullis", "other"])),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("exp", json!(NOW - 30)),
        ("exp", json!(0)),
        ("iat", json!(NOW + 31)),
        ("iat", json!(NOW + 100_000)),
        ("aud", json!([])),
    ];
    for (name, value) in faults {
        let cause = refused(|claims| claims[name] = value.clone()).await;
        assert!(matches!(cause, IdTokenError::Claims(_)), "{name} {value}: {cause}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway() {
    let world = World::new().await;
    let early = |claims: &mut Value| (claims["iat"], claims["nbf"]) = (json!(NOW + 30), json!(NOW + 30));
    assert!(world.sign_in(early).await.is_ok());
    assert!(world.sign_in(|claims| claims["exp"] = json!(NOW - 29)).await.is_ok());
    for name in ["nbf", "auth_time"] {
        assert!(world.sign_in(|claims| claims[name] = json!(NOW + 30)).await.is_ok());
        let cause = refused_in(&world, |claims| claims[name] = json!(NOW + 31)).await;
        assert_eq!(cause, IdTokenError::Ahead(name));
    }
}

#[tokio::test]
async fn invariant_5_azp_is_us_or_absent_and_needed_beside_other_audiences() {
    let azp = IdTokenError::AuthorizedParty;
    assert_eq!(refused(|claims| claims["azp"] = json!("other")).await, azp);
    let array = World::new().await.sign_in(|claims| claims["azp"] = json!(["portcullis"])).await;
    assert!(matches!(array, Err(SignInError::BadTokenResponse(_))), "it is no string");
    assert_eq!(refused(|claims| claims["azp"] = Value::Null).await, azp);
    let world = World::with(|settings| settings.audiences = vec!["https://api.example".into()]).await;
    let both = json!(["portcullis", "https://api.example"]);
    assert_eq!(refused_in(&world, |claims| claims["aud"] = both.clone()).await, azp);
    let named = |claims: &mut Value| (claims["aud"], claims["azp"]) = (both.clone(), json!("portcullis"));
    assert!(world.sign_in(named).await.is_ok());
}

#[tokio::test]
async fn invariant_5_at_hash_binds_the_access_token() {
    let other = |claims: &mut Value| claims["at_hash"] = json!(at_hash("other"));
    assert_eq!(refused(other).await, IdTokenError::AccessTokenHash);
    let right = |claims: &mut Value| claims["at_hash"] = json!(at_hash(ACCESS));
    assert!(World::new().await.sign_in(right).await.is_ok());
}

#[tokio::test]
async fn invariant_5_alg_is_the_keys_and_never_none_or_a_shared_secret() {
    let world = World::new().await;
    let public = world.signer.jwk.to_string();
    for secret in ["s3cr:et+ %", "", &public, &world.signer.document()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let header = Header { kid: Some("k1".into()), ..Header::new(algorithm) };
            let sign =
                |claims| encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap();
            let cause = reason(world.arrive(&world.begin(), sign).await);
            assert!(matches!(cause, IdTokenError::Signature(_)), "{cause}");
        }
    }
    for none in ["none", "NONE", "None"] {
        let header = base64url(format!(r#"{{"alg":"{none}","kid":"k1"}}"#).as_bytes());
        let bare = |claims: Value| format!("{header}.{}.", base64url(claims.to_string().as_bytes()));
        assert!(world.arrive(&world.begin(), bare).await.is_err(), "{none}");
    }
}

#[tokio::test]
async fn invariant_5_a_key_signs_with_its_own_alg_and_use_only() {
    let mut world = World::new().await;
    world.signer = Signer::rsa("r", Algorithm::PS256);
    *world.keys.document.lock().unwrap() = Some(world.signer.document().into());
    assert!(world.sign_in(|_| {}).await.is_ok());
    let mut encrypting = world.signer.jwk.clone();
    encrypting["use"] = "enc".into();
    let mut other_alg = world.signer.jwk.clone();
    other_alg["alg"] = "RS256".into();
    for key in [encrypting, other_alg] {
        *world.keys.document.lock().unwrap() = Some(json!({"keys": [key]}).to_string().into());
        assert_eq!(refused_in(&world, |_| {}).await, IdTokenError::UnknownKey("r".into()));
    }
}

#[tokio::test]
async fn rsa_pss_and_eddsa_keys_verify() {
    for signer in [Signer::rsa("r", Algorithm::RS256), Signer::rsa("p", Algorithm::PS512), Signer::eddsa("e")]
    {
        let mut world = World::new().await;
        *world.keys.document.lock().unwrap() = Some(signer.document().into());
        world.signer = signer;
        assert_eq!(world.sign_in(|_| {}).await.map(|signed_in| signed_in.principal.user), Ok("alice".into()));
    }
}

#[tokio::test]
async fn invariant_5_headers_do_not_steer_the_verifier() {
    let world = World::new().await;
    let stranger = Signer::es256("k1");
    let jku = Header { jku: Some(format!("{}/evil", world.fake.issuer)), ..stranger.header() };
    let x5u = Header { x5u: Some(format!("{}/evil", world.fake.issuer)), ..stranger.header() };
    let jwk =
        Header { jwk: Some(serde_json::from_value(stranger.jwk.clone()).unwrap()), ..stranger.header() };
    for header in [stranger.header(), jku, x5u, jwk] {
        let result = world.arrive(&world.begin(), |claims| stranger.sign_with(header, &claims)).await;
        assert!(matches!(reason(result), IdTokenError::Signature(_)));
    }
    assert!(world.fake.calls("/evil").is_empty());
    let mut critical = world.signer.header();
    critical.crit = Some(vec!["exp".into()]);
    let result = world.arrive(&world.begin(), |claims| world.signer.sign_with(critical, &claims)).await;
    assert!(matches!(reason(result), IdTokenError::Claims(_)));
}

#[tokio::test]
async fn invariant_5_tokens_made_for_another_purpose_are_refused() {
    let world = World::new().await;
    for typ in ["at+jwt", "logout+jwt", "application/at+jwt", "secevent+jwt"] {
        let header = Header { typ: Some(typ.into()), ..world.signer.header() };
        let result = world.arrive(&world.begin(), |claims| world.signer.sign_with(header, &claims)).await;
        assert!(matches!(reason(result), IdTokenError::Claims(_)), "{typ}");
    }
    let logout = |claims: &mut Value| {
        claims["events"] = json!({"http://schemas.openid.net/event/backchannel-logout": {}})
    };
    assert_eq!(refused_in(&world, logout).await, IdTokenError::OtherPurpose);
}

#[tokio::test]
async fn invariant_5_claims_that_stand_twice_are_refused() {
    let world = World::new().await;
    for twice in [r#""groups":["root"]"#, r#""sub":"u2""#, r#""aud":"portcullis""#, r#""\u0065xp":9e9"#] {
        let sign = |claims: Value| {
            let claims = claims.to_string();
            world.signer.sign_text(&format!("{},{twice}}}", &claims[..claims.len() - 1]))
        };
        let error = world.arrive(&world.begin(), sign).await.unwrap_err();
        assert_eq!(error.blame(), crate::oidc::Blame::Provider, "{twice}: {error}");
    }
}

#[tokio::test]
async fn the_issuer_is_equal_to_the_letter() {
    let world = World::new().await;
    for iss in [format!("{}/", world.fake.issuer), world.fake.issuer.replace("http", "HTTP")] {
        let cause = refused_in(&world, |claims| claims["iss"] = iss.as_str().into()).await;
        assert!(matches!(cause, IdTokenError::Claims(_)), "{iss}: {cause}");
    }
}

#[tokio::test]
async fn auth_time_counts_where_max_age_was_asked_for() {
    let world = World::with(|settings| client(settings).max_age = Some(Duration::from_secs(60))).await;
    assert!(world.sign_in(|claims| claims["auth_time"] = json!(NOW - 90)).await.is_ok());
    let old = |claims: &mut Value| claims["auth_time"] = json!(NOW - 91);
    assert_eq!(refused_in(&world, old).await, IdTokenError::AuthenticationTooOld);
    let none = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("auth_time"));
    assert_eq!(refused_in(&world, none).await, IdTokenError::NoAuthTime);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once() {
    let mut world = World::new().await;
    world.signer = Signer::es256("k2");
    assert_eq!(refused_in(&world, |_| {}).await, IdTokenError::UnknownKey("k2".into()));
    assert_eq!(world.keys.refreshes.load(Ordering::Relaxed), 1);
    *world.keys.next.lock().unwrap() = Some(world.signer.document().into());
    assert!(world.sign_in(|_| {}).await.is_ok());
    assert_eq!(world.keys.refreshes.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn without_keys_nobody_signs_in() {
    let world = World::new().await;
    *world.keys.document.lock().unwrap() = None;
    let result = world.sign_in(|_| {}).await;
    assert_eq!(result, Err(SignInError::Provider(crate::oidc::ProviderError::NoKeys)));
    *world.keys.document.lock().unwrap() = Some("<html>".into());
    assert!(world.sign_in(|_| {}).await.is_err());
}
