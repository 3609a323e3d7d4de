//! The demo, running, with a client that is us.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::browser::{Answer, Browser, encoded};
use crate::{Demo, Person};
use portcullis_rules::clock::{Clock, Timestamp};

pub(super) const VERIFIER: &str = "throw-away-verifier-of-the-tests-0123456789-abcdefg";
pub(super) const CALLBACK: &str = "http://127.0.0.1:8080/.portcullis/callback";

/// Everything a test needs.
pub(super) struct World {
    pub(super) demo: Demo,
    pub(super) clock: Clock,
    pub(super) browser: Browser,
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let gateway: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let demo = Demo::start(gateway, clock.clone()).await.unwrap();
        let browser = Browser::new(demo.issuer());
        Self { demo, clock, browser }
    }

    pub(super) fn person(&self, name: &str) -> &Person {
        self.demo.people().iter().find(|person| person.name == name).unwrap()
    }

    /// The target of a good authorization request with `changes`: a value of `""` leaves the parameter out.
    pub(super) fn wanted(&self, changes: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD
            .encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes()));
        let mut parameters = BTreeMap::from([
            ("client_id", self.demo.client_id()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile email groups"),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        parameters.extend(changes.iter().copied());
        parameters.retain(|_, value| !value.is_empty());
        format!("/op/authorize?{}", encoded(&parameters.into_iter().collect::<Vec<_>>()))
    }

    /// Goes to the sign-in page and signs in there; what comes next.
    pub(super) async fn sign_in(&self, name: &str, changes: &[(&str, &str)]) -> Answer {
        let started = self.browser.get(&self.wanted(changes)).await;
        let page = self.browser.follow(&started).await;
        self.submit_password(&page, name).await
    }

    pub(super) async fn submit_password(&self, page: &Answer, name: &str) -> Answer {
        let password = self.person(name).password.expose();
        let sent =
            self.browser.submit(page, "/op/sign-in", &[("username", name), ("password", password)]).await;
        self.browser.follow(&sent).await
    }

    /// Allows what the page asks for.
    pub(super) async fn allow(&self, page: &Answer) -> Answer {
        let sent = self.browser.submit(page, "/op/consent", &[("decision", "allow")]).await;
        self.browser.follow(&sent).await
    }

    /// A code for `name`, who has not been here before.
    pub(super) async fn code(&self, name: &str, changes: &[(&str, &str)]) -> String {
        let consent = self.sign_in(name, changes).await;
        let (_, parameters) = self.allow(&consent).await.location();
        parameters["code"].clone()
    }

    /// Asks the token endpoint as the gateway, with its secret.
    pub(super) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.token_as(self.demo.client_id(), self.demo.client_secret().expose(), form).await
    }

    pub(super) async fn token_as(&self, id: &str, secret: &str, form: &[(&str, &str)]) -> Answer {
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let headers =
            [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        self.browser.send(Method::POST, "/op/token", &headers, encoded(form).into_bytes()).await
    }

    pub(super) async fn redeem(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub(super) async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(super) async fn userinfo(&self, token: &str) -> Answer {
        let headers = [("authorization", &*format!("Bearer {token}"))];
        self.browser.send(Method::GET, "/op/userinfo", &headers, Vec::new()).await
    }

    /// The claims of a token, its signature checked against the published keys.
    pub(super) async fn claims(&self, token: &str) -> (String, Map<String, Value>) {
        let keys = self.browser.get("/op/jwks.json").await;
        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&keys.body).unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
        let data = jsonwebtoken::decode(token, &key, &validation).unwrap();
        (header.typ.unwrap_or_default(), data.claims)
    }
}

/// An error of the token endpoint.
pub(super) fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, StatusCode::from_u16(status).unwrap(), "{}", answer.body);
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
}
