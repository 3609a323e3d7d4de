use std::sync::Arc;

use serde_json::{Value, json};

use super::fake::Answer;
use super::world::{NOW, World};
use crate::clock::Timestamp;
use crate::oidc::*;
use crate::secret::Secret;
use crate::session::Tokens;

fn held(world: &World, id_token: &Value) -> Tokens {
    Tokens {
        access: Some(Secret::new("access-0")),
        access_expires: Some(Timestamp::from_seconds(NOW)),
        renew_at: None,
        refresh: Some(Secret::new("refresh-0")),
        id: Some(Secret::new(world.signer.sign(id_token))),
    }
}

async fn refreshed(change: impl FnOnce(&mut Value)) -> Result<Refreshed, RefreshError> {
    let world = World::new().await;
    let mut claims = world.claims();
    claims["nonce"] = "n".into();
    let held = held(&world, &claims);
    change(&mut claims);
    world.answer_tokens(&world.signer.sign(&claims));
    world.provider.refresh(&held).await
}

#[tokio::test]
async fn new_tokens_and_claims_replace_the_old() {
    let refreshed = refreshed(|claims| claims["groups"] = json!(["new"])).await.unwrap();
    assert_eq!(refreshed.tokens.access, Some(Secret::new("access-1")));
    assert_eq!(refreshed.tokens.refresh, Some(Secret::new("refresh-1")));
    assert_eq!(refreshed.tokens.access_expires, Some(Timestamp::from_seconds(NOW + 300)));
    assert_eq!(refreshed.principal.map(|principal| principal.groups), Some(vec!["new".into()]));
}

#[tokio::test]
async fn what_is_not_renewed_stays() {
    let world = World::new().await;
    let held = held(&world, &world.claims());
    world.fake.json("/token", 200, &json!({"access_token": "access-1", "token_type": "Bearer"}));
    let refreshed = world.provider.refresh(&held).await.unwrap();
    assert_eq!(refreshed.tokens.due(), at(3600), "nobody says how long they are good");
    assert_eq!((refreshed.tokens.refresh, refreshed.tokens.id), (held.refresh, held.id));
    assert_eq!((refreshed.tokens.access_expires, refreshed.principal), (None, None));
    let form = &world.fake.calls("/token")[0].form;
    assert_eq!((form["grant_type"].as_str(), form["refresh_token"].as_str()), ("refresh_token", "refresh-0"));
}

#[tokio::test]
async fn without_expires_in_the_id_token_says_when_tokens_are_renewed() {
    let world = World::new().await;
    let mut claims = world.claims();
    let held = held(&world, &claims);
    claims["exp"] = json!(NOW as f64 + 600.5);
    let answer = json!({
        "access_token": "access-1", "token_type": "Bearer", "id_token": world.signer.sign(&claims),
    });
    world.fake.json("/token", 200, &answer);
    let tokens = world.provider.refresh(&held).await.unwrap().tokens;
    assert_eq!((tokens.access_expires, tokens.due()), (at(600), at(600)));
}

fn at(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(NOW + seconds))
}

#[tokio::test]
async fn tokens_are_renewed_as_often_as_is_wanted_and_not_seldomer_than_they_expire() {
    for (every, due) in [(60, 60), (1000, 300)] {
        let world = World::with(|settings| {
            let client = settings.client.as_mut().unwrap();
            client.refresh_every = Some(std::time::Duration::from_secs(every));
        })
        .await;
        let held = held(&world, &world.claims());
        world.answer_tokens(&world.signer.sign(&world.claims()));
        let tokens = world.provider.refresh(&held).await.unwrap().tokens;
        assert_eq!((tokens.access_expires, tokens.due()), (at(300), at(due)), "every {every} s");
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_by_all_sessions_for_a_while() {
    let world = World::new().await;
    let held = held(&world, &world.claims());
    world.fake.json("/token", 500, &json!({}));
    assert!(matches!(world.provider.refresh(&held).await, Err(RefreshError::Away(_))));
    assert_eq!(world.provider.refresh(&held).await, Err(RefreshError::Resting));
    assert_eq!(world.fake.calls("/token").len(), 1);
    world.answer_tokens(&world.signer.sign(&world.claims()));
    pass(2).await;
    assert!(world.provider.refresh(&held).await.is_ok());
    world.fake.json("/token", 400, &json!({"error": "invalid_grant"}));
    assert!(matches!(world.provider.refresh(&held).await, Err(RefreshError::Gone)));
    world.answer_tokens(&world.signer.sign(&world.claims()));
    assert!(world.provider.refresh(&held).await.is_ok(), "that was about one session");
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_refresh_fails_at_once_calls_ever_more_seldom() {
    use std::time::Duration;
    let flights = RefreshFlights::new(1).backing_off(|good: &bool| !good);
    let mut calls = Vec::new();
    for tenth in 0..2_000_u32 {
        if flights.join([1; 32], || async { false }).await == Ok(false) {
            calls.push(tenth / 10);
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert_eq!(calls, [0, 2, 6, 14, 30, 62, 122, 182]);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(flights.join([1; 32], || async { true }).await, Ok(true));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(flights.join([1; 32], || async { true }).await, Ok(true), "a success forgives");
}

#[tokio::test]
async fn a_refresh_is_begun_once_without_anybody_who_waits() {
    let flights = RefreshFlights::new(1);
    let (done, ended) = tokio::sync::oneshot::channel();
    flights.begin([1; 32], || async { done.send(()) }).unwrap();
    flights.begin([1; 32], || async { Ok(()) }).unwrap();
    ended.await.unwrap();
}

#[tokio::test]
async fn invariant_5_a_refreshed_token_is_about_the_same_person_and_flow() {
    let faults =
        [("sub", json!("u2")), ("iss", json!("https://x")), ("aud", json!("x")), ("nonce", json!("m"))];
    for (name, value) in faults {
        let result = refreshed(|claims| claims[name] = value).await;
        assert!(result.as_ref().is_err_and(RefreshError::ends_session), "{name}: {result:?}");
    }
    assert!(refreshed(|claims| drop(claims.as_object_mut().unwrap().remove("nonce"))).await.is_ok());
}

#[tokio::test]
async fn invariant_8_a_person_who_is_gone_is_not_a_provider_away() {
    let world = World::new().await;
    let held = held(&world, &world.claims());
    world.fake.json("/token", 400, &json!({"error": "invalid_grant", "error_description": "no\r\nmore"}));
    assert_eq!(world.provider.refresh(&held).await, Err(RefreshError::Gone));
    for (status, answer) in [(401, json!({"error": "invalid_client"})), (500, json!({})), (200, json!({}))] {
        world.fake.json("/token", status, &answer);
        let error = world.provider.refresh(&held).await.unwrap_err();
        assert!(!error.ends_session(), "{error}");
        pass(60).await;
    }
    world.fake.answer("/token", Answer::Reply(503, "text/html", "<html>".into()));
    assert!(matches!(world.provider.refresh(&held).await, Err(RefreshError::Away(_))));
    assert_eq!(world.provider.refresh(&Tokens::default()).await, Err(RefreshError::NoRefreshToken));
}

#[tokio::test]
async fn new_tokens_survive_a_user_info_that_fails() {
    let result = refreshed(|claims| drop(claims.as_object_mut().unwrap().remove("groups"))).await.unwrap();
    assert_eq!((result.tokens.refresh, result.principal), (Some(Secret::new("refresh-1")), None));
}

#[tokio::test]
async fn invariant_5_an_id_token_that_could_not_be_checked_is_not_kept() {
    let world = World::new().await;
    let held = held(&world, &world.claims());
    world.answer_tokens(&world.signer.sign(&world.claims()));
    *world.keys.document.lock().unwrap() = None;
    let refreshed = world.provider.refresh(&held).await.unwrap();
    assert_eq!((refreshed.tokens.id, refreshed.principal), (held.id.clone(), None));
    assert_eq!(refreshed.tokens.refresh, Some(Secret::new("refresh-1")), "the old one may be spent");
    let nothing_to_compare = Tokens { id: None, ..held };
    let refreshed = world.provider.refresh(&nothing_to_compare).await.unwrap();
    assert_eq!((refreshed.tokens.id, refreshed.principal), (None, None));
}

#[tokio::test]
async fn invariant_4_user_info_tells_what_changed_where_no_id_token_comes() {
    let world = World::new().await;
    let mut claims = world.claims();
    claims.as_object_mut().unwrap().remove("groups");
    let held = held(&world, &claims);
    world.fake.json("/token", 200, &json!({"access_token": "access-1", "token_type": "Bearer"}));
    world.fake.json("/userinfo", 200, &json!({"sub": "u1", "groups": ["left"]}));
    let refreshed = world.provider.refresh(&held).await.unwrap();
    assert_eq!(refreshed.principal.map(|principal| principal.groups), Some(vec!["left".into()]));
    assert_eq!(refreshed.tokens.id, held.id);
    world.fake.json("/userinfo", 200, &json!({"sub": "u2", "groups": ["root"]}));
    let error = world.provider.refresh(&held).await.unwrap_err();
    assert!(error.ends_session(), "somebody else's token: {error}");
}

#[tokio::test]
async fn a_hundred_waiters_share_one_call() {
    let world = World::new().await;
    let held = held(&world, &world.claims());
    world.answer_tokens(&world.signer.sign(&world.claims()));
    let flights = RefreshFlights::new(10);
    let call = || {
        let (provider, held) = (Arc::clone(&world.provider), held.clone());
        async move { provider.refresh(&held).await.map(|refreshed| refreshed.tokens) }
    };
    let results = futures_util::future::join_all((0..100).map(|_| flights.join([1; 32], call))).await;
    assert!(results.iter().all(|result| matches!(result, Ok(Ok(_)))));
    assert_eq!(world.fake.calls("/token").len(), 1);
    assert!(matches!(flights.join([1; 32], call).await, Err(FlightError::Recent)));
    assert!(flights.join([2; 32], call).await.is_ok(), "another session is not held up");
    pass(1).await;
    assert!(flights.join([1; 32], call).await.is_ok());
    assert_eq!(world.fake.calls("/token").len(), 3, "a later need is a call of its own");
}

/// Moves tokio's time while no socket is waited for.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_provider_that_stalls_holds_a_session_up_once() {
    let world = World::with(|settings| settings.timeout = std::time::Duration::from_millis(500)).await;
    world.fake.answer("/token", Answer::Stall);
    let held = held(&world, &world.claims());
    let flights = RefreshFlights::new(10).backing_off(|went_well| !went_well);
    let call = || {
        let (provider, held) = (Arc::clone(&world.provider), held.clone());
        async move { provider.refresh(&held).await.is_ok() }
    };
    assert_eq!(flights.join([1; 32], call).await, Ok(false));
    for _ in 0..20 {
        assert_eq!(flights.join([1; 32], call).await, Err(FlightError::Failed));
    }
    assert_eq!(world.fake.calls("/token").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_rests_five_times_as_long_as_its_call_took_but_a_minute_at_most() {
    use std::time::Duration;
    for (took, rest) in [(0, 1), (1, 5), (10, 50), (30, 60)] {
        let flights = RefreshFlights::new(1);
        let call = || tokio::time::sleep(Duration::from_secs(took));
        assert_eq!(flights.join([1; 32], call).await, Ok(()));
        tokio::time::advance(Duration::from_secs(rest) - Duration::from_millis(500)).await;
        assert_eq!(flights.join([1; 32], call).await, Err(FlightError::Recent), "{took} s");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(flights.join([1; 32], call).await, Ok(()), "{took} s");
    }
}

#[tokio::test]
async fn invariant_14_resting_flights_are_bounded_too() {
    let flights = RefreshFlights::new(2);
    for key in 0..200 {
        assert_eq!(flights.join([key; 32], || async move { key }).await, Ok(key));
    }
    assert_eq!(flights.join([0; 32], || async { 0 }).await, Err(FlightError::Recent));
    assert_eq!(flights.join([199; 32], || async { 0 }).await, Ok(0), "there was no room to remember it");
}

#[tokio::test]
async fn flights_are_bounded_end_by_themselves_and_survive_their_waiters() {
    let flights: Arc<RefreshFlights<u8>> = Arc::new(RefreshFlights::new(1));
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let (done, landed) = tokio::sync::oneshot::channel();
    let flight = async move {
        let _ = gate.await;
        let _ = done.send(());
        7
    };
    let waiter = tokio::spawn({
        let flights = Arc::clone(&flights);
        async move { flights.join([1; 32], || flight).await }
    });
    while flights.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(flights.join([2; 32], || async { 1 }).await, Err(FlightError::Full));
    waiter.abort();
    go.send(()).unwrap();
    landed.await.unwrap();
    while !flights.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(flights.join([2; 32], || async { panic!("lost") }).await, Err(FlightError::Lost));
    assert_eq!(flights.join([3; 32], || async { 1 }).await, Ok(1));
}
