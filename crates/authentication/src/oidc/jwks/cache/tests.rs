//! When the provider is asked, and what holds while it does not answer.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use portcullis_events::{Kind, KindSet, Recorder};
use serde_json::json;

use crate::clock::Clock;
use crate::oidc::jwks::testing::{OTHER_RSA, Provider, RSA, START, Signer};
use crate::oidc::jwks::{Algorithm, JwksCache, Jws, KeyError};

const RS256: Algorithm = Algorithm::RS256;
const HOUR: Duration = Duration::from_secs(3600);
const COOL_DOWN: Duration = Duration::from_secs(10);

fn world() -> (Clock, Arc<Provider>, JwksCache) {
    let (clock, provider) = (Clock::manual(START), Arc::new(Provider::new(&[RSA.jwk("a")])));
    let cache = provider.cache(&clock);
    (clock, provider, cache)
}

/// What comes of a token that is signed by `signer` and says so, or another thing.
async fn verify(
    cache: &JwksCache,
    signer: &Signer,
    (kid, algorithm): (Option<&str>, Algorithm),
) -> Result<(), KeyError> {
    let header = json!({"alg": algorithm.name(), "kid": kid});
    let header = if kid.is_some() { header } else { json!({"alg": algorithm.name()}) };
    let token = signer.jws(algorithm, &header.to_string(), "{}");
    cache.verify(&Jws::parse(&token).unwrap()).await
}

/// Of a token that names `kid`, signed by [`OTHER_RSA`] as `b`, else by [`RSA`].
async fn error(cache: &JwksCache, kid: &str) -> Option<KeyError> {
    let signer = if kid == "b" { &OTHER_RSA } else { &RSA };
    verify(cache, signer, (Some(kid), RS256)).await.err()
}

#[tokio::test]
async fn the_first_token_fetches_the_keys_and_the_next_ones_do_not() {
    let (clock, provider, cache) = world();
    assert!(cache.current().is_empty() && cache.age().is_none());
    for _ in 0..3 {
        assert_eq!(error(&cache, "a").await, None);
    }
    assert_eq!(provider.calls(), 1);
    clock.advance(HOUR);
    assert_eq!(cache.age(), Some(HOUR));
}

#[tokio::test]
async fn invariant_14_a_flood_of_unknown_kids_asks_once_per_cool_down() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    clock.advance(COOL_DOWN);
    for round in 1..=3 {
        for flood in 0..200 {
            assert_eq!(error(&cache, &format!("../../{round}/{flood}")).await, Some(KeyError::Unknown));
        }
        assert_eq!(provider.calls(), 1 + round);
        clock.advance(COOL_DOWN);
    }
    assert_eq!(error(&cache, "a").await, None);
}

#[tokio::test]
async fn the_cool_down_ends_on_its_second() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "x").await, Some(KeyError::Unknown));
    clock.advance(COOL_DOWN - Duration::from_secs(1));
    assert_eq!(error(&cache, "x").await, Some(KeyError::Unknown));
    assert_eq!(provider.calls(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(error(&cache, "x").await, Some(KeyError::Unknown));
    assert_eq!(provider.calls(), 2);
}

#[tokio::test]
async fn many_at_once_wait_for_one_call() {
    let (_, provider, cache) = world();
    provider.open.forget_permits(usize::MAX);
    let asking = join_all((0..50).map(|_| error(&cache, "a")));
    let answering = async {
        provider.begun.acquire().await.unwrap().forget();
        provider.open.add_permits(1);
    };
    let (errors, ()) = tokio::join!(asking, answering);
    assert_eq!((errors, provider.calls()), (vec![None; 50], 1));
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cancel_the_call() {
    let (_, provider, cache) = world();
    provider.open.forget_permits(usize::MAX);
    let mut asking = Box::pin(error(&cache, "a"));
    tokio::select! {
        biased;
        _ = &mut asking => unreachable!("the provider does not answer yet"),
        permit = provider.begun.acquire() => permit.unwrap().forget(),
    }
    drop(asking);
    provider.open.add_permits(1);
    assert_eq!(error(&cache, "a").await, None);
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_while_running_and_a_removed_one_is_gone() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    let generation = cache.generation();
    provider.publish(&[RSA.jwk("a"), OTHER_RSA.jwk("b")]);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "b").await, None);
    assert_eq!(cache.generation(), generation, "nothing was removed");
    provider.publish(&[OTHER_RSA.jwk("b")]);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "c").await, Some(KeyError::Unknown));
    assert_eq!(error(&cache, "a").await, Some(KeyError::Unknown));
    assert_ne!(cache.generation(), generation);
}

#[tokio::test]
async fn new_material_under_an_old_name_is_another_generation() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    let generation = cache.generation();
    provider.publish(&[OTHER_RSA.jwk("a")]);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "x").await, Some(KeyError::Unknown));
    assert_ne!(cache.generation(), generation);
}

#[tokio::test]
async fn keys_are_served_stale_for_a_day_then_fail_closed_and_recover() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    provider.answer_with(None);
    clock.advance(HOUR + 24 * HOUR - Duration::from_secs(1));
    assert_eq!(error(&cache, "a").await, None);
    clock.advance(Duration::from_secs(1));
    assert_eq!(error(&cache, "a").await, Some(KeyError::Unavailable));
    assert!(cache.current().is_empty());
    provider.publish(&[RSA.jwk("a")]);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "a").await, None);
}

#[tokio::test]
async fn what_is_no_key_set_leaves_the_keys_as_they_were() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    for body in ["<html>", "{}", "{\"keys\":0}"] {
        provider.answer_with(Some(body.into()));
        clock.advance(COOL_DOWN);
        assert_eq!(error(&cache, "x").await, Some(KeyError::Unavailable), "it may be a new key");
        assert_eq!(error(&cache, "a").await, None);
    }
    assert_eq!(provider.calls(), 4);
    provider.publish(&[RSA.jwk("a")]);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "x").await, Some(KeyError::Unknown), "now it is known to be none");
}

#[tokio::test]
async fn a_key_that_is_new_just_after_a_fetch_ahead_is_found_at_once() {
    let (_, provider, cache) = world();
    assert_eq!(calls_of_a_loop(&provider, &cache), 1);
    provider.publish(&[RSA.jwk("a"), OTHER_RSA.jwk("b")]);
    assert_eq!(error(&cache, "b").await, None);
    for unknown in ["c", "d", "e"] {
        assert_eq!(error(&cache, unknown).await, Some(KeyError::Unknown));
    }
    assert_eq!(provider.calls(), 2);
}

#[tokio::test]
async fn a_provider_without_usable_keys_has_none() {
    let (_, provider, cache) = world();
    provider.publish(&[]);
    assert_eq!(error(&cache, "a").await, Some(KeyError::Unavailable));
}

#[tokio::test]
async fn max_age_is_kept_within_five_minutes_and_a_day() {
    for (max_age, lifetime) in [(None, 3600), (Some(0), 300), (Some(900), 900), (Some(31_536_000), 86_400)] {
        let mut provider = Provider::new(&[RSA.jwk("a")]);
        provider.max_age = max_age.map(Duration::from_secs);
        let cache = Arc::new(provider).cache(&Clock::manual(START));
        assert_eq!(error(&cache, "a").await, None);
        let life = cache.current().life;
        assert_eq!(life.refresh.since(START).as_secs(), lifetime * 4 / 5);
        assert_eq!(life.closed.since(START).as_secs(), lifetime + 86_400);
    }
}

/// How often the provider was asked once a background loop has gone as far as it can without time.
fn calls_of_a_loop(provider: &Provider, cache: &JwksCache) -> usize {
    assert!(cache.run().now_or_never().is_none(), "it never ends");
    provider.calls()
}

#[tokio::test]
async fn the_background_loop_fetches_at_once_and_again_ahead_of_expiry() {
    let (clock, provider, cache) = world();
    assert_eq!(calls_of_a_loop(&provider, &cache), 1);
    assert_eq!(cache.age(), Some(Duration::ZERO));
    clock.advance(HOUR * 4 / 5 - Duration::from_secs(1));
    assert_eq!(calls_of_a_loop(&provider, &cache), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(calls_of_a_loop(&provider, &cache), 2);
}

#[tokio::test]
async fn the_background_loop_pauses_longer_after_each_failure() {
    let (clock, provider, cache) = world();
    provider.answer_with(None);
    for (calls, pause) in [(1, 20), (2, 40), (3, 80), (4, 160), (5, 300), (6, 300)] {
        assert_eq!(calls_of_a_loop(&provider, &cache), calls);
        clock.advance(Duration::from_secs(pause - 1));
        assert_eq!(calls_of_a_loop(&provider, &cache), calls);
        clock.advance(Duration::from_secs(1));
    }
    provider.publish(&[RSA.jwk("a")]);
    assert_eq!(calls_of_a_loop(&provider, &cache), 7);
    assert_eq!(error(&cache, "a").await, None);
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_nobody_from_asking() {
    let (_, provider, _) = world();
    let later = Clock::manual(START + HOUR);
    let cache = provider.cache(&later);
    assert_eq!(error(&cache, "x").await, Some(KeyError::Unknown));
    assert_eq!(super::elapsed(Some(START + HOUR), START), Duration::MAX);
    assert_eq!(super::elapsed(None, START), Duration::MAX);
    assert_eq!(super::elapsed(Some(START), START + HOUR), HOUR);
}

#[tokio::test]
async fn a_token_without_kid_finds_the_only_fitting_key() {
    let (clock, provider, cache) = world();
    assert_eq!(verify(&cache, &RSA, (None, RS256)).await, Ok(()));
    let ec = Signer::new(Algorithm::ES256);
    provider.publish(&[RSA.jwk("a"), ec.jwk("b")]);
    clock.advance(COOL_DOWN);
    assert_eq!(verify(&cache, &ec, (None, Algorithm::ES256)).await, Ok(()));
    assert_eq!(verify(&cache, &RSA, (Some("b"), RS256)).await, Err(KeyError::WrongAlgorithm));
    assert_eq!(provider.calls(), 2);
}

#[tokio::test]
async fn all_keys_that_could_fit_are_tried() {
    let (_, provider, cache) = world();
    let named = [RSA.jwk("a"), OTHER_RSA.jwk("a")];
    provider.publish(&named);
    for signer in [&*RSA, &*OTHER_RSA] {
        for kid in [Some("a"), None] {
            assert_eq!(verify(&cache, signer, (kid, RS256)).await, Ok(()));
        }
    }
}

#[tokio::test]
async fn a_key_that_is_replaced_without_another_name_is_found_within_the_cool_down() {
    for kid in [Some("a"), None] {
        let (clock, provider, cache) = world();
        assert_eq!(verify(&cache, &RSA, (kid, RS256)).await, Ok(()));
        let new = OTHER_RSA.jwk("a");
        provider.publish(std::slice::from_ref(&new));
        assert_eq!(verify(&cache, &OTHER_RSA, (kid, RS256)).await, Err(KeyError::BadSignature));
        clock.advance(COOL_DOWN);
        assert_eq!(verify(&cache, &OTHER_RSA, (kid, RS256)).await, Ok(()));
        assert_eq!(verify(&cache, &RSA, (kid, RS256)).await, Err(KeyError::BadSignature));
        assert_eq!(provider.calls(), 2);
    }
}

#[tokio::test]
async fn a_key_replaced_by_one_of_another_kind_is_found_too() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    let ec = Signer::new(Algorithm::ES256);
    provider.publish(&[ec.jwk("a")]);
    clock.advance(COOL_DOWN);
    assert_eq!(verify(&cache, &ec, (Some("a"), Algorithm::ES256)).await, Ok(()));
}

#[tokio::test]
async fn invariant_14_a_flood_of_forged_signatures_asks_once_per_cool_down() {
    let (clock, provider, cache) = world();
    for round in 1..=3 {
        for _ in 0..20 {
            let forged = verify(&cache, &OTHER_RSA, (Some("a"), RS256)).await;
            assert_eq!(forged, Err(KeyError::BadSignature));
        }
        assert_eq!(provider.calls(), round);
        clock.advance(COOL_DOWN);
    }
}

/// Polls each once, so that all wait for the provider.
async fn begin(asking: &mut [std::pin::Pin<Box<impl Future>>]) {
    for one in asking {
        assert!(futures_util::poll!(one.as_mut()).is_pending());
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_26_all_who_wait_for_a_provider_that_hangs_end_with_the_one_call() {
    let (clock, provider, cache) = world();
    assert_eq!(error(&cache, "a").await, None);
    clock.advance(COOL_DOWN);
    provider.open.forget_permits(usize::MAX);
    let kids: Vec<_> = (0..30).map(|number| format!("made up {number}")).collect();
    let mut asking: Vec<_> = kids.iter().map(|kid| Box::pin(error(&cache, kid))).collect();
    begin(&mut asking).await;
    let left = asking.split_off(5);
    drop(left);
    provider.begun.acquire_many(2).await.unwrap().forget();
    // The call takes as long as the cool-down, and then the provider says that it is away.
    clock.advance(COOL_DOWN);
    provider.answer_with(None);
    provider.open.add_permits(1);
    assert_eq!(join_all(asking).await, vec![Some(KeyError::Unavailable); 5]);
    provider.open.add_permits(100);
    assert_eq!(error(&cache, "another").await, Some(KeyError::Unavailable));
    assert_eq!(provider.calls(), 2, "the cool-down counts from the end");
    provider.publish(&[RSA.jwk("a"), OTHER_RSA.jwk("b")]);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "b").await, None);
}

#[tokio::test(start_paused = true)]
async fn invariant_26_a_call_that_nobody_waits_for_ends() {
    let (clock, provider, cache) = world();
    provider.open.forget_permits(usize::MAX);
    let mut asking: Vec<_> = (0..30).map(|_| Box::pin(error(&cache, "a"))).collect();
    begin(&mut asking).await;
    drop(asking);
    provider.begun.acquire().await.unwrap().forget();
    let gone = tokio::time::timeout(Duration::from_secs(3600), provider.gone.acquire()).await;
    gone.expect("the call goes on").unwrap().forget();
    // Counted from the end: strangers who come and leave cause no more calls than those who stay.
    provider.open.add_permits(100);
    assert_eq!(error(&cache, "a").await, Some(KeyError::Unavailable));
    assert_eq!(provider.calls(), 1);
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "a").await, None);
}

#[tokio::test]
async fn the_operator_has_the_keys_fetched_whatever_their_age() {
    let (_, provider, cache) = world();
    let mut running = Box::pin(cache.run());
    assert!(futures_util::poll!(running.as_mut()).is_pending());
    for calls in 2..5 {
        cache.fetch_now();
        assert!(futures_util::poll!(running.as_mut()).is_pending());
        assert_eq!(provider.calls(), calls);
    }
}

#[tokio::test]
async fn other_keys_are_told_and_keys_that_cannot_be_had() {
    let (clock, provider, cache) = world();
    let recorder = Recorder::new(0, clock.clone(), 0);
    recorder.want(KindSet::ALL, false);
    cache.record_to(&recorder);
    let told = || {
        let mut told = Vec::new();
        recorder.sweep(|block| told.extend(block.heads().iter().map(|head| head.kind)));
        told
    };
    assert_eq!(error(&cache, "a").await, None);
    assert_eq!(told(), [], "the first keys are no others");
    clock.advance(COOL_DOWN);
    assert_eq!(error(&cache, "b").await, Some(KeyError::Unknown));
    assert_eq!(told(), [], "nor are the same ones");
    clock.advance(COOL_DOWN);
    provider.publish(&[RSA.jwk("a"), OTHER_RSA.jwk("b")]);
    assert_eq!(error(&cache, "b").await, None);
    assert_eq!(told(), [Kind::ProviderKeysChanged]);
    provider.answer_with(None);
    for _ in 0..3 {
        clock.advance(COOL_DOWN);
        assert_eq!(error(&cache, "c").await, Some(KeyError::Unavailable));
    }
    assert_eq!(told(), [Kind::ProviderLost], "once");
    clock.advance(COOL_DOWN);
    provider.publish(&[RSA.jwk("a")]);
    assert_eq!(error(&cache, "c").await, Some(KeyError::Unknown));
    assert_eq!(told(), [Kind::ProviderKeysChanged, Kind::ProviderBack]);
}
