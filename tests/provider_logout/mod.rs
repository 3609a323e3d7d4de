//! A person who signs out at the provider is signed out here, and nobody but the provider can say so; who signs out here
//! has the provider told.

mod back_channel;
mod front_channel;
mod tokens_taken_back;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Browser, Gateway, Impostor};

const ROUTE: &str = "[[routes]]\nname = \"wiki\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n";
const FORM: &str = "application/x-www-form-urlencoded";

/// A gateway whose provider's key the test holds.
struct Rig {
    gateway: Gateway,
    issuer: Impostor,
    _app: App,
}

impl Rig {
    async fn open(provider: &str) -> Self {
        let (issuer, app) = (Impostor::start().await, App::start().await);
        let route = ROUTE.replace("{app}", &app.url());
        let gateway = Gateway::start(&format!("{}{provider}\n{route}", issuer.configuration()));
        Self { gateway, issuer, _app: app }
    }

    /// A browser in which `sub` is signed in by the provider's session `sid`.
    async fn signed_in(&self, sub: &str, sid: Option<&str>) -> Browser {
        self.issuer.now(|ways| ways.id_token = json!({"sub": sub, "sid": sid}));
        let browser = Browser::new();
        assert_eq!(browser.visit(&self.gateway.url("/")).await.status, 200, "{}", self.gateway.log());
        browser
    }

    async fn is_in(&self, browser: &Browser) -> bool {
        browser.get(&self.gateway.url("/")).await.status == 200
    }

    async fn gateway_lets_in(&self, browser: &Browser) -> bool {
        browser.visit(&self.gateway.url("/")).await.status == 200
    }

    async fn post(&self, media_type: &str, body: &str) -> Answer {
        let url = self.gateway.url("/.portcullis/back-channel-logout");
        Browser::new().send(Method::POST, &url, &[("content-type", media_type)], body).await
    }

    async fn told(&self, token: &str) -> Answer {
        self.post(FORM, &format!("logout_token={token}")).await
    }

    async fn is_done(&self, changes: Value) -> Answer {
        let answer = self.told(&self.issuer.logout_token(&changes)).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{changes}: {}", self.gateway.log());
        assert_eq!(answer.header("cache-control"), "no-store");
        answer
    }

    async fn counted(&self, result: &str) -> String {
        let metrics = Browser::new().get(&self.gateway.admin_url("/metrics")).await.body;
        let named = |line: &&str| line.starts_with("portcullis_logouts_total{") && line.contains(result);
        metrics.lines().find(named).unwrap_or_else(|| panic!("no {result} in {metrics}")).to_owned()
    }
}
