//! What a transmitter of Shared Signals tells takes effect at once, on the sessions that it means and no others; the stream
//! at the transmitter is kept as the configuration says (OpenID Shared Signals Framework 1.0, CAEP 1.0, RISC 1.0).

mod effects;
mod hostile;
mod poll;
mod push;
mod streams;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Browser, Gateway, Impostor, Transmitter, until_async};

const ROUTES: &str = "[[routes]]\nname = \"wiki\"\nupstream = \"{app}\"\naccess = \"signed-in\"\n\
                      identity = { headers = { X-Groups = \"groups\" } }\n";

/// A gateway whose provider and transmitter are the test's.
struct Rig {
    gateway: Gateway,
    issuer: Impostor,
    transmitter: Transmitter,
    _app: App,
}

impl Rig {
    async fn open(signals: &str) -> Self {
        Self::with(signals, "").await
    }

    /// One with these further lines of `[signals.corp]`, and tables behind it; its stream has been verified.
    async fn with(signals: &str, more: &str) -> Self {
        let rig = Self::unready(Transmitter::start().await, signals, more).await;
        rig.is_verified().await;
        rig
    }

    async fn unready(transmitter: Transmitter, signals: &str, more: &str) -> Self {
        let (issuer, app) = (Impostor::start().await, App::start().await);
        let rest =
            format!("{}{}{more}\n{ROUTES}", issuer.configuration(), transmitter.configuration(signals));
        let gateway = Gateway::start(&rest.replace("{app}", &app.url()));
        Self { gateway, issuer, transmitter, _app: app }
    }

    async fn is_verified(&self) {
        until_async("a verified stream", || async {
            self.metric("signals_verified_age_seconds{").await.is_some()
        })
        .await;
        until_async("a stream that is up", || async {
            self.metric("signals_up{").await.is_some_and(|line| line.ends_with(" 1"))
        })
        .await;
    }

    /// Waits for what the gateway must say, while the transmitter answers; the line.
    async fn logs(&self, mark: &str) -> String {
        let find = || self.gateway.log().lines().find(|line| line.contains(mark)).map(str::to_owned);
        until_async(&format!("a line with {mark} in the log"), || async { find().is_some() }).await;
        find().unwrap()
    }

    /// A browser in which `sub` is signed in by the provider's session `sid`.
    async fn signed_in(&self, sub: &str, sid: Option<&str>) -> Browser {
        let email = format!("{sub}@corp.example");
        self.issuer.now(|ways| ways.id_token = json!({"sub": sub, "sid": sid, "email": email}));
        let browser = Browser::new();
        let answer = browser.visit(&self.gateway.url("/")).await;
        assert_eq!(answer.status, 200, "{}", self.gateway.log());
        browser
    }

    async fn is_in(&self, browser: &Browser) -> bool {
        browser.get(&self.gateway.url("/")).await.status == 200
    }

    /// The claims of a token about alice, but for `changes`.
    fn claims(&self, changes: &Value) -> Value {
        self.transmitter.claims(self.issuer.issuer(), changes)
    }

    /// Sends a token about alice, but for `changes`, which is accepted.
    async fn pushed(&self, changes: &Value) {
        let answer = self.transmitter.push(&self.transmitter.sign(&self.claims(changes))).await;
        accepted(&answer, &self.gateway);
    }

    async fn metric(&self, mark: &str) -> Option<String> {
        let metrics = Browser::new().get(&self.gateway.admin_url("/metrics")).await.body;
        metrics
            .lines()
            .find(|line| line.starts_with("portcullis_signals") && line.contains(mark))
            .map(str::to_owned)
    }

    async fn counted(&self, event: &str, result: &str) -> String {
        let labels = format!("event=\"{event}\",result=\"{result}\"");
        self.metric(&labels).await.unwrap_or_default()
    }

    /// Sends what it is told to where tokens are sent.
    async fn post(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        Browser::new().send(Method::POST, &self.gateway.url("/.portcullis/signals/corp"), headers, body).await
    }

    /// What the transmitter shows when it sends.
    fn authorization(&self) -> String {
        let stream = &self.transmitter.state().streams[0];
        stream["delivery"]["authorization_header"].as_str().unwrap().to_owned()
    }
}

fn accepted(answer: &Answer, gateway: &Gateway) {
    assert_eq!((answer.status, answer.body.as_str()), (202, ""), "{}", gateway.log());
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Of a key that the transmitter may publish yet: it is to send the same again.
fn unsettled(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.body);
    assert!(!answer.header("retry-after").is_empty(), "{what}");
}

fn refused(what: &str, answer: &Answer, code: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.body);
    let head =
        (answer.header("content-type"), answer.header("content-language"), answer.header("cache-control"));
    assert_eq!(head, ("application/json", "en", "no-store"), "{what}");
    let said = answer.json();
    assert_eq!(said["err"], code, "{what}: {said}");
    assert!(!said["description"].as_str().unwrap().is_empty(), "{what}");
}
