//! Tokens of a session are renewed once, reach an app only where its route says so, and end the session
//! where the provider no longer honours them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::support::{Browser, PATIENCE, Provider, World, free_port, told, until, until_async};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "access"
path = "/access"
upstream = "{app}"
access = "signed-in"
identity = { token = "access" }

[[routes]]
name = "id"
path = "/id"
upstream = "{app}"
access = "signed-in"
identity = { token = "id" }
"#;

/// Somebody whose access token has expired.
async fn with_an_old_token(world: &World) -> Browser {
    let browser = with_a_token_for(world, 1).await;
    expired(2).await;
    browser
}

/// Somebody whose access token is good for so many seconds, whom nobody has seen since.
async fn with_a_token_for(world: &World, seconds: u64) -> Browser {
    world.provider.control(&format!("lifetime?s={seconds}")).await;
    let browser = Browser::new();
    let callback = browser.stop_before(&world.gateway.url("/"), "/.portcullis/callback").await;
    assert_eq!(browser.get(callback.as_str()).await.status, 303);
    world.provider.control("lifetime?s=3600").await;
    browser
}

/// Until a token of so many seconds is over: nothing but the time tells.
async fn expired(seconds: u64) {
    let begun = Instant::now();
    until_async("time to pass", || async { begun.elapsed() > Duration::from_secs(seconds) }).await;
}

#[tokio::test]
async fn while_a_token_is_good_nobody_waits_for_the_next() {
    let world = World::with("timeout = \"60s\"", ROUTES).await;
    let browser = with_a_token_for(&world, 25).await;
    let before = world.provider.asked("/token").await;
    world.provider.signal("STOP");
    let url = world.gateway.url("/access");
    let answer = tokio::time::timeout(PATIENCE, browser.get(&url)).await.expect("nobody waits");
    let old = told(&answer, "authorization");
    world.provider.signal("CONT");
    until_async("the next token", || async {
        let answer = browser.get(&url).await;
        answer.status == 200 && told(&answer, "authorization") != old
    })
    .await;
    assert_eq!(world.provider.asked("/token").await - before, 1);
}

/// A gateway whose provider gives no refresh token.
async fn without_refresh_tokens() -> World {
    let port = free_port();
    let public_url = format!("http://127.0.0.1:{port}");
    let mut provider = Provider::stopped(&public_url).with("NO_REFRESH", "1");
    provider.resume();
    World::before(provider, port, &public_url, "", "", ROUTES).await
}

#[tokio::test]
async fn an_expired_token_that_cannot_be_refreshed_never_goes_to_an_app() {
    let world = without_refresh_tokens().await;
    let browser = with_a_token_for(&world, 2).await;
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200);
    let url = world.gateway.url("/access");
    expired(3).await;
    assert_eq!(browser.get(&url).await.status, 503, "it would go round for ever");
    until_async("the browser to be sent to sign in", || async { browser.get(&url).await.status == 302 })
        .await;
    let script = browser.send(http::Method::GET, &url, &[("accept", "*/*")], "").await;
    assert_eq!(script.status, 401);
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200, "who is handed no token goes on");
    let back = browser.visit(&url).await;
    assert_eq!((back.status, told(&back, "authorization").len()), (200, 1), "and no page was in between");
    assert_eq!(browser.get(&url).await.status, 200);
}

const TWO_HOSTS: &str = r#"
[[routes]]
name = "wiki"
host = "wiki.localhost"
upstream = "{app}"
access = "signed-in"
identity = { token = "access" }

[[routes]]
name = "files"
host = "files.localhost"
upstream = "{app}"
access = "signed-in"
"#;

/// The same for apps on other hosts than that where people sign in: the way leads over that host, where the session
/// stands and is as old.
#[tokio::test]
async fn a_token_that_cannot_be_refreshed_is_renewed_without_a_page_for_an_app_on_another_host() {
    let port = free_port();
    let public_url = format!("http://login.localhost:{port}");
    let mut provider = Provider::stopped(&public_url).with("NO_REFRESH", "1");
    provider.resume();
    let world = World::before(provider, port, &public_url, "", "", TWO_HOSTS).await;
    let at = |host: &str| format!("http://{host}.localhost:{port}/page?a=%26");
    let browser = Browser::new();
    world.provider.control("lifetime?s=2").await;
    for host in ["wiki", "files"] {
        let ticket = browser.stop_before(&at(host), "/.portcullis/ticket").await;
        assert_eq!(browser.get(ticket.as_str()).await.status, 303);
    }
    world.provider.control("lifetime?s=3600").await;
    assert_eq!(world.provider.asked("/token").await, 1, "one sign-in serves both");
    until_async("the browser to be sent to sign in", || async {
        browser.get(&at("wiki")).await.status == 302
    })
    .await;
    let script = browser.send(http::Method::GET, &at("wiki"), &[("accept", "*/*")], "").await;
    assert_eq!(script.status, 401);
    assert_eq!(browser.get(&at("files")).await.status, 200, "who is handed no token goes on");

    let back = browser.visit(&at("wiki")).await;
    assert_eq!((back.status, back.url.as_str()), (200, &*at("wiki")), "{}", back.body);
    assert_eq!(told(&back, "authorization").len(), 1, "and no page was in between");
    assert_eq!(browser.get(&at("wiki")).await.status, 200, "it stays good");
    assert_eq!(browser.visit(&at("files")).await.status, 200, "whose session went with the one before");
    assert_eq!(world.provider.asked("/token").await, 2, "one sign-in serves both again");
}

#[tokio::test]
async fn many_requests_that_find_a_token_expired_cause_one_refresh() {
    let world = World::open(ROUTES).await;
    let browser = with_an_old_token(&world).await;
    let before = world.provider.asked("/token").await;
    let urls: Vec<_> = (0..40).map(|n| world.gateway.url(&format!("/access/{n}"))).collect();
    let answers = join_all(urls.iter().map(|url| browser.get(url))).await;
    let tokens: Vec<_> = answers.iter().flat_map(|answer| told(answer, "authorization")).collect();
    assert_eq!(tokens.len(), 40);
    assert!(tokens.iter().all(|token| token == &tokens[0]), "all have the new one");
    assert_eq!(world.provider.asked("/token").await - before, 1);
    assert_eq!(browser.get(&urls[0]).await.status, 200);
    assert_eq!(world.provider.asked("/token").await - before, 1, "and it stays good");
}

#[tokio::test]
async fn invariant_15_tokens_reach_an_app_only_where_its_route_says_so() {
    let world = World::open(ROUTES).await;
    let browser = world.signed_in().await;
    let plain = browser.get(&world.gateway.url("/")).await;
    assert_eq!(told(&plain, "authorization"), [""; 0]);
    assert!(!plain.body.contains("eyJ"), "no token anywhere: {}", plain.body);
    let payload = |header: &str| {
        let token = header.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap().to_owned();
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, token).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    };
    let access = browser.get(&world.gateway.url("/access")).await;
    assert_eq!(payload(&told(&access, "authorization")[0])["aud"], "https://api.corp.example");
    let id = browser.get(&world.gateway.url("/id")).await;
    assert_eq!(payload(&told(&id, "authorization")[0])["aud"], "portcullis");
}

#[tokio::test]
async fn invariant_8_a_grant_that_was_revoked_ends_the_session() {
    let world = World::open(ROUTES).await;
    let browser = with_an_old_token(&world).await;
    world.provider.control("revoke").await;
    let answer = browser.get(&world.gateway.url("/")).await;
    assert_eq!(answer.status, 302, "to sign in again");
    assert_eq!(world.app.served(), 0);
    let script = browser.send(http::Method::GET, &world.gateway.url("/"), &[("accept", "*/*")], "").await;
    assert_eq!(script.status, 401);
}

#[tokio::test]
async fn a_provider_that_is_away_ends_no_session() {
    let mut world = World::open(ROUTES).await;
    let browser = with_an_old_token(&world).await;
    world.provider.pause();
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200, "the session goes on");
    world.provider.resume();
}

#[tokio::test]
async fn invariant_22_an_expired_token_goes_to_no_app_while_the_provider_is_away() {
    let mut world = World::open(ROUTES).await;
    let browser = with_an_old_token(&world).await;
    world.provider.pause();
    let served = world.app.served();
    assert_eq!(browser.get(&world.gateway.url("/access")).await.status, 503);
    assert_eq!(world.app.served(), served);
    world.provider.resume();
}

#[tokio::test]
async fn a_refresh_that_fails_is_told_with_provider_cause_and_request() {
    let mut world = World::open(ROUTES).await;
    let browser = with_an_old_token(&world).await;
    world.provider.pause();
    let answer = browser.get(&world.gateway.url("/access/1")).await;
    let id = answer.header("x-request-id");
    let names = |line: &str| {
        ["tokens.not-refreshed", "\"corp\"", "no connection", "\"culprit\":\"provider\"", id]
            .iter()
            .all(|part| line.contains(part))
    };
    until("the warning", || world.gateway.log().lines().any(names));
}
