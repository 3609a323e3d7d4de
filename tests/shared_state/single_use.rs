//! Tickets, sign-ins that come back, and logout tokens: what one replica has seen, the others have.

use http::Method;
use serde_json::json;

use super::{REPLICAS, Replicas};
use crate::support::{Answer, Browser, Impostor, answered, until_async};

fn has_session(answer: &Answer) -> bool {
    answer.set_cookies().iter().any(|cookie| cookie.starts_with("portcullis="))
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_6_a_ticket_of_one_replica_is_good_once_on_another() {
    let (world, _provider) = Replicas::with_provider().await;
    let (browser, page) = (Browser::new(), world.at("wiki", "/page?a=%26"));
    world.lead_to(0);
    let ticket = browser.stop_before(&page, "/.portcullis/ticket").await;
    let hop = browser.cookie_names(ticket.as_str()).into_iter().find(|name| name.contains("hop")).unwrap();
    let secret = browser.cookie(ticket.as_str(), &hop).unwrap();
    world.lead_to(1);
    let answer = browser.get(ticket.as_str()).await;
    assert!(answer.status == 303 && has_session(&answer), "{}", answer.body);
    assert_eq!(answer.next().as_deref(), Some(page.as_str()));
    for gateway in 0..REPLICAS {
        world.lead_to(gateway);
        assert_eq!(browser.get(&page).await.status, 200, "the session is good on replica {gateway}");
        let thief = Browser::new();
        thief.set_cookie(ticket.as_str(), &hop, &secret);
        let again = thief.get(ticket.as_str()).await;
        assert!(again.status == 400 && !has_session(&again), "{gateway}: {}", again.body);
        let line = answered(&world.gateways[gateway], again.header("x-request-id"));
        assert!(line.contains("the ticket is not good here, was used"), "{line}");
    }
}

/// Of many who bring one ticket to all replicas at once, one gets a session.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_6_a_ticket_that_is_brought_to_all_replicas_at_once_makes_one_session() {
    let (world, _provider) = Replicas::with_provider().await;
    let browser = Browser::new();
    let ticket = browser.stop_before(&world.at("wiki", "/"), "/.portcullis/ticket").await;
    let hop = browser.cookie_names(ticket.as_str()).into_iter().find(|name| name.contains("hop")).unwrap();
    let secret = browser.cookie(ticket.as_str(), &hop).unwrap();
    let bring = || async {
        let copy = Browser::new();
        copy.set_cookie(ticket.as_str(), &hop, &secret);
        has_session(&copy.get(ticket.as_str()).await)
    };
    let made = futures_util::future::join_all((0..30).map(|_| bring())).await;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_6_a_sign_in_that_came_back_to_one_replica_comes_back_to_no_other() {
    let (world, provider) = Replicas::with_provider().await;
    let browser = Browser::new();
    world.lead_to(0);
    let callback = browser.stop_before(&world.at("login", "/x"), "/.portcullis/callback").await;
    let names = browser.cookie_names(callback.as_str());
    let flows: Vec<_> =
        names.iter().map(|name| (name, browser.cookie(callback.as_str(), name).unwrap())).collect();
    world.lead_to(1);
    let answer = browser.get(callback.as_str()).await;
    assert!(answer.status == 303 && has_session(&answer), "another replica opens its flow: {}", answer.body);
    assert_eq!(provider.asked("/token").await, 1);
    for gateway in 0..REPLICAS {
        world.lead_to(gateway);
        let thief = Browser::new();
        flows.iter().for_each(|(name, value)| thief.set_cookie(callback.as_str(), name, value));
        let again = thief.get(callback.as_str()).await;
        assert!(!has_session(&again), "{gateway}: {}", again.body);
        let line = answered(&world.gateways[gateway], again.header("x-request-id"));
        assert!(line.contains("has come back before"), "{line}");
    }
    assert_eq!(provider.asked("/token").await, 1, "and nobody makes us call the provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_token_that_one_replica_has_accepted_is_a_replay_on_the_others() {
    let issuer = Impostor::start().await;
    let route = "[[routes]]\nname = \"home\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n";
    let world = Replicas::start(|_| format!("{}\n{route}", issuer.configuration())).await;
    issuer.now(|ways| ways.id_token = json!({"sub": "alice", "sid": "s1"}));
    let browser = Browser::new();
    assert_eq!(browser.visit(&world.at("login", "/")).await.status, 200);
    let form = format!("logout_token={}", issuer.logout_token(&json!({})));
    let tell = async |gateway| {
        world.lead_to(gateway);
        let head = [("content-type", "application/x-www-form-urlencoded")];
        let url = world.at("login", "/.portcullis/back-channel-logout");
        Browser::new().send(Method::POST, &url, &head, &form).await
    };
    assert_eq!(tell(0).await.status, 200);
    for gateway in 0..REPLICAS {
        let again = tell(gateway).await;
        assert_eq!(again.status, 400, "{gateway}: {}", again.body);
        assert!(again.body.contains("replayed"), "{}", again.body);
    }
}

/// What nobody knows is neither good nor spent.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_a_sign_in_is_neither_accepted_nor_spent() {
    let (mut world, provider) = Replicas::with_provider().await;
    let browser = Browser::new();
    let callback = browser.stop_before(&world.at("login", "/x"), "/.portcullis/callback").await;
    world.redis.kill();
    let away = browser.get(callback.as_str()).await;
    assert!(away.status == 503 && !has_session(&away), "{}: {}", away.status, away.body);
    assert_eq!(provider.asked("/token").await, 0);
    world.redis.restart();
    until_async("the store to be found again", || async {
        let answer = browser.get(callback.as_str()).await;
        assert!(matches!(answer.status, 303 | 503), "{}: {}", answer.status, answer.body);
        answer.status == 303
    })
    .await;
    assert_eq!(browser.get(&world.at("login", "/x")).await.status, 200);
}
