//! Tokens that are fetched (RFC 8936).

use serde_json::json;

use super::Rig;
use crate::support::until_async;

const POLL: &str = "delivery = \"poll\"\n";

#[tokio::test]
async fn a_fetched_token_takes_effect_and_is_acknowledged() {
    let rig = Rig::open(POLL).await;
    let (alice, bob) = (rig.signed_in("alice", None).await, rig.signed_in("bob", None).await);
    let id = rig.transmitter.offer(&rig.claims(&json!({})));
    until_async("an end", || async { !rig.is_in(&alice).await }).await;
    until_async("an acknowledgement", || async { rig.transmitter.state().acknowledged.contains(&id) }).await;
    assert!(rig.is_in(&bob).await);
    let polls = rig.transmitter.calls("POST /poll");
    assert!(
        polls.iter().all(|poll| poll["returnImmediately"] == false && poll["maxEvents"] == 50),
        "{polls:?}"
    );
    // Whoever has been told of it sends it once more: it is acknowledged, and ends nothing again.
    assert!(rig.counted("session-revoked", "ended").await.ends_with(" 1"));
}

#[tokio::test]
async fn tokens_that_are_no_good_are_told_apart_from_those_that_are() {
    let rig = Rig::open(POLL).await;
    let alice = rig.signed_in("alice", None).await;
    let foreign = rig.transmitter.offer(&rig.claims(&json!({"aud": "receiver-2"})));
    let two = json!({"events": {"urn:a": {}, "urn:b": {}}});
    let two = rig.transmitter.offer(&rig.claims(&two));
    let good = rig.transmitter.offer(&rig.claims(&json!({"sub_id": {"format": "opaque", "id": "nobody's"}})));
    until_async("all answers", || async {
        let state = rig.transmitter.state();
        state.refused.len() == 2 && state.acknowledged.contains(&good)
    })
    .await;
    {
        let state = rig.transmitter.state();
        assert_eq!(state.refused[&foreign]["err"], "invalid_audience");
        assert_eq!(state.refused[&two]["err"], "invalid_request");
        assert!(state.queue.is_empty() && !state.acknowledged.contains(&foreign));
    }
    assert!(rig.is_in(&alice).await);
}

/// A power loss at any moment between the token and its acknowledgement loses nothing.
#[tokio::test]
async fn invariant_23_a_fetched_signal_is_acknowledged_after_it_is_kept_whenever_the_process_is_killed() {
    let mut rig = Rig::open(POLL).await;
    for round in 0..3 {
        let alice = crate::support::Browser::new();
        rig.issuer.now(|ways| ways.id_token = json!({"sub": "alice"}));
        until_async("a new sign-in", || async { alice.visit(&rig.gateway.url("/")).await.status == 200 })
            .await;
        let id = rig.transmitter.offer(&rig.claims(&json!({})));
        rig.gateway.kill();
        let acknowledged = rig.transmitter.state().acknowledged.contains(&id);
        rig.gateway.start_again();
        if acknowledged {
            assert!(!rig.is_in(&alice).await, "round {round}: acknowledged, so it was kept");
        }
        until_async("an end", || async { !rig.is_in(&alice).await }).await;
        until_async("an acknowledgement", || async { rig.transmitter.state().acknowledged.contains(&id) })
            .await;
    }
}
