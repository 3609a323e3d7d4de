//! A device that speaks Device Bound Session Credentials as a browser does: it makes a key, registers it, and signs
//! challenges.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, Browser, between};

/// A key that leaves its device never.
pub(crate) struct Device(EcdsaKeyPair);

impl Device {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// Its public key (RFC 7518, section 6.2).
    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let text = |coordinate| URL_SAFE_NO_PAD.encode(coordinate);
        json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
    }

    /// A proof for this challenge; with the key in it, as at a registration, where that is said.
    pub(crate) fn proof(&self, challenge: &str, with_key: bool) -> String {
        let mut header = json!({ "typ": "dbsc+jwt", "alg": "ES256" });
        if with_key {
            header["jwk"] = self.jwk();
        }
        self.signed(&header, &json!({ "jti": challenge }))
    }

    /// Any JWT that it signs.
    pub(crate) fn signed(&self, header: &Value, payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(payload));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Does what a browser does when `answer` gave it a session: registers the key where it is told to.
    pub(crate) async fn register(&self, browser: &Browser, answer: &Answer) -> Answer {
        let (url, challenge) = registration(answer);
        send(browser, &url, None, Some(&self.proof(&challenge, true))).await
    }

    /// Renews the bound cookie of the session that it was told about, as a browser does: without a proof first, where it
    /// has no challenge.
    pub(crate) async fn refresh(
        &self,
        browser: &Browser,
        session: &Value,
        challenge: Option<&str>,
    ) -> Answer {
        let (url, id) = (refresh_url(session), name(session));
        let proof = challenge.map(|challenge| self.proof(challenge, false));
        let answer = send(browser, url, Some(id), proof.as_deref()).await;
        if answer.status != 403 {
            return answer;
        }
        let proof = self.proof(&asked(&answer), false);
        send(browser, url, Some(id), Some(&proof)).await
    }
}

/// The answers on the way to `url`, the last of which is no redirect.
pub(crate) async fn way(browser: &Browser, url: &str) -> Vec<Answer> {
    let mut answers = vec![browser.get(url).await];
    while let Some(next) = answers.last().unwrap().next() {
        answers.push(browser.get(&next).await);
        assert!(answers.len() < 20, "{next}");
    }
    answers
}

/// The answer that told how to bind, on the way to `url`.
pub(crate) async fn offered(browser: &Browser, url: &str) -> Option<Answer> {
    let answers = way(browser, url).await;
    assert_eq!(answers.last().unwrap().status, 200, "{}", answers.last().unwrap().body);
    answers.into_iter().find(|answer| answer.headers.contains_key("secure-session-registration"))
}

/// Where an answer tells a browser to register, and the challenge.
pub(crate) fn registration(answer: &Answer) -> (String, String) {
    let field = answer.header("secure-session-registration");
    assert!(field.starts_with("(ES256 RS256);"), "{field:?} of {}", answer.url);
    let path = between(field, "path=\"", "\"");
    let url = answer.url.join(&path).unwrap();
    (url.into(), between(field, "challenge=\"", "\""))
}

/// The challenge of an answer.
pub(crate) fn asked(answer: &Answer) -> String {
    let field = answer.header("secure-session-challenge");
    assert!(field.contains(";id=\"s"), "{field:?}: {} {}", answer.status, answer.body);
    between(field, "\"", "\"")
}

pub(crate) fn refresh_url(session: &Value) -> &str {
    session["refresh_url"].as_str().unwrap()
}

pub(crate) fn name(session: &Value) -> &str {
    session["session_identifier"].as_str().unwrap()
}

/// One request as browsers make it for themselves: no form, and no session cookie is needed for it.
pub(crate) async fn send(browser: &Browser, url: &str, id: Option<&str>, proof: Option<&str>) -> Answer {
    let origin = Url::parse(url).unwrap().origin().ascii_serialization();
    let id = id.map(|id| format!("\"{id}\""));
    let mut headers = vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty"), ("origin", &*origin)];
    headers.extend(id.as_deref().map(|id| ("sec-secure-session-id", id)));
    headers.extend(proof.map(|proof| ("secure-session-response", proof)));
    browser.send(Method::POST, url, &headers, "").await
}
