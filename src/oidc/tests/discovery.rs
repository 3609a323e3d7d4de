use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake::Answer;
use super::world::{World, settings};
use crate::clock::{Clock, Timestamp};
use crate::oidc::http::Trouble;
use crate::oidc::*;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

async fn found(change: impl FnOnce(&mut Value)) -> Result<(), ProviderError> {
    let world = World::undiscovered(|_| {}).await;
    let mut document = world.fake.document();
    change(&mut document);
    world.fake.discovery(&document);
    world.provider.retry_now().await
}

/// Lets the background task go on until `done`.
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

#[tokio::test]
async fn the_issuer_must_match_exactly() {
    assert_eq!(found(|_| {}).await, Ok(()));
    for other in ["https://evil.example", ""] {
        let result = found(|document| document["issuer"] = other.into()).await;
        assert!(matches!(result, Err(ProviderError::Metadata(MetadataError::OtherIssuer { .. }))));
    }
    let slash =
        found(|document| document["issuer"] = format!("{}/", document["issuer"].as_str().unwrap()).into());
    assert!(matches!(slash.await, Err(ProviderError::Metadata(MetadataError::OtherIssuer { .. }))));
}

#[tokio::test]
async fn endpoints_must_be_there_and_safe() {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let missing = found(|document| drop(document.as_object_mut().unwrap().remove(name))).await;
        assert_eq!(missing, Err(MetadataError::Missing(name).into()));
    }
    for name in
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"]
    {
        for url in [
            "http://id.example/x",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "http://localhost.evil.example/",
            "https://x/#y",
            "https://id.example@evil.example/",
            "https://:x@evil.example/",
        ] {
            assert_eq!(
                found(|document| document[name] = url.into()).await,
                Err(MetadataError::Insecure(name).into())
            );
        }
    }
}

#[test]
fn an_issuer_is_https_or_on_loopback() {
    let made = |issuer: &str| Provider::new(settings("x", issuer), None, Clock::manual(Timestamp::default()));
    for bad in [
        "http://id.example",
        "https://id.example/?a",
        "https://id.example/#a",
        "ftp://x",
        "",
        "https://u@x",
        "https://:p@x",
    ] {
        assert!(matches!(made(bad), Err(SetupError::Issuer(_))), "{bad}");
    }
    assert!(made("https://id.example/realms/x/").is_ok() && made("http://localhost:1").is_ok());
}

#[tokio::test]
async fn html_is_told_as_html_and_made_printable() {
    let world = World::undiscovered(|_| {}).await;
    let page = format!("<html>\r\n\u{1b}[31m{}", "x".repeat(500));
    world.fake.answer(WELL_KNOWN, Answer::Reply(200, "text/html; charset=utf-8", page));
    let told = world.provider.retry_now().await.unwrap_err().to_string();
    assert!(told.contains("HTML instead of JSON: got text/html, begins with \"<html>???[31mxxx"), "{told}");
    assert!(told.len() < 300 && !told.contains(char::is_control));
}

#[tokio::test]
async fn errors_stalls_redirects_and_floods_are_told_apart() {
    let cases = [
        (Answer::Reply(503, "text/plain", String::new()), "expected status 200, got 503"),
        (Answer::Reply(200, "application/json", "{\"issuer\": 1}".into()), "unreadable JSON"),
        (Answer::Reply(200, "application/json", "{".repeat(600_000)), "more than 524288 bytes"),
        (Answer::Redirect("/elsewhere".into()), "got 302"),
    ];
    for (answer, expected) in cases {
        let world = World::undiscovered(|_| {}).await;
        world.fake.answer(WELL_KNOWN, answer);
        let told = world.provider.retry_now().await.unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
        assert!(world.fake.calls("/elsewhere").is_empty());
    }
    let world = World::undiscovered(|settings| settings.timeout = Duration::from_millis(20)).await;
    world.fake.answer(WELL_KNOWN, Answer::Stall);
    let Err(ProviderError::Http(error)) = world.provider.retry_now().await else { panic!("no answer came") };
    assert_eq!(error.trouble, Trouble::Timeout(Duration::from_millis(20)));
}

#[tokio::test]
async fn a_provider_away_at_start_is_found_later_and_then_kept() {
    let world = World::undiscovered(|_| {}).await;
    let down = || world.fake.answer(WELL_KNOWN, Answer::Reply(500, "text/plain", String::new()));
    down();
    let task = tokio::spawn(Arc::clone(&world.provider).run());
    let reason = |wanted: &str| matches!(world.provider.status(), ProviderStatus::Unavailable { reason, .. } if reason.contains(wanted));
    until(|| reason("got 500")).await;
    let refused = world.provider.begin(SignInIntent::default());
    assert!(matches!(refused, Err(ProviderError::Unavailable(_))));
    world.clock.advance(Duration::from_secs(5));
    world.fake.discovery(&world.fake.document());
    pass(Duration::from_secs(2)).await;
    until(|| matches!(world.provider.status(), ProviderStatus::Ready { .. })).await;
    let since = world.provider.status();
    down();
    let before = world.fake.calls(WELL_KNOWN).len();
    pass(Duration::from_secs(31 * 3600)).await;
    until(|| world.fake.calls(WELL_KNOWN).len() > before).await;
    assert!(world.provider.begin(SignInIntent::default()).is_ok());
    assert_eq!(world.provider.status(), since);
    task.abort();
}

#[tokio::test]
async fn people_who_wait_share_one_attempt_and_cool_down() {
    let world = World::undiscovered(|_| {}).await;
    world.fake.answer(WELL_KNOWN, Answer::Reply(500, "text/plain", String::new()));
    let attempts = (0..50).map(|_| world.provider.retry_now());
    let results = futures_util::future::join_all(attempts).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(world.fake.calls(WELL_KNOWN).len(), 1);
    world.fake.discovery(&world.fake.document());
    pass(Duration::from_secs(3)).await;
    let results = futures_util::future::join_all((0..50).map(|_| world.provider.retry_now())).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(world.fake.calls(WELL_KNOWN).len(), 2);
}

#[tokio::test]
async fn a_provider_for_bearer_tokens_needs_only_its_keys() {
    let world = World::undiscovered(|settings| settings.client = None).await;
    let jwks = format!("{}/jwks", world.fake.issuer);
    world.fake.discovery(&json!({"issuer": world.fake.issuer, "jwks_uri": jwks}));
    assert_eq!(world.provider.jwks_uri(), None);
    world.provider.retry_now().await.unwrap();
    assert_eq!(world.provider.jwks_uri().map(String::from), Some(jwks));
}
