//! Frames of a provider's (OpenID Connect Front-Channel Logout 1.0).

use http::Method;
use serde_json::json;

use super::Rig;
use crate::support::{Answer, Browser, event};

/// A provider's frame, with `query`, in `browser`.
async fn framed(rig: &Rig, browser: &Browser, query: &str) -> Answer {
    let head = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "cross-site"),
    ];
    let url = rig.gateway.url(&format!("/.portcullis/front-channel-logout{query}"));
    browser.send(Method::GET, &url, &head, "").await
}

#[tokio::test]
async fn a_frame_of_the_providers_ends_the_session_that_it_names_and_no_other() {
    let rig = Rig::open("").await;
    for (named, [sid, another]) in [(true, ["s1", "s2"]), (false, ["s3", "s4"])] {
        let one = rig.signed_in("alice", Some(sid)).await;
        let other = rig.signed_in("alice", Some(another)).await;
        // Microsoft Entra ID names no issuer.
        let iss = if named { format!("&iss={}", rig.issuer.issuer()) } else { String::new() };
        let answer = framed(&rig, &Browser::new(), &format!("?sid={sid}{iss}")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains(&format!("frame-ancestors {}; ", rig.issuer.issuer())), "{policy}");
        assert!(!answer.headers.contains_key("x-frame-options"));
        assert!(!rig.is_in(&one).await && rig.is_in(&other).await);
    }
    assert!(rig.counted("channel=\"front\",result=\"ended\"").await.ends_with(" 2"));
    assert_eq!(event(&rig.gateway, "logout-token.accepted")["channel"], "front");
}

#[tokio::test]
async fn invariant_18_a_frame_that_names_no_session_or_another_issuer_ends_nothing() {
    let rig = Rig::open("").await;
    let alice = rig.signed_in("alice", Some("s1")).await;
    for (query, reason) in [
        (String::new(), "no-sid"),
        (format!("?iss={}", rig.issuer.issuer()), "no-sid"),
        ("?sid=".into(), "no-sid"),
        (format!("?sid={}", "s".repeat(1025)), "no-sid"),
        ("?sid=s1&iss=https://evil.example".into(), "unknown-issuer"),
        (format!("?sid=s1&iss={}/", rig.issuer.issuer()), "unknown-issuer"),
    ] {
        assert_eq!(framed(&rig, &alice, &query).await.status, 400, "{query}: the cookie came along");
        rig.counted(reason).await;
    }
    assert_eq!(framed(&rig, &alice, "?sid=s").await.status, 200);
    assert!(rig.is_in(&alice).await);
    let url = rig.gateway.url("/.portcullis/front-channel-logout?sid=s1");
    let elsewhere = Browser::new().send(Method::GET, &url, &[("host", "elsewhere.example")], "").await;
    assert_eq!((elsewhere.status, rig.is_in(&alice).await), (404, true));
}

#[tokio::test]
async fn invariant_14_nothing_is_kept_of_sessions_that_strangers_make_up() {
    let rig = Rig::open("").await;
    let began = Browser::new();
    rig.issuer.now(|ways| ways.id_token = json!({"sid": "made-up"}));
    let callback = began.stop_before(&rig.gateway.url("/"), "/.portcullis/callback").await;
    assert_eq!(framed(&rig, &Browser::new(), "?sid=made-up").await.status, 200);
    assert_eq!(began.visit(callback.as_str()).await.status, 200, "{}", rig.gateway.log());
    assert!(rig.is_in(&began).await, "a sign-in that had begun was not ended by it");
}
