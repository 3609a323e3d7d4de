//! What the provider is told when somebody signs out here (RFC 7009), and what the person is.

use serde_json::json;

use super::{ROUTE, Rig};
use crate::support::{Answer, App, Browser, Discovery, Gateway, Impostor, World, event, until_async};

/// A rig whose provider takes tokens back, and knows a sign-out where `end_session` says so.
async fn takes_back(end_session: bool) -> (Rig, Browser) {
    let (issuer, app) = (Impostor::start().await, App::start().await);
    let at = |path: &str| format!("{}{path}", issuer.issuer());
    let mut metadata = json!({"revocation_endpoint": at("/revoke")});
    if end_session {
        metadata["end_session_endpoint"] = at("/bye").into();
    }
    issuer.now(|ways| {
        ways.discovery = Discovery::Changed(metadata);
        ways.tokens = json!({"refresh_token": "refresh-token"});
    });
    let route = ROUTE.replace("{app}", &app.url());
    let gateway = Gateway::start(&format!("{}{route}", issuer.configuration()));
    let rig = Rig { gateway, issuer, _app: app };
    let browser = rig.signed_in("alice", None).await;
    (rig, browser)
}

async fn leaves(rig: &Rig, browser: &Browser) -> Answer {
    let answer = browser.submit(&rig.gateway.url("/.portcullis/sign-out"), "").await;
    assert!(!rig.is_in(browser).await);
    answer
}

async fn revocations(rig: &Rig, result: &str) -> bool {
    let metrics = Browser::new().get(&rig.gateway.admin_url("/metrics")).await.body;
    metrics
        .contains(&format!("portcullis_token_revocations_total{{provider=\"corp\",result=\"{result}\"}} 1"))
}

#[tokio::test]
async fn who_signs_out_has_the_provider_take_its_tokens_back_and_is_told_what_came_of_it() {
    let (rig, browser) = takes_back(false).await;
    let page = leaves(&rig, &browser).await;
    assert!(page.body.contains("has taken back the tokens"), "{}", page.body);
    assert!(rig.issuer.asked("/revoke") == 1 && revocations(&rig, "ok").await);
    let (rig, browser) = takes_back(false).await;
    rig.issuer.now(|ways| drop(ways.instead.insert("/revoke", (503, "text/plain", String::new()))));
    let page = leaves(&rig, &browser).await;
    assert!(page.body.contains("did not take back the tokens"), "{}", page.body);
    assert!(revocations(&rig, "failed").await);
    event(&rig.gateway, "tokens.not-revoked");
}

#[tokio::test]
async fn a_provider_that_is_silent_holds_no_sign_out_up() {
    for end_session in [false, true] {
        let (rig, browser) = takes_back(end_session).await;
        rig.issuer.now(|ways| ways.silent = &["/revoke"]);
        let page = leaves(&rig, &browser).await;
        assert_eq!(page.status, 200);
        assert_eq!(
            page.body.contains("has been asked to take back the tokens"),
            !end_session,
            "{}",
            page.body
        );
        assert_eq!(page.body.contains("id=\"onward\""), end_session, "{}", page.body);
        until_async("the end of patience", || revocations(&rig, "failed")).await;
    }
}

#[tokio::test]
async fn a_certified_provider_takes_its_refresh_token_back() {
    let world = World::open(ROUTE).await;
    let browser = world.signed_in().await;
    browser.submit(&world.gateway.url("/.portcullis/sign-out"), "").await;
    event(&world.gateway, "tokens.revoked");
    assert_eq!(world.provider.asked("/token/revocation").await, 1);
}

#[tokio::test]
async fn the_page_behind_a_sign_out_tells_nobody_who_is_signed_in_that_they_are_not() {
    let world = World::open(ROUTE).await;
    let browser = world.signed_in().await;
    for state in ["", "?state=", "?state=made-up"] {
        let page = browser.get(&world.gateway.url(&format!("/.portcullis/signed-out{state}"))).await;
        assert!(
            page.body.contains("Sign out?") && !page.body.contains("You are signed out"),
            "{}",
            page.body
        );
        let stranger =
            Browser::new().get(&world.gateway.url(&format!("/.portcullis/signed-out{state}"))).await;
        assert!(
            stranger.body.contains("You are signed out") && !stranger.body.contains("was told"),
            "{}",
            stranger.body
        );
    }
}
