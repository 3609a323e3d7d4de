use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA384, SHA512};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::signer::{Signer, base64url};
use super::world::{ACCESS, NOW, World, client};
use crate::clock::Timestamp;
use crate::oidc::jwks::{self, JwsError, testing};
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
    let hash = aws_lc_rs::digest::digest(&SHA256, token.as_bytes());
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
        assert!(cause.to_string().contains(name), "{name} {value}: {cause}");
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
        let (at, now) = (Timestamp::from_seconds(NOW + 31), Timestamp::from_seconds(NOW));
        assert_eq!(cause, IdTokenError::Ahead { name, at, now });
    }
}

#[tokio::test]
async fn invariant_5_azp_is_us_or_absent_and_needed_beside_other_audiences() {
    let azp = IdTokenError::AuthorizedParty;
    assert_eq!(refused(|claims| claims["azp"] = json!("other")).await, azp);
    assert_eq!(refused(|claims| claims["azp"] = json!(["portcullis"])).await, azp, "it is no string");
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
            assert!(matches!(cause, IdTokenError::Unreadable(_)), "{cause}");
        }
    }
    for none in ["none", "NONE", "None"] {
        let header = base64url(format!(r#"{{"alg":"{none}","kid":"k1"}}"#).as_bytes());
        let bare = |claims: Value| format!("{header}.{}.", base64url(claims.to_string().as_bytes()));
        assert!(world.arrive(&world.begin(), bare).await.is_err(), "{none}");
    }
}

/// Why an ID token signed by `signer` is refused where `keys` are published.
async fn refused_under(signer: Signer, keys: &[&Value]) -> String {
    let mut world = World::new().await;
    world.signer = signer;
    world.publish(keys);
    refused_in(&world, |_| {}).await.to_string()
}

#[tokio::test]
async fn invariant_5_a_key_signs_with_its_own_alg_and_use_only() {
    let signer = || Signer::rsa("r", Algorithm::PS256);
    let (other_alg, encrypting) = (signer(), signer());
    let mut jwk = other_alg.jwk.clone();
    jwk["alg"] = "RS256".into();
    let told = refused_under(other_alg, &[&jwk]).await;
    assert!(told.contains("its alg is PS256") && told.contains("r (RS256)"), "{told}");
    let mut jwk = encrypting.jwk.clone();
    jwk["use"] = "enc".into();
    let told = refused_under(encrypting, &[&jwk, &Signer::es256("k1").jwk]).await;
    assert!(told.contains("none of the provider's: r (not used: its `use`"), "{told}");
}

/// Signs as `algorithm` says, under the name `alg`.
fn jws(signer: &testing::Signer, (algorithm, alg): (jwks::Algorithm, &str), claims: &Value) -> String {
    signer.jws(algorithm, &json!({"alg": alg, "kid": "k"}).to_string(), &claims.to_string())
}

#[tokio::test]
async fn every_algorithm_of_bearer_tokens_verifies_and_binds_the_access_token() {
    let half = |bytes: &[u8]| base64url(&bytes[..bytes.len() / 2]);
    let hash = |algorithm| half(aws_lc_rs::digest::digest(algorithm, ACCESS.as_bytes()).as_ref());
    for (algorithm, alg, digest) in [
        (jwks::Algorithm::RS256, "RS256", &SHA256),
        (jwks::Algorithm::PS384, "PS384", &SHA384),
        (jwks::Algorithm::ES256, "ES256", &SHA256),
        (jwks::Algorithm::ES384, "ES384", &SHA384),
        (jwks::Algorithm::ES512, "ES512", &SHA512),
        (jwks::Algorithm::EdDSA, "EdDSA", &SHA512),
        (jwks::Algorithm::EdDSA, "Ed25519", &SHA512),
    ] {
        let world = World::new().await;
        let signer = testing::Signer::new(algorithm);
        world.publish(&[&signer.jwk("k")]);
        let with = |at_hash: String| {
            let signer = &signer;
            move |mut claims: Value| {
                claims["at_hash"] = at_hash.into();
                jws(signer, (algorithm, alg), &claims)
            }
        };
        let good = world.arrive(&world.begin(), with(hash(digest))).await;
        assert_eq!(good.map(|it| it.principal.user), Ok("alice".into()), "{alg}");
        let other = world.arrive(&world.begin(), with(base64url(&[0; 32]))).await;
        assert_eq!(reason(other), IdTokenError::AccessTokenHash, "{alg}");
    }
}

#[tokio::test]
async fn claims_that_nobody_needs_may_be_what_they_like() {
    let world = World::new().await;
    for (name, value) in [
        ("address", json!([])),
        ("address", json!("Main Street 1")),
        ("locale", json!({"language": "en"})),
        ("locale", json!(7)),
        ("birthdate", json!(19_700_101)),
        ("updated_at", json!("")),
        ("updated_at", json!({"seconds": 1})),
        ("amr", json!("pwd")),
        ("amr", json!([1, null])),
        ("name", json!(["Alice"])),
        ("picture", json!(false)),
        ("gender", json!(1)),
        ("zoneinfo", json!({})),
        ("phone_number_verified", json!("yes")),
        ("acr", json!(2)),
        ("sid", json!(["s"])),
        ("jti", json!(1)),
        ("c_hash", json!([])),
        ("auth_time", json!("yesterday")),
        ("preferred_username", json!({})),
        ("email", json!(["alice@corp.example"])),
        ("email_verified", json!("maybe")),
        ("nbf", Value::Null),
        ("at_hash", Value::Null),
    ] {
        let signed_in = world.sign_in(|claims| claims[name] = value.clone()).await;
        assert_eq!(signed_in.map(|it| it.principal.subject.to_string()), Ok("u1".into()), "{name} {value}");
    }
}

#[tokio::test]
async fn what_is_needed_is_named_where_it_is_missing_or_wrong() {
    let world = World::new().await;
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let cause = refused_in(&world, |claims| drop(claims.as_object_mut().unwrap().remove(name))).await;
        assert_eq!(cause, IdTokenError::MissingClaim(name));
    }
    for (name, value) in [
        ("iss", json!([1])),
        ("aud", json!([7])),
        ("exp", json!("soon")),
        ("iat", json!({})),
        ("nonce", json!(1)),
    ] {
        assert_eq!(refused_in(&world, |claims| claims[name] = value).await, IdTokenError::BadClaim(name));
    }
}

#[tokio::test]
async fn times_are_told_so_that_clocks_can_be_compared() {
    let late = refused(|claims| claims["exp"] = json!(NOW - 60)).await.to_string();
    assert_eq!(
        late,
        "expired: exp is 2027-01-15T07:59:00Z, it is 2027-01-15T08:00:00Z here; compare the clocks"
    );
    let early = refused(|claims| claims["iat"] = json!(NOW + 60)).await.to_string();
    assert_eq!(
        early,
        "iat lies ahead: it is 2027-01-15T08:01:00Z, and 2027-01-15T08:00:00Z here; compare the clocks"
    );
}

#[tokio::test]
async fn audiences_beside_us_are_trusted_where_the_operator_says_so() {
    let both = |claims: &mut Value| {
        claims["aud"] = json!(["portcullis", "project-7"]);
        claims["azp"] = json!("portcullis");
    };
    assert_eq!(refused(both).await, IdTokenError::OtherAudience("project-7".into()));
    let world = World::with(|settings| settings.trusted_audiences = vec!["project-7".into()]).await;
    assert!(world.sign_in(both).await.is_ok());
    let without_us = |claims: &mut Value| claims["aud"] = json!(["project-7"]);
    assert!(matches!(refused_in(&world, without_us).await, IdTokenError::Audience { .. }));
    let third = |claims: &mut Value| claims["aud"] = json!(["portcullis", "project-7", "project-8"]);
    assert_eq!(refused_in(&world, third).await, IdTokenError::OtherAudience("project-8".into()));
}

#[tokio::test]
async fn a_key_replaced_under_its_name_is_looked_for_once() {
    let mut world = World::new().await;
    assert!(world.sign_in(|_| {}).await.is_ok());
    world.signer = Signer::es256("k1");
    world.publish(&[&world.signer.jwk]);
    assert!(world.sign_in(|_| {}).await.is_ok());
    assert_eq!(world.keys.fetched.load(Ordering::Relaxed), 2);
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
    assert_eq!(reason(result), IdTokenError::Unreadable(JwsError::UnsupportedHeader("crit")));
}

#[tokio::test]
async fn invariant_5_tokens_made_for_another_purpose_are_refused() {
    let world = World::new().await;
    for typ in ["at+jwt", "logout+jwt", "application/at+jwt", "secevent+jwt"] {
        let header = Header { typ: Some(typ.into()), ..world.signer.header() };
        let result = world.arrive(&world.begin(), |claims| world.signer.sign_with(header, &claims)).await;
        assert_eq!(reason(result), IdTokenError::OtherType, "{typ}");
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
        assert_eq!(error.blame(), crate::oidc::Culprit::Provider, "{twice}: {error}");
    }
}

#[tokio::test]
async fn the_issuer_is_equal_to_the_letter() {
    let world = World::new().await;
    for iss in [format!("{}/", world.fake.issuer), world.fake.issuer.replace("http", "HTTP")] {
        let cause = refused_in(&world, |claims| claims["iss"] = iss.as_str().into()).await;
        assert!(matches!(cause, IdTokenError::Issuer { .. }), "{iss}: {cause}");
        let slash = cause.to_string().contains("differ by the slash");
        assert_eq!(slash, iss.ends_with('/'), "{cause}");
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
    assert!(world.sign_in(|_| {}).await.is_ok());
    world.signer = Signer::es256("k2");
    world.clock.advance(Duration::from_secs(10));
    for _ in 0..3 {
        assert_eq!(refused_in(&world, |_| {}).await, IdTokenError::UnknownKey("k1 (ES256)".into()));
        assert_eq!(world.keys.fetched.load(Ordering::Relaxed), 2);
    }
    world.publish(&[&world.signer.jwk]);
    assert!(world.sign_in(|_| {}).await.is_ok());
    assert_eq!(world.keys.fetched.load(Ordering::Relaxed), 3);
}

/// As Keycloak publishes the key of a realm that signs with Ed448, under the `alg` that Ed25519 has as well.
#[tokio::test]
async fn a_key_that_is_there_and_not_used_is_told_with_the_reason() {
    let mut world = World::new().await;
    let known = world.signer.jwk.clone();
    world.signer = Signer::eddsa("ed448-generated");
    let x = base64url(&[7; 57]);
    world.publish(&[
        &known,
        &json!({
            "kid": "ed448-generated", "kty": "OKP", "alg": "EdDSA", "use": "sig", "crv": "Ed448", "x": x,
        }),
    ]);
    let refused = refused_in(&world, |_| {}).await.to_string();
    let reason = "ed448-generated (not used: its type or curve is none that is supported";
    assert!(refused.contains(reason), "{refused}");
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
