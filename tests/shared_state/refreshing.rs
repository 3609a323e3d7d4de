//! One refresh over all replicas.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{REPLICAS, Replicas};
use crate::support::{Browser, PATIENCE, Provider, logged, told, until_async};

/// Somebody who is signed in on the wiki, and whose access token is over.
async fn with_an_old_token(world: &Replicas, provider: &Provider) -> Browser {
    provider.control("lifetime?s=1").await;
    let browser = Browser::new();
    let ticket = browser.stop_before(&world.at("wiki", "/"), "/.portcullis/ticket").await;
    assert_eq!(browser.get(ticket.as_str()).await.status, 303);
    provider.control("lifetime?s=3600").await;
    let begun = Instant::now();
    until_async("the token to be over", || async { begun.elapsed() > Duration::from_secs(2) }).await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_at_expiry_over_three_replicas_cause_one_refresh_and_none_fails() {
    let (world, provider) = Replicas::with_provider().await;
    let browser = with_an_old_token(&world, &provider).await;
    let before = provider.asked("/token").await;
    let urls: Vec<_> = (0..100).map(|n| world.at("wiki", &format!("/{n}"))).collect();
    let answers = join_all(urls.iter().map(|url| browser.get(url))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "failures: 0");
    let tokens: Vec<_> = answers.iter().flat_map(|answer| told(answer, "authorization")).collect();
    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| token == &tokens[0]), "all have the new one");
    assert_eq!(provider.asked("/token").await - before, 1);
    for gateway in 0..REPLICAS {
        world.lead_to(gateway);
        let answer = browser.get(&urls[0]).await;
        assert_eq!(told(&answer, "authorization"), tokens[..1], "and it stays");
    }
    assert_eq!(provider.asked("/token").await - before, 1);
}

/// 'Lock shorter than the token call': a provider that takes longer than the lease lasts is not asked by another replica
/// meanwhile, who would spend a token that is spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_longer_than_the_lease_lasts_is_called_once() {
    let (world, provider) = Replicas::with_provider().await;
    let browser = with_an_old_token(&world, &provider).await;
    let before = provider.asked("/token").await;
    // The lease lasts ten seconds.
    provider.control("slow?s=12").await;
    let urls: Vec<_> = (0..9).map(|n| world.at("wiki", &format!("/{n}"))).collect();
    let answers = join_all(urls.iter().map(|url| browser.get(url))).await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200; 9]);
    assert_eq!(provider.asked("/token").await - before, 1);
}

/// The provider has answered, and the old token is spent: what it gave is kept until the store takes it.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_come_while_the_store_is_away_are_stored_when_it_is_back() {
    let (mut world, provider) = Replicas::with_provider().await;
    let browser = with_an_old_token(&world, &provider).await;
    let before = provider.asked("/token").await;
    let url = world.at("wiki", "/");
    world.lead_to(0);
    provider.control("slow?s=6").await;
    let (asking, asked) = (browser.clone(), url.clone());
    let first = tokio::spawn(async move { asking.get(&asked).await });
    until_async("the lease", || async { !world.redis.cli(&["KEYS", "*lease*"]).is_empty() }).await;
    world.redis.kill();
    logged(&world.gateways[0], "refreshed tokens could not be stored");
    assert_eq!(first.await.unwrap().status, 503, "an expired token goes to no app, and nobody is signed out");
    assert_eq!(browser.get(&url).await.status, 503);
    world.redis.restart();
    for gateway in 0..REPLICAS {
        world.lead_to(gateway);
        until_async("the new token", || async { browser.get(&url).await.status == 200 }).await;
    }
    assert_eq!(provider.asked("/token").await - before, 1);
}

/// A replica that dies while it refreshes holds the others up for as long as its lease lasts.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_while_it_refreshes_is_followed_by_another() {
    let (mut world, provider) = Replicas::with_provider().await;
    let browser = with_an_old_token(&world, &provider).await;
    provider.signal("STOP");
    world.lead_to(0);
    let (asking, url) = (browser.clone(), world.at("wiki", "/"));
    let lost = tokio::spawn(async move { asking.get(&url).await });
    until_async("the lease", || async { !world.redis.cli(&["KEYS", "*lease*"]).is_empty() }).await;
    world.gateways[0].kill();
    assert!(lost.await.is_err(), "it broke off");
    provider.signal("CONT");
    world.lead_to(1);
    let answer = tokio::time::timeout(PATIENCE, browser.get(&world.at("wiki", "/"))).await.unwrap();
    // The provider may have spent the token for the one that died: then it says so, and the person signs in anew.
    assert!(matches!(answer.status, 200 | 302), "{}: {}", answer.status, answer.body);
}
