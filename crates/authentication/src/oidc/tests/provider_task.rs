use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;

use super::fake::{Answer, Fake};
use super::signer::Signer;
use super::world::{NOW, redirect_uri, settings};
use crate::clock::{Clock, Timestamp};
use crate::oidc::jwks::{Jws, KeyError};
use crate::oidc::*;

async fn verify(member: &ProviderTask, signer: &Signer) -> Result<(), KeyError> {
    member.keys.verify(&Jws::parse(&signer.sign(&json!({}))).unwrap()).await
}

fn member(fake: &Fake, clock: &Clock) -> Arc<ProviderTask> {
    let settings = settings("corp", &fake.issuer);
    ProviderTask::start(settings, Some(redirect_uri()), clock.clone(), &Handle::current()).unwrap()
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(NOW))
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

#[tokio::test]
async fn metadata_and_keys_are_found_without_anybody_asking() {
    let fake = Fake::start().await;
    let signer = Signer::es256("k1");
    fake.json("/jwks", 200, &json!({"keys": [signer.jwk]}));
    let member = member(&fake, &clock());
    until(|| !member.keys.current().is_empty()).await;
    assert_eq!(verify(&member, &signer).await, Ok(()));
    assert!(matches!(member.provider.status(), ProviderStatus::Ready { .. }));
    assert_eq!(fake.calls("/jwks").len(), 1);
}

#[tokio::test]
async fn a_member_that_leaves_stops_asking() {
    let fake = Fake::start().await;
    let member = member(&fake, &clock());
    until(|| matches!(member.provider.status(), ProviderStatus::Ready { .. })).await;
    let (provider, keys) = (Arc::downgrade(&member.provider), Arc::downgrade(&member.keys));
    drop(member);
    until(|| provider.strong_count() + keys.strong_count() == 0).await;
}

#[tokio::test]
async fn the_first_token_finds_a_provider_that_has_come_back() {
    let fake = Fake::start().await;
    let away = Answer::Reply(503, "text/plain", String::new());
    fake.answer("/.well-known/openid-configuration", away.clone());
    let clock = clock();
    let member = member(&fake, &clock);
    let failed = || matches!(member.provider.status(), ProviderStatus::Unavailable { reason, .. } if reason.contains("503"));
    until(failed).await;
    let signer = Signer::es256("k1");
    assert_eq!(verify(&member, &signer).await, Err(KeyError::Unavailable));
    fake.discovery(&fake.document());
    fake.json("/jwks", 200, &json!({"keys": [signer.jwk]}));
    // Both cool-downs: the provider's is told by tokio's time, the keys' by the clock.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3)).await;
    tokio::time::resume();
    clock.advance(Duration::from_secs(10));
    assert_eq!(verify(&member, &signer).await, Ok(()));
}

#[tokio::test]
async fn the_providers_max_age_is_heard() {
    for (control, lifetime) in [
        ("public, max-age=600", 600),
        ("Max-Age=\"600\" , must-revalidate", 600),
        ("no-cache", 3600),
        ("max-age=soon", 3600),
        ("s-maxage=600", 3600),
    ] {
        let fake = Fake::start().await;
        let keys = json!({"keys": [Signer::es256("k1").jwk]}).to_string();
        fake.answer("/jwks", Answer::Cached(control, keys));
        let member = member(&fake, &clock());
        until(|| !member.keys.current().is_empty()).await;
        let trusted = member.keys.current().trusted_until().since(Timestamp::from_seconds(NOW));
        assert_eq!(trusted.as_secs(), lifetime + 24 * 3600, "{control}");
    }
}

#[tokio::test]
async fn sign_in_reads_the_keys_of_the_member() {
    let fake = Fake::start().await;
    let old = Signer::es256("old");
    fake.json("/jwks", 200, &json!({"keys": [old.jwk]}));
    let member = member(&fake, &clock());
    until(|| !member.keys.current().is_empty()).await;
    let new = Signer::es256("new");
    fake.json("/jwks", 200, &json!({"keys": [new.jwk]}));
    let departure = member.provider.begin(AuthenticationRequest::default()).unwrap();
    let parameter = |name| super::world::parameter(&departure.location, name);
    let claims = json!({
        "iss": fake.issuer, "sub": "u1", "aud": "portcullis", "exp": NOW + 300, "iat": NOW,
        "nonce": parameter("nonce"), "preferred_username": "alice", "email": "a@x", "groups": [],
    });
    let tokens = json!({"access_token": "a", "token_type": "Bearer", "id_token": new.sign(&claims)});
    fake.json("/token", 200, &tokens);
    let callback = CallbackParameters {
        code: Some(crate::secret::Secret::new("c")),
        state: parameter("state"),
        iss: Some(fake.issuer.clone()),
        ..CallbackParameters::default()
    };
    let signed_in = member.provider.finish(&departure.flow, callback).await.unwrap();
    assert_eq!(signed_in.principal.user, "alice");
    assert_eq!(fake.calls("/jwks").len(), 2, "an unknown key is looked for once");
}
