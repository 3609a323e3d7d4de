//! What somebody tries who means no good, and what no other file of the tests tries.

use http::Method;

use crate::support::{Browser, World};

const ROUTES: &str = r#"
[[routes]]
name = "app"
upstream = "{app}"
access = "signed-in"

[[routes]]
name = "open"
path = "/open"
upstream = "{app}"
access = "public"

[[routes]]
name = "moved"
path = "/moved"
redirect = { path = "/secret" }
access = "signed-in"
"#;

#[tokio::test]
async fn invariant_17_no_shared_cache_keeps_what_only_the_signed_in_may_see() {
    let world = World::open(ROUTES).await;
    let browser = Browser::new();
    let sent_away = browser.get(&world.gateway.url("/")).await;
    assert_eq!((sent_away.status, sent_away.header("cache-control")), (302, "no-store"));
    let seen = browser.visit(&world.gateway.url("/")).await;
    assert_eq!((seen.status, seen.header("cache-control")), (200, "private"));
    let moved = browser.get(&world.gateway.url("/moved")).await;
    assert_eq!((moved.status, moved.header("cache-control")), (308, "no-store"));
    let open = browser.get(&world.gateway.url("/open")).await;
    assert_eq!((open.status, open.header("cache-control")), (200, ""), "what is public is the app's to say");
}

/// Every way a browser sends another site's form: none of them signs anybody out or in.
#[tokio::test]
async fn invariant_18_another_sites_form_ends_and_begins_nothing() {
    let world = World::open(ROUTES).await;
    let browser = Browser::new();
    browser.visit(&world.gateway.url("/")).await;
    let forms = [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:1")],
        &[("sec-fetch-site", "none")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1.evil.example")],
        // A script of the app's own: it could read the answer.
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "same-origin")],
        &[],
    ];
    for path in ["sign-out", "sign-in", "resume"] {
        let url = world.gateway.url(&format!("/.portcullis/{path}"));
        for form in forms {
            let answer = browser.send(Method::POST, &url, form, "sealed=x").await;
            assert_eq!(answer.status, 403, "{path} {form:?}");
            assert!(answer.headers.get("set-cookie").is_none(), "{path} {form:?}");
        }
    }
    assert_eq!(browser.get(&world.gateway.url("/")).await.status, 200, "still signed in");
}

/// None of these is an endpoint, none reaches the app as one, and none goes on without a session.
#[tokio::test]
async fn invariant_2_odd_spellings_of_our_own_paths_lead_nowhere() {
    let world = World::open(ROUTES).await;
    let stranger = Browser::new();
    for (path, status) in [
        ("/.portcullis%2fsign-out", 400),
        ("/.portcullis%2f..%2fopen", 400),
        ("//.portcullis/sign-out", 400),
        ("/.portcullis;x/sign-out", 400),
        ("/.portcullis/nothing", 404),
        ("/.portcullis/sign-out/", 404),
        ("/.Portcullis/sign-out", 401),
        ("/.portcullisx", 401),
    ] {
        let answer = stranger.send(Method::GET, &world.gateway.url(path), &[], "").await;
        assert_eq!(answer.status, status, "{path}");
    }
    assert_eq!(world.app.served(), 0);
}
