//! The way a person takes: authentication request → sign-in → consent → code → tokens.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;

use super::browser::Browser;
use super::world::{CALLBACK, World};

#[tokio::test]
async fn a_person_signs_in_consents_and_the_client_gets_tokens() {
    let world = World::new().await;
    let consent = world.sign_in("alice", &[]).await;
    assert!(
        consent.body.contains("Portcullis") && consent.body.contains("alice@demo.example"),
        "{}",
        consent.body
    );
    let (url, parameters) = world.allow(&consent).await.location();
    assert_eq!(url.as_str().split('?').next(), Some(CALLBACK));
    assert_eq!(parameters["state"], "the state");
    assert_eq!(parameters["iss"], world.demo.issuer());
    let tokens = world.redeem(&parameters["code"]).await.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(600)));
    let (typ, claims) = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(typ, "JWT");
    assert_eq!(claims["iss"], world.demo.issuer());
    assert_eq!(claims["aud"], world.demo.client_id());
    assert_eq!((&claims["nonce"], &claims["auth_time"]), (&json!("the nonce"), &json!(1_800_000_000)));
    assert_eq!((&claims["preferred_username"], &claims["groups"]), (&json!("alice"), &json!(["staff"])));
    let (typ, claims) = world.claims(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((typ.as_str(), claims["aud"].as_str()), ("at+jwt", Some(world.demo.audience())));
    assert_eq!(claims["scope"], "openid profile email groups");
    let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&told["sub"], &told["email"]), (&claims["sub"], &json!("alice@demo.example")));
}

#[tokio::test]
async fn only_what_was_asked_for_is_told() {
    let world = World::new().await;
    let code = world.code("bob", &[("scope", "openid unheard-of groups")]).await;
    let tokens = world.redeem(&code).await.json();
    assert_eq!(tokens["scope"], "openid groups");
    let (_, claims) = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["groups"], json!(["staff", "ops"]));
    assert!(!claims.contains_key("email") && !claims.contains_key("name"), "{claims:?}");
}

#[tokio::test]
async fn consent_is_asked_once_and_again_where_the_client_wants_it_or_wants_more() {
    let world = World::new().await;
    world.code("alice", &[]).await;
    let silent = world.browser.get(&world.wanted(&[])).await.location().1;
    assert!(silent.contains_key("code"), "{silent:?}");
    for more in [("prompt", "consent"), ("scope", "openid profile email groups api")] {
        let page = world.browser.follow(&world.browser.get(&world.wanted(&[more])).await).await;
        assert!(page.body.contains("Allow Portcullis"), "{more:?}: {}", page.body);
    }
}

#[tokio::test]
async fn who_denies_sends_the_client_away_empty_handed() {
    let world = World::new().await;
    let consent = world.sign_in("alice", &[]).await;
    for decision in ["deny", "anything"] {
        let answer = world.browser.submit(&consent, "/op/consent", &[("decision", decision)]).await;
        if decision == "deny" {
            let (_, parameters) = answer.location();
            assert_eq!((&*parameters["error"], &*parameters["state"]), ("access_denied", "the state"));
            assert_eq!(parameters["iss"], world.demo.issuer());
        } else {
            assert_eq!(answer.status, StatusCode::GONE, "there is nothing left to decide");
        }
    }
    let none = world.browser.get(&world.wanted(&[("prompt", "none")])).await.location().1;
    assert_eq!(none["error"], "consent_required");
}

#[tokio::test]
async fn prompt_none_shows_no_page_whatever_is_missing() {
    let world = World::new().await;
    let silently = || async { world.browser.get(&world.wanted(&[("prompt", "none")])).await.location().1 };
    assert_eq!(silently().await["error"], "login_required");
    let consent = world.sign_in("alice", &[]).await;
    assert_eq!(silently().await["error"], "consent_required");
    world.allow(&consent).await;
    assert!(silently().await.contains_key("code"));
    world.clock.advance(Duration::from_secs(13 * 3600));
    assert_eq!(silently().await["error"], "login_required");
}

#[tokio::test]
async fn whoever_is_signed_in_signs_in_again_where_the_client_wants_it() {
    let world = World::new().await;
    world.code("alice", &[]).await;
    world.clock.advance(Duration::from_secs(100));
    for (changes, may_continue) in [
        (("prompt", "login"), false),
        (("prompt", "select_account"), true),
        (("max_age", "99"), false),
        (("max_age", "0"), false),
    ] {
        let page = world.browser.follow(&world.browser.get(&world.wanted(&[changes])).await).await;
        assert!(page.body.contains("Password"), "{changes:?}: {}", page.body);
        assert_eq!(page.body.contains("Continue as Alice"), may_continue, "{changes:?}");
    }
    assert!(world.browser.get(&world.wanted(&[("max_age", "100")])).await.location().1.contains_key("code"));
    let page = world.browser.follow(&world.browser.get(&world.wanted(&[("prompt", "login")])).await).await;
    let (_, parameters) = world.submit_password(&page, "alice").await.location();
    let tokens = world.redeem(&parameters["code"]).await.json();
    let (_, claims) = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["auth_time"], 1_800_000_100);
}

#[tokio::test]
async fn a_person_may_go_on_as_who_they_are() {
    let world = World::new().await;
    world.code("alice", &[]).await;
    let page =
        world.browser.follow(&world.browser.get(&world.wanted(&[("prompt", "select_account")])).await).await;
    let chosen = world.browser.submit(&page, "/op/choose", &[]).await;
    assert!(world.browser.follow(&chosen).await.location().1.contains_key("code"));
}

#[tokio::test]
async fn a_client_that_wants_alice_does_not_get_bob() {
    let world = World::new().await;
    let tokens = world.redeem(&world.code("alice", &[]).await).await.json();
    let hint = ("id_token_hint", tokens["id_token"].as_str().unwrap());
    assert!(world.browser.get(&world.wanted(&[hint])).await.location().1.contains_key("code"));
    let page = world.browser.follow(&world.browser.get(&world.wanted(&[("prompt", "login")])).await).await;
    world.submit_password(&page, "bob").await;
    let silent = world.browser.get(&world.wanted(&[hint, ("prompt", "none")])).await.location().1;
    assert_eq!(silent["error"], "login_required");
    let page = world.browser.follow(&world.browser.get(&world.wanted(&[hint])).await).await;
    let bob = world.submit_password(&page, "bob").await.location().1;
    assert_eq!(bob["error"], "login_required");
    let forged = ("id_token_hint", tokens["access_token"].as_str().unwrap());
    let forged = world.browser.get(&world.wanted(&[forged])).await.location().1;
    assert_eq!(forged["error"], "invalid_request", "an access token is no ID token");
}

#[tokio::test]
async fn an_authorization_request_may_be_posted() {
    let world = World::new().await;
    let target = world.wanted(&[]);
    let (path, query) = target.split_once('?').unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let answer = world.browser.send(Method::POST, path, &headers, query.into()).await;
    assert!(world.browser.follow(&answer).await.body.contains("Password"));
}

#[tokio::test]
async fn ten_tabs_opened_at_once_in_a_new_browser_all_get_their_code() {
    let world = World::new().await;
    let targets: Vec<_> = (0..10).map(|tab| world.wanted(&[("state", &format!("tab {tab}"))])).collect();
    // Every one is on its way before the first answer brings a cookie.
    let strangers: Vec<_> = targets.iter().map(|_| Browser::new(world.demo.issuer())).collect();
    let tabs = join_all(strangers.iter().zip(&targets).map(|(browser, target)| browser.get(target))).await;
    strangers.iter().for_each(|browser| world.browser.take_cookies_of(browser));
    let pages = join_all(tabs.iter().map(|started| world.browser.follow(started))).await;
    assert!(pages.iter().all(|page| page.body.contains("Password")));
    let consent = world.submit_password(&pages[3], "alice").await;
    assert_eq!(world.allow(&consent).await.location().1["state"], "tab 3");
    for (tab, started) in tabs.iter().enumerate().filter(|(tab, _)| *tab != 3) {
        let arrived = world.browser.follow(started).await.location().1;
        assert_eq!(arrived["state"], format!("tab {tab}"));
        assert!(arrived.contains_key("code"));
    }
    assert_eq!(world.browser.cookie_names(), ["portcullis_demo_session"], "what is over leaves nothing");
}

#[tokio::test]
async fn who_signs_in_again_keeps_the_session_and_somebody_else_ends_it() {
    let world = World::new().await;
    let tokens = world.redeem(&world.code("alice", &[]).await).await.json();
    let sid = world.claims(tokens["id_token"].as_str().unwrap()).await.1["sid"].clone();
    let again = world.browser.follow(&world.browser.get(&world.wanted(&[("prompt", "login")])).await).await;
    let code = world.submit_password(&again, "alice").await.location().1["code"].clone();
    let tokens = world.redeem(&code).await.json();
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await.1["sid"], sid);
    world.sign_in("bob", &[("prompt", "login")]).await;
    let refreshed = world.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, StatusCode::BAD_REQUEST, "{}", refreshed.body);
}

#[tokio::test]
async fn discovery_names_every_endpoint_and_each_of_them_answers() {
    let world = World::new().await;
    let document = world.browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["issuer"], world.demo.issuer());
    let endpoints = document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint"));
    let stranger = Browser::new(world.demo.issuer());
    for (name, url) in endpoints.chain([(&"jwks_uri".to_owned(), &document["jwks_uri"])]) {
        let target = url.as_str().unwrap().strip_prefix(world.demo.issuer()).unwrap();
        let statuses = [stranger.get(target).await.status, stranger.post(target, "").await.status];
        assert!(!statuses.iter().all(|status| *status == StatusCode::NOT_FOUND), "{name}");
    }
}
