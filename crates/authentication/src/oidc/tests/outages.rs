//! A provider that was there and is no more, wholly or in part, and comes back.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;

use super::fake::{Answer, Fake};
use super::signer::Signer;
use super::world::{NOW, World, redirect_uri, settings};
use crate::clock::{Clock, Timestamp};
use crate::oidc::*;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

fn broken(status: u16) -> Answer {
    Answer::Reply(status, "text/plain", String::new())
}

/// Lets background tasks go on until `done`.
async fn until(done: impl Fn() -> bool) {
    let turns = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), turns).await.unwrap();
}

/// Moves tokio's time while no socket is waited for.
async fn pass(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

fn is_ready(provider: &Provider) -> bool {
    matches!(provider.status(), ProviderStatus::Ready { .. })
}

fn is_away(provider: &Provider) -> bool {
    matches!(provider.status(), ProviderStatus::Unavailable { .. })
}

fn is_failing(provider: &Provider, told: &str) -> bool {
    matches!(provider.status(), ProviderStatus::Failing { reason, .. } if reason.contains(told))
}

#[tokio::test]
async fn an_outage_is_noticed_within_two_minutes_without_anybody_signing_in_and_so_is_its_end() {
    let world = World::undiscovered(|_| {}).await;
    let task = tokio::spawn(Arc::clone(&world.provider).run());
    until(|| is_ready(&world.provider)).await;
    world.fake.answer(WELL_KNOWN, broken(503));
    world.clock.advance(Duration::from_secs(90));
    pass(Duration::from_secs(90)).await;
    until(|| is_away(&world.provider)).await;
    let ProviderStatus::Unavailable { since, reason } = world.provider.status() else { unreachable!() };
    assert_eq!(since, Timestamp::from_seconds(NOW + 90));
    assert!(reason.contains("got 503"), "{reason}");
    assert_eq!(world.provider.failures(ProviderEndpoint::Metadata), 1);
    world.fake.discovery(&world.fake.document());
    pass(Duration::from_secs(2)).await;
    until(|| is_ready(&world.provider)).await;
    task.abort();
}

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_is_away_and_who_asks_a_second_after_its_return_is() {
    let world = World::new().await;
    world.fake.answer(WELL_KNOWN, broken(500));
    let task = tokio::spawn(Arc::clone(&world.provider).run());
    pass(Duration::from_secs(90)).await;
    until(|| is_away(&world.provider)).await;
    // The pause between probes grows, and is over a second by now.
    for _ in 0..4 {
        pass(Duration::from_secs(20)).await;
        assert!(world.provider.retry_now().await.is_err());
    }
    world.fake.discovery(&world.fake.document());
    pass(Duration::from_secs(1)).await;
    assert_eq!(world.provider.retry_now().await, Ok(()));
    assert!(is_ready(&world.provider));
    task.abort();
}

#[tokio::test]
async fn a_call_that_fails_counts_and_has_the_metadata_looked_at_until_one_succeeds() {
    let world = World::undiscovered(|_| {}).await;
    let task = tokio::spawn(Arc::clone(&world.provider).run());
    until(|| is_ready(&world.provider)).await;
    let before = world.fake.calls(WELL_KNOWN).len();
    let departure = world.begin();
    world.fake.answer("/token", broken(502));
    let lost = world.provider.finish(&departure.flow, world.callback(&departure)).await;
    assert!(matches!(lost, Err(SignInError::Provider(ProviderError::Http(_)))), "{lost:?}");
    assert!(is_failing(&world.provider, "/token: expected status 200, got 502"));
    assert_eq!(world.provider.failures(ProviderEndpoint::Token), 1);
    pass(Duration::from_secs(2)).await;
    until(|| world.fake.calls(WELL_KNOWN).len() > before).await;
    assert!(
        is_failing(&world.provider, "/token"),
        "that the metadata answer says nothing of the token endpoint"
    );
    world.sign_in(|_| {}).await.unwrap();
    assert!(is_ready(&world.provider));
    task.abort();
}

#[tokio::test]
async fn the_failure_of_a_call_that_nobody_makes_any_more_is_forgotten() {
    let world = World::new().await;
    world.fake.answer("/token", broken(502));
    let departure = world.begin();
    let _ = world.provider.finish(&departure.flow, world.callback(&departure)).await;
    world.clock.advance(Duration::from_secs(119));
    assert!(is_failing(&world.provider, "/token"));
    world.clock.advance(Duration::from_secs(1));
    assert!(is_ready(&world.provider));
}

#[tokio::test]
async fn what_a_single_person_is_refused_says_nothing_about_the_provider() {
    let world = World::new().await;
    let departure = world.begin();
    for answer in [
        Answer::Reply(400, "application/json", json!({"error": "invalid_grant"}).to_string()),
        Answer::Reply(401, "application/json", json!({"error": "invalid_client"}).to_string()),
        Answer::Reply(400, "text/html", "<html>".into()),
    ] {
        world.fake.answer("/token", answer);
        assert!(world.provider.finish(&departure.flow, world.callback(&departure)).await.is_err());
        assert!(is_ready(&world.provider));
    }
    assert_eq!(
        world.provider.failures(ProviderEndpoint::Token),
        1,
        "that it does not know us is no person's fault"
    );
}

#[tokio::test]
async fn metadata_that_become_unreadable_are_told_and_the_ones_before_stay_good() {
    let world = World::undiscovered(|_| {}).await;
    let task = tokio::spawn(Arc::clone(&world.provider).run());
    until(|| is_ready(&world.provider)).await;
    for (answer, told) in [
        (broken(429), "429"),
        (Answer::Reply(200, "text/html", "<html>".into()), "HTML"),
        (
            Answer::Reply(200, "application/json", json!({"issuer": "https://other.example"}).to_string()),
            "issuer",
        ),
    ] {
        world.fake.answer(WELL_KNOWN, answer);
        pass(Duration::from_secs(90)).await;
        until(|| is_failing(&world.provider, told)).await;
        assert_eq!(world.provider.retry_now().await, Ok(()));
        assert!(world.provider.begin(AuthenticationRequest::default()).is_ok());
    }
    task.abort();
}

/// The keys' own pause after failures is long by then, and the clock that measures it stands still.
#[tokio::test]
async fn keys_are_fetched_as_soon_as_the_metadata_are_back() {
    let fake = Fake::start().await;
    fake.json("/jwks", 200, &json!({"keys": [Signer::es256("k1").jwk]}));
    fake.answer(WELL_KNOWN, broken(503));
    let clock = Clock::manual(Timestamp::from_seconds(NOW));
    let settings = settings("corp", &fake.issuer);
    let member = ProviderTask::start(settings, Some(redirect_uri()), clock, &Handle::current()).unwrap();
    until(|| matches!(member.provider.status(), ProviderStatus::Unavailable { reason, .. } if reason.contains("503"))).await;
    until(|| member.keys.is_failing()).await;
    fake.discovery(&fake.document());
    pass(Duration::from_secs(1)).await;
    assert_eq!(member.provider.retry_now().await, Ok(()));
    pass(Duration::from_secs(1)).await;
    until(|| !member.keys.current().is_empty()).await;
}

#[tokio::test]
async fn keys_that_cannot_be_had_make_a_provider_that_fails() {
    let fake = Fake::start().await;
    fake.answer("/jwks", broken(500));
    let clock = Clock::manual(Timestamp::from_seconds(NOW));
    let settings = settings("corp", &fake.issuer);
    let member = ProviderTask::start(settings, Some(redirect_uri()), clock, &Handle::current()).unwrap();
    until(|| is_failing(&member.provider, "/jwks")).await;
    fake.json("/jwks", 200, &json!({"keys": [Signer::es256("k1").jwk]}));
    pass(Duration::from_secs(90)).await;
    until(|| is_ready(&member.provider)).await;
}
