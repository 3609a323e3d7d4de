//! Signing in, stepping up, credentials and what ends them: each leaves its event, where it happens and once.

use http::Method;
use serde_json::json;

use super::{SINK, about, of};
use crate::support::{Browser, World, until, until_async};

const ROUTES: &str = r#"
[[routes]]
name = "wiki"
path = "/"
upstream = "{app}"
access = "signed-in"
accept = ["session", "bearer"]
identity = { token = "access" }

[[routes]]
name = "admin"
path = "/admin"
upstream = "{app}"
allow = [{ groups = ["staff"], acr = ["mfa"] }]

[[routes]]
name = "recent"
path = "/recent"
upstream = "{app}"
allow = [{ groups = ["staff"], max_auth_age = "15m" }]
"#;

async fn world() -> World {
    World::at("http://127.0.0.1:{port}", "", SINK, ROUTES).await
}

#[tokio::test]
async fn a_sign_in_is_told_from_its_beginning_with_the_device_that_made_it() {
    let world = world().await;
    let gateway = &world.gateway;
    let browser = Browser::new();
    assert_eq!(browser.visit(&gateway.url("/")).await.status, 200);
    until("the sign-in", || !of(gateway, "sign-in.succeeded").is_empty());
    let (begun, done) = (&of(gateway, "sign-in.begun")[0], &of(gateway, "sign-in.succeeded")[0]);
    assert_eq!((&begun["provider"], &begun["client"]), (&json!("corp"), &json!("127.0.0.1")), "{begun}");
    assert!(begun["device"].as_str().is_some_and(|device| !device.is_empty()), "{begun}");
    assert_eq!(done["device"], begun["device"]);
    until("its first use", || !of(gateway, "credential.first-used").is_empty());
    let first = &of(gateway, "credential.first-used")[0];
    let said = (&first["user"], &first["auth"], &first["session"]);
    assert_eq!(said, (&json!("alice"), &json!("session"), &done["session"]), "{first}");
    for _ in 0..20 {
        assert_eq!(browser.get(&gateway.url("/")).await.status, 200);
    }
    let last = browser.get(&gateway.url("/last")).await;
    about(gateway, "access.granted", last.header("x-request-id"));
    assert_eq!(of(gateway, "credential.first-used").len(), 1, "once");
}

#[tokio::test]
async fn tokens_are_told_at_their_first_use_and_where_they_are_refused() {
    let world = world().await;
    let gateway = &world.gateway;
    let token = world.provider.access_token("orders:read").await;
    let shown = [("authorization", &*format!("Bearer {token}")), ("accept", "*/*")];
    let ask = async |path: &str| Browser::new().send(Method::GET, &gateway.url(path), &shown, "").await;
    let first = ask("/1").await;
    ask("/2").await;
    let told = about(gateway, "credential.first-used", first.header("x-request-id"));
    assert_eq!((&told["auth"], &told["provider"]), (&json!("access-token"), &json!("corp")), "{told}");
    let bad = [("authorization", "Bearer a.b.c")];
    let answer = Browser::new().send(Method::GET, &gateway.url("/"), &bad, "").await;
    let refused = about(gateway, "credential.refused", answer.header("x-request-id"));
    assert!(refused["reason"].as_str().unwrap().starts_with("malformed: "), "{refused}");
    about(gateway, "access.refused", answer.header("x-request-id"));
    assert_eq!(of(gateway, "credential.first-used").len(), 1);
}

#[tokio::test]
async fn who_has_to_sign_in_anew_is_told_with_what_is_missing_and_who_does_in_vain() {
    let world = world().await;
    let gateway = &world.gateway;
    let browser = world.signed_in().await;
    let sent = browser.get(&gateway.url("/admin")).await;
    let id = sent.header("x-request-id");
    let (asked, refused) = (about(gateway, "step-up.asked", id), about(gateway, "access.refused", id));
    assert_eq!((&asked["user"], &asked["route"]), (&json!("alice"), &json!("admin")), "{asked}");
    assert!(asked["missing"].to_string().contains("mfa"), "{asked}");
    assert_eq!(asked["missing"], refused["missing"]);

    world.provider.control("ago?s=3000").await;
    let page = Browser::new().visit(&gateway.url("/recent")).await;
    assert_eq!(page.status, 403, "{}", page.body);
    until("the shortfall", || !of(gateway, "step-up.unmet").is_empty());
    let unmet = &of(gateway, "step-up.unmet")[0];
    assert_eq!((&unmet["user"], &unmet["provider"]), (&json!("alice"), &json!("corp")), "{unmet}");
    assert!(unmet["missing"].to_string().contains("15m") && unmet["session"].is_string(), "{unmet}");
    assert_eq!(of(gateway, "sign-in.failed").len(), 0, "they are signed in");
}

#[tokio::test]
async fn new_tokens_are_told_with_the_request_that_needed_them() {
    let world = world().await;
    let gateway = &world.gateway;
    world.provider.control("lifetime?s=1").await;
    let browser = Browser::new();
    let callback = browser.stop_before(&gateway.url("/"), "/.portcullis/callback").await;
    assert_eq!(browser.get(callback.as_str()).await.status, 303);
    world.provider.control("lifetime?s=3600").await;
    let told = || of(gateway, "tokens.refreshed").into_iter().next();
    until_async("new tokens", || async {
        browser.get(&gateway.url("/")).await;
        told().is_some()
    })
    .await;
    let told = told().unwrap();
    assert_eq!(
        (&told["user"], &told["session"]),
        (&json!("alice"), &of(gateway, "sign-in.succeeded")[0]["session"])
    );
    about(gateway, "access.granted", told["id"].as_str().unwrap());
}

/// Whoever ends somebody's session stands in the record, with the request that asked for it.
#[tokio::test]
async fn an_end_is_told_with_who_has_ended_it_and_by_which_request() {
    let world = world().await;
    let gateway = &world.gateway;
    let (here, _there) = (world.signed_in().await, world.signed_in().await);
    let ended = here.submit(&gateway.url("/.portcullis/sessions"), "others=yes").await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    let told = about(gateway, "session.ended", ended.header("x-request-id"));
    let asker = about(gateway, "access.granted", here.get(&gateway.url("/x")).await.header("x-request-id"));
    let by = format!("session {}", asker["session"].as_str().unwrap());
    assert_eq!((&told["by"], &told["why"]), (&json!(by), &json!("signed-out-elsewhere")), "{told}");
    assert_ne!(told["session"], asker["session"]);
    let left = here.submit(&gateway.url("/.portcullis/sign-out"), "").await;
    let told = about(gateway, "session.ended", left.header("x-request-id"));
    assert_eq!((&told["why"], told.get("by")), (&json!("signed-out"), None), "{told}");
}
