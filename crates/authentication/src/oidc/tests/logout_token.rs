//! Logout tokens: whatever is wrong with one, it is refused for that.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::signer::{Signer, base64url};
use super::world::{NOW, World, client, settings};
use crate::clock::{Clock, Timestamp};
use crate::oidc::jwks::{Jws, JwsError};
use crate::oidc::*;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

type Verified = Result<LogoutToken, LogoutTokenError>;

fn claims(world: &World) -> Value {
    json!({
        "iss": world.fake.issuer, "aud": "portcullis", "iat": NOW, "exp": NOW + 120, "jti": "j1",
        "events": { EVENT: {} }, "sub": "u1", "sid": "s1",
    })
}

/// With `null` taken away.
fn changed(mut claims: Value, change: &Value) -> Value {
    let members = claims.as_object_mut().unwrap();
    members.extend(change.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    claims
}

async fn verified(world: &World, token: &str) -> Verified {
    world.provider.verified_logout(&Jws::parse(token)?).await
}

async fn signed(world: &World, change: &Value) -> Verified {
    verified(world, &world.signer.sign(&changed(claims(world), change))).await
}

fn header(world: &World, typ: Option<&str>) -> Header {
    Header { typ: typ.map(str::to_owned), ..world.signer.header() }
}

fn seconds(at: u64) -> Timestamp {
    Timestamp::from_seconds(at)
}

#[tokio::test]
async fn a_token_says_whose_session_is_over_and_how_long_it_is_good() {
    let world = World::new().await;
    let token = |sid: Option<&str>, subject: Option<&str>| LogoutToken {
        sid: sid.map(str::to_owned),
        subject: subject.map(str::to_owned),
        id: "j1".into(),
        good_until: seconds(NOW + 120 + 30),
    };
    assert_eq!(signed(&world, &json!({})).await, Ok(token(Some("s1"), Some("u1"))));
    assert_eq!(signed(&world, &json!({"sid": null})).await, Ok(token(None, Some("u1"))));
    assert_eq!(signed(&world, &json!({"sub": null})).await, Ok(token(Some("s1"), None)));
    let others = json!({"aud": ["other", "portcullis"], "nbf": NOW, "trace_id": 7, "events": {EVENT: {"revoke_offline_access": true}, "urn:other": 1}});
    assert_eq!(signed(&world, &others).await, Ok(token(Some("s1"), Some("u1"))));
}

#[tokio::test]
async fn invariant_5_a_logout_token_that_does_not_match_is_refused_for_what_is_wrong() {
    use LogoutTokenError::{BadClaim, MissingClaim};
    let world = World::new().await;
    let (exp, now) = (seconds(NOW - 30), seconds(NOW));
    let ahead = |name| LogoutTokenError::Ahead { name, at: seconds(NOW + 31), now };
    let faults = [
        (json!({"iss": null}), MissingClaim("iss")),
        (json!({"iss": 7}), BadClaim("iss")),
        (json!({"aud": null}), MissingClaim("aud")),
        (json!({"aud": [7]}), BadClaim("aud")),
        (json!({"iat": null}), MissingClaim("iat")),
        (json!({"iat": "now"}), BadClaim("iat")),
        (json!({"iat": NOW + 31}), ahead("iat")),
        (json!({"nbf": NOW + 31}), ahead("nbf")),
        (json!({"exp": null}), MissingClaim("exp")),
        (json!({"exp": "later"}), BadClaim("exp")),
        (json!({"exp": NOW - 30}), LogoutTokenError::Expired { exp, now }),
        (json!({"jti": null}), MissingClaim("jti")),
        (json!({"jti": ""}), BadClaim("jti")),
        (json!({"jti": 7}), BadClaim("jti")),
        (json!({"events": null}), LogoutTokenError::OtherEvent),
        (json!({"events": {}}), LogoutTokenError::OtherEvent),
        (json!({"events": [EVENT]}), LogoutTokenError::OtherEvent),
        (json!({"events": EVENT}), LogoutTokenError::OtherEvent),
        (json!({"events": {EVENT: true}}), LogoutTokenError::OtherEvent),
        (
            json!({"events": {"https://schemas.openid.net/event/backchannel-logout": {}}}),
            LogoutTokenError::OtherEvent,
        ),
        (
            json!({"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}}),
            LogoutTokenError::OtherEvent,
        ),
        (json!({"nonce": "n"}), LogoutTokenError::Nonce),
        (json!({"sub": null, "sid": null}), LogoutTokenError::Nobody),
        (json!({"sub": 7}), BadClaim("sub")),
        (json!({"sub": ""}), BadClaim("sub")),
        (json!({"sid": ["s1"]}), BadClaim("sid")),
        (json!({"sid": ""}), BadClaim("sid")),
    ];
    for (change, fault) in faults {
        assert_eq!(signed(&world, &change).await, Err(fault), "{change}");
    }
    for aud in [json!("other"), json!([]), json!("portcullis2"), json!(["portculli"])] {
        let found = signed(&world, &json!({"aud": aud})).await;
        assert!(matches!(found, Err(LogoutTokenError::Audience { .. })), "{aud}: {found:?}");
    }
    for iss in ["https://evil.example".to_owned(), format!("{}/", world.fake.issuer)] {
        let found = signed(&world, &json!({"iss": iss})).await;
        assert!(matches!(found, Err(LogoutTokenError::Issuer(_))), "{iss}: {found:?}");
    }
}

#[tokio::test]
async fn invariant_5_a_logout_token_by_another_key_algorithm_or_type_is_refused() {
    let world = World::new().await;
    let (stranger, claims) = (Signer::es256("k1"), claims(&world));
    let forged = [
        stranger.sign(&claims),
        Signer::es256("k2").sign(&claims),
        Signer::eddsa("k1").sign(&claims),
        format!("{}x", &world.signer.sign(&claims).rsplit_once('.').unwrap().0),
    ];
    for token in &forged[..3] {
        let found = verified(&world, token).await;
        assert!(matches!(found, Err(LogoutTokenError::Signature(_))), "{token}: {found:?}");
    }
    assert!(verified(&world, &forged[3]).await.is_err());
    let none = format!(
        "{}.{}.",
        base64url(br#"{"alg":"none","kid":"k1"}"#),
        base64url(claims.to_string().as_bytes())
    );
    let unsigned =
        Err(LogoutTokenError::Unreadable(JwsError::UnsupportedAlgorithm("none (it is not signed)")));
    assert_eq!(verified(&world, &none).await, unsigned);
    let public = world.signer.jwk["x"].as_str().unwrap();
    let symmetric =
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(public.as_bytes()));
    let symmetric = verified(&world, &symmetric.unwrap()).await;
    assert!(matches!(symmetric, Err(LogoutTokenError::Unreadable(_))), "{symmetric:?}");
    for (typ, good) in [
        (Some("logout+jwt"), true),
        (Some("application/logout+jwt"), true),
        (Some("Logout+JWT"), true),
        (Some("JWT"), true),
        (None, true),
        (Some("at+jwt"), false),
        (Some("secevent+jwt"), false),
        (Some("logout"), false),
    ] {
        let found = verified(&world, &world.signer.sign_with(header(&world, typ), &claims)).await;
        let other = found == Err(LogoutTokenError::OtherType);
        assert!(found.is_ok() == good && other != good, "{typ:?}: {found:?}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway() {
    let world = World::new().await;
    for change in [json!({"iat": NOW + 30, "exp": NOW + 40}), json!({"exp": NOW - 29, "iat": NOW - 100})] {
        assert!(signed(&world, &change).await.is_ok(), "{change}");
    }
}

#[tokio::test]
async fn a_token_without_exp_is_good_where_the_settings_say_so_and_not_for_ever() {
    let lenient = |settings: &mut ProviderSettings| {
        client(settings).logout.without_exp = Some(Duration::from_secs(120));
    };
    let world = World::with(lenient).await;
    let without = |iat: u64| json!({"exp": null, "iat": iat});
    let good = signed(&world, &without(NOW - 100)).await.unwrap();
    assert_eq!(good.good_until, seconds(NOW - 100 + 120 + 30));
    assert!(signed(&world, &without(NOW - 149)).await.is_ok());
    assert_eq!(signed(&world, &without(NOW - 150)).await, Err(LogoutTokenError::TooOld));
    assert_eq!(
        signed(&world, &json!({"exp": null, "iat": null})).await,
        Err(LogoutTokenError::MissingClaim("iat"))
    );
    let long_ago = json!({"iat": NOW - 1000});
    assert_eq!(
        signed(&world, &long_ago).await.unwrap().good_until,
        seconds(NOW + 150),
        "one with exp is good till then"
    );
    let over = signed(&world, &json!({"exp": NOW - 31})).await;
    assert!(matches!(over, Err(LogoutTokenError::Expired { .. })), "{over:?}");
}

#[tokio::test]
async fn without_keys_a_token_is_not_judged() {
    let world = World::new().await;
    *world.keys.document.lock().unwrap() = None;
    assert_eq!(signed(&world, &json!({})).await, Err(LogoutTokenError::KeysUnavailable));
}

#[tokio::test]
async fn invariant_26_forged_tokens_have_the_provider_asked_once_a_cool_down() {
    use std::sync::atomic::Ordering::Relaxed;
    let world = World::new().await;
    assert!(signed(&world, &json!({})).await.is_ok());
    let before = world.keys.fetched.load(Relaxed);
    world.clock.advance(Duration::from_secs(10));
    for number in 0..50 {
        let stranger = Signer::es256(&format!("k{number}"));
        assert!(verified(&world, &stranger.sign(&claims(&world))).await.is_err());
    }
    assert!(world.keys.fetched.load(Relaxed) <= before + 1);
}

#[tokio::test]
async fn the_sender_is_told_by_issuer_and_of_several_registrations_by_audience() {
    let registration = |name: &str, issuer: &str, id: Option<&str>| {
        let mut settings = settings(name, issuer);
        match id {
            Some(id) => client(&mut settings).id = id.into(),
            None => settings.client = None,
        }
        Provider::new(settings, None, Clock::manual(seconds(NOW))).unwrap()
    };
    let providers = Providers::new(vec![
        registration("api", "https://a.example", None),
        registration("first", "https://a.example", Some("one")),
        registration("second", "https://a.example", Some("two")),
        registration("other", "https://b.example", Some("two")),
    ]);
    let signer = Signer::es256("k1");
    for (iss, aud, sender) in [
        ("https://a.example", json!("two"), Some("second")),
        ("https://a.example", json!(["x", "one"]), Some("first")),
        ("https://a.example", json!("three"), Some("first")),
        ("https://b.example", json!("two"), Some("other")),
        ("https://b.example/", json!("two"), None),
        ("https://c.example", json!("one"), None),
    ] {
        let token = signer.sign(&json!({"iss": iss, "aud": aud}));
        let found = providers.sender(&Jws::parse(&token).unwrap()).map(Arc::clone);
        assert_eq!(found.as_ref().map(|found| found.name().as_str()), sender, "{iss} {aud}");
    }
    assert!(providers.sender(&Jws::parse(&signer.sign(&json!({"aud": "one"}))).unwrap()).is_none());
}
