//! Tokens that nobody should believe, and what nobody should read.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};

use super::{Rig, refused, unsettled};
use crate::support::{Browser, Impostor, Transmitter, caep};

const MEDIA: (&str, &str) = ("content-type", "application/secevent+jwt");

#[tokio::test]
async fn invariant_5_forged_and_foreign_signals_do_nothing() {
    let rig = Rig::open("").await;
    let alice = rig.signed_in("alice", Some("s1")).await;
    let now = jsonwebtoken::get_current_timestamp();
    let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    for (what, changes, code) in [
        ("another transmitter", json!({"iss": "https://evil.example"}), "invalid_issuer"),
        ("the provider itself", json!({"iss": rig.issuer.issuer()}), "invalid_issuer"),
        ("another receiver", json!({"aud": "receiver-2"}), "invalid_audience"),
        ("without audience", json!({"aud": null}), "invalid_request"),
        ("from the future", json!({"iat": now + 3600}), "invalid_request"),
        ("without jti", json!({"jti": null}), "invalid_request"),
        ("about nobody", json!({"sub_id": null}), "invalid_request"),
        ("two events", json!({"events": {revoked: {}, "urn:other": {}}}), "invalid_request"),
        ("no event", json!({"events": {}}), "invalid_request"),
        ("an unknown state", verification("not-ours"), "invalid_state"),
    ] {
        refused(what, &rig.transmitter.push(&rig.transmitter.sign(&rig.claims(&changes))).await, code);
    }
    let claims = rig.claims(&json!({}));
    let stranger = Transmitter::start().await;
    refused("a stranger's key", &rig.transmitter.push(&stranger.sign(&claims)).await, "invalid_key");
    let mut head = Header::new(Algorithm::ES256);
    head.kid = Some("k1".into());
    head.typ = Some("secevent+jwt".into());
    let by_provider = rig.issuer.sign(&head, &claims);
    unsettled("the provider's key", &rig.transmitter.push(&by_provider).await);
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(json!({"alg": "none", "typ": "secevent+jwt"})), part(claims));
    refused("alg: none", &rig.transmitter.push(&none).await, "invalid_request");
    let logout = rig.issuer.logout_token(&json!({}));
    unsettled("a logout token", &rig.transmitter.push(&logout).await);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let signal = format!("logout_token={}", rig.transmitter.sign(&rig.claims(&json!({}))));
    let url = rig.gateway.url("/.portcullis/back-channel-logout");
    assert_eq!(
        Browser::new().send(http::Method::POST, &url, &form, &signal).await.status,
        400,
        "a signal as a logout token"
    );
    assert!(rig.is_in(&alice).await);
    assert!(rig.counted("", "wrong-audience").await.ends_with(" 1"));
    assert!(rig.counted("verification", "wrong-state").await.ends_with(" 1"));
    let line = rig.logs("aud: expected receiver-1, got receiver-2").await;
    assert!(line.contains("signal.refused"), "{line}");
    rig.pushed(&json!({})).await;
    assert!(!rig.is_in(&alice).await);
}

fn verification(state: &str) -> Value {
    let event = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    json!({"events": {event: {"state": state}}, "sub_id": {"format": "opaque", "id": "stream-1"}})
}

#[tokio::test]
async fn a_body_that_is_no_token_is_refused() {
    let rig = Rig::open("").await;
    let alice = rig.signed_in("alice", None).await;
    let (token, secret) = (rig.transmitter.sign(&rig.claims(&json!({}))), rig.authorization());
    let right = ("authorization", secret.as_str());
    for (what, headers, body) in [
        ("no type", vec![right], token.clone()),
        ("another type", vec![right, ("content-type", "application/jwt")], token.clone()),
        (
            "a form",
            vec![right, ("content-type", "application/x-www-form-urlencoded")],
            format!("token={token}"),
        ),
        ("nothing", vec![right, MEDIA], String::new()),
        ("junk", vec![right, MEDIA], "a.b.c".into()),
        ("two tokens", vec![right, MEDIA], format!("{token}\n{token}")),
        ("a long body", vec![right, MEDIA], "A".repeat(64 * 1024 + 1)),
        ("a token with much behind it", vec![right, MEDIA], format!("{token}{}", "A".repeat(64 * 1024))),
    ] {
        refused(what, &rig.post(&headers, &body).await, "invalid_request");
    }
    assert!(rig.is_in(&alice).await);
}

/// What has no secret is compared and forgotten: it is not read, asks the transmitter for nothing and is not counted by who
/// sends it.
#[tokio::test]
async fn invariant_14_a_flood_of_junk_and_forged_tokens_costs_the_transmitter_one_call() {
    let rig = Rig::open("").await;
    rig.signed_in("alice", None).await;
    let before = rig.transmitter.calls("GET /jwks").len();
    let junk = "A".repeat(60_000);
    for _ in 0..100 {
        refused("junk", &rig.post(&[MEDIA], &junk).await, "authentication_failed");
    }
    let stranger = Impostor::start().await;
    let mut head = Header::new(Algorithm::ES256);
    head.typ = Some("secevent+jwt".into());
    for number in 0..100 {
        head.kid = Some(format!("unknown-{number}"));
        let token = stranger.sign(&head, &rig.claims(&json!({})));
        unsettled("a forged one", &rig.transmitter.push(&token).await);
    }
    assert!(rig.transmitter.calls("GET /jwks").len() <= before + 1);
}

/// Of its own provider's sessions, whatever it says whose they are.
#[tokio::test]
async fn a_transmitter_touches_sessions_of_its_own_provider_alone() {
    let partner = Impostor::start().await;
    let table = partner.configuration().replace("[providers.corp]", "[providers.partner]");
    let rig = Rig::with("", &table).await;
    let theirs = Browser::new();
    partner.now(|ways| ways.id_token = json!({"sub": "alice", "sid": "s1"}));
    theirs.visit(&rig.gateway.url("/.portcullis/sign-in?provider=partner")).await;
    assert!(rig.is_in(&theirs).await, "{}", rig.gateway.log());
    let email = json!({"format": "email", "email": "alice@corp.example"});
    for subject in [
        json!({"format": "iss_sub", "iss": partner.issuer(), "sub": "alice"}),
        json!({"format": "opaque", "id": "s1"}),
        email.clone(),
        json!({"format": "account", "uri": "acct:alice"}),
        json!({"format": "complex", "user": email}),
    ] {
        rig.pushed(&json!({"sub_id": subject})).await;
        let risk = caep("risk-level-change", json!({"current_level": "HIGH"}));
        rig.pushed(&json!({"sub_id": subject, "events": risk})).await;
        assert!(rig.is_in(&theirs).await, "{subject}");
    }
    assert!(rig.counted("session-revoked", "no-such-subject").await.ends_with(" 1"));
}
