//! Tokens that are sent (RFC 8935).

use serde_json::json;

use super::{Rig, accepted, refused};
use crate::support::{Browser, until_async};

#[tokio::test]
async fn a_revoked_session_is_out_with_the_answer_to_the_signal() {
    let rig = Rig::open("").await;
    let (alice, again) = (rig.signed_in("alice", Some("s1")).await, rig.signed_in("alice", Some("s2")).await);
    let bob = rig.signed_in("bob", Some("s3")).await;
    rig.pushed(&json!({"sub_id": {"format": "opaque", "id": "s1"}})).await;
    assert!(!rig.is_in(&alice).await && rig.is_in(&again).await && rig.is_in(&bob).await);
    rig.pushed(&json!({})).await;
    assert!(!rig.is_in(&again).await && rig.is_in(&bob).await);
    rig.pushed(&json!({"sub_id": {"format": "email", "email": "Bob@Corp.example"}})).await;
    assert!(!rig.is_in(&bob).await);
    assert!(rig.counted("session-revoked", "ended").await.ends_with(" 3"));
    let line = rig.logs("\"signal\":\"verification\"").await;
    assert!(line.contains("\"transmitter\":\"corp\"") && line.contains("signal.received"), "{line}");
}

#[tokio::test]
async fn a_token_that_is_sent_twice_is_answered_202_twice_and_ends_nothing_again() {
    let rig = Rig::open("").await;
    rig.signed_in("alice", None).await;
    let token = rig.transmitter.sign(&rig.claims(&json!({})));
    accepted(&rig.transmitter.push(&token).await, &rig.gateway);
    let alice = Browser::new();
    until_async("a new sign-in", || async { alice.visit(&rig.gateway.url("/")).await.status == 200 }).await;
    accepted(&rig.transmitter.push(&token).await, &rig.gateway);
    assert!(rig.is_in(&alice).await);
    assert!(rig.counted("session-revoked", "repeated").await.ends_with(" 1"));
}

#[tokio::test]
async fn nobody_but_the_transmitter_may_send() {
    let rig = Rig::open("").await;
    let alice = rig.signed_in("alice", None).await;
    let (token, secret) = (rig.transmitter.sign(&rig.claims(&json!({}))), rig.authorization());
    assert!(secret.starts_with("Bearer ") && secret.len() > 40);
    let media = ("content-type", "application/secevent+jwt");
    refused("nothing shown", &rig.post(&[media], &token).await, "authentication_failed");
    for shown in ["Bearer x", &secret[..secret.len() - 1], &format!("{secret}x"), "Basic eDp5"] {
        let answer = rig.post(&[media, ("authorization", shown)], &token).await;
        refused(shown, &answer, "authentication_failed");
    }
    let right = ("authorization", secret.as_str());
    let elsewhere = rig.post(&[media, right, ("host", "elsewhere.example")], &token).await;
    assert_eq!(elsewhere.status, 404, "it is on the host of public_url alone");
    let url = rig.gateway.url("/.portcullis/signals");
    for unknown in ["", "/", "/other", "/corp/x"] {
        let answer = Browser::new()
            .send(http::Method::POST, &format!("{url}{unknown}"), &[media, right], &token)
            .await;
        assert_eq!(answer.status, 404, "{unknown}");
    }
    assert_eq!(Browser::new().get(&format!("{url}/corp")).await.status, 405);
    assert!(rig.is_in(&alice).await);
    accepted(&rig.post(&[media, right], &token).await, &rig.gateway);
    assert!(!rig.is_in(&alice).await);
}
