//! What a provider says of itself; and the bodies of `jwks` and `flow`.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::fixtures;
pub use super::flow::fuzzing::flow_cookies;
pub use super::jwks::fuzzing::{jwks, jws};
use super::jwks::testing::{Provider as Keys, START, Signer};
use super::jwks::{Algorithm, Jws};
use super::logout_token::LogoutToken;
use super::metadata::{Metadata, checked};
use super::provider::Provider;
use super::settings::*;
use crate::clock::Clock;
use crate::fuzzing::{cut, edited};

/// Letters of the longest thing that is said of a document.
const LONGEST: usize = 2000;

/// A discovery document: what is taken of it leads to where it may lead, and what is said of it can be printed.
///
/// The first byte tells whether people sign in (1) and whether the document came from this very machine (2).
pub fn discovery(data: &[u8]) {
    let Some((how, text)) = data.split_first() else { return };
    let (signs_in, local) = (how & 1 != 0, how & 2 != 0);
    let Ok(document) = serde_json::from_slice::<Value>(text) else { return };
    let settings = settings(signs_in);
    match checked(&document, local, &settings) {
        Ok(metadata) => {
            assert_eq!(document["issuer"], settings.issuer.as_str(), "another issuer");
            assert!(!signs_in || metadata.authorization.is_some() && metadata.token.is_some());
            metadata.remarks.iter().for_each(|remark| printable(remark));
            endpoints(&document, &metadata, local);
        }
        Err(error) => printable(&error.to_string()),
    }
}

fn endpoints(document: &Value, metadata: &Metadata, local: bool) {
    for (name, url) in [
        ("jwks_uri", Some(&metadata.jwks)),
        ("authorization_endpoint", metadata.authorization.as_ref()),
        ("token_endpoint", metadata.token.as_ref()),
        ("userinfo_endpoint", metadata.userinfo.as_ref()),
        ("end_session_endpoint", metadata.end_session.as_ref()),
        ("revocation_endpoint", metadata.revocation.as_ref()),
    ] {
        let Some(url) = url else { continue };
        let said = document[name].as_str().and_then(|text| Url::parse(text).ok());
        assert_eq!(said.as_ref(), Some(url), "{name} is another");
        let here =
            ["127.", "localhost", "[::1]"].iter().any(|host| url.host_str().unwrap_or("").starts_with(host));
        assert!(url.scheme() == "https" || (local && here && url.scheme() == "http"), "{name} is {url}");
        assert!(!url.as_str().contains(['#', '@']) || url.path().contains('@') || url.query().is_some());
    }
}

fn printable(text: &str) {
    assert!(
        !text.contains(char::is_control) && text.chars().count() <= LONGEST,
        "not to be printed: {text:?}"
    );
}

fn settings(signs_in: bool) -> ProviderSettings {
    let client = ClientSettings { response_mode: ResponseMode::FormPost, ..fixtures::client() };
    ProviderSettings { client: signs_in.then_some(client), ..fixtures::provider("https://id.example") }
}

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const NOW: u64 = START.seconds();

/// Tokens of a signer whom a reader knows.
pub(crate) struct SignedTokens {
    signer: Signer,
    /// Of nobody whom the reader knows.
    other: Signer,
    /// A good one.
    token: String,
}

impl SignedTokens {
    /// With a good one of these claims.
    pub(crate) fn new(signer: Signer, header: &str, claims: &str) -> Self {
        let token = signer.jws(Algorithm::ES256, header, claims);
        Self { signer, other: Signer::new(Algorithm::ES256), token }
    }

    /// `data` as header and claims, a line each, signed by the signer: what is `taken` is `good`. And a good token with the
    /// changes that `data` spells, and `data` as a token: only the good one is taken.
    pub(crate) fn check<T>(
        &self,
        data: &[u8],
        taken: impl Fn(&str) -> Option<T>,
        good: impl FnOnce(&str, &str, &T),
    ) {
        let Self { signer, other, token } = self;
        let (header, claims) = cut(data, b"\n");
        let (header, claims) = (String::from_utf8_lossy(header), String::from_utf8_lossy(claims));
        if let Some(taken) = taken(&signer.jws(Algorithm::ES256, &header, &claims)) {
            good(&header, &claims, &taken);
        }
        assert!(taken(&other.jws(Algorithm::ES256, &header, &claims)).is_none(), "somebody else signed it");
        for text in [edited(token.as_bytes(), data), data.to_vec(), token.clone().into_bytes()] {
            let text = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(taken(&text).is_some(), text == *token, "nobody signed {text}");
        }
    }
}

struct Gateway {
    runtime: Runtime,
    provider: Arc<Provider>,
    tokens: SignedTokens,
}

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| {
    let (clock, signer) = (Clock::manual(START), Signer::new(Algorithm::ES256));
    let back = Url::parse("https://login.example/.portcullis/callback").expect("a URL");
    let provider = Provider::new(settings(true), Some(back), clock.clone()).expect("a provider");
    provider.attach_keys(Arc::new(Arc::new(Keys::new(&[signer.jwk("k")])).cache(&clock)));
    let claims = format!(
        r#"{{"iss":"https://id.example","aud":"portcullis","iat":{NOW},"exp":{},"jti":"j","sid":"s","events":{{"{EVENT}":{{}}}}}}"#,
        NOW + 120
    );
    let tokens = SignedTokens::new(signer, r#"{"alg":"ES256","kid":"k","typ":"logout+jwt"}"#, &claims);
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    Gateway { runtime, provider, tokens }
});

/// Header and claims, a line each, signed by the provider: what is taken is a logout token for us that is good now. And
/// a good token with the changes that `data` spells, and `data` as a token: only the good one is taken.
pub fn logout_tokens(data: &[u8]) {
    GATEWAY.tokens.check(data, logout, good_logout);
}

fn logout(text: &str) -> Option<LogoutToken> {
    let Gateway { runtime, provider, .. } = &*GATEWAY;
    let verified = runtime.block_on(provider.verified_logout(&Jws::parse(text).ok()?));
    verified.inspect_err(|error| printable(&error.to_string())).ok()
}

fn good_logout(header: &str, claims: &str, taken: &LogoutToken) {
    let read = |text| serde_json::from_str::<Map<String, Value>>(text).expect("it was read");
    let (header, claims) = (read(header), read(claims));
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or("jwt").to_ascii_lowercase();
    assert!(["jwt", "logout+jwt"].contains(&typ.trim_start_matches("application/")), "of type {typ}");
    assert_eq!(claims["iss"], "https://id.example");
    let ours = claims["aud"]
        .as_array()
        .map_or(claims["aud"] == "portcullis", |all| all.contains(&"portcullis".into()));
    assert!(ours && !claims.contains_key("nonce") && claims["events"][EVENT].is_object());
    let exp = claims["exp"].as_f64().expect("a number");
    assert!(exp + 30.0 > NOW as f64 && taken.good_until.seconds() as f64 <= exp + 30.0, "it ended at {exp}");
    assert!(claims["iat"].as_f64().expect("a number") <= (NOW + 30) as f64, "it is not made yet");
    let said = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    assert_eq!((said("sid"), said("sub")), (taken.sid.clone(), taken.subject.clone()));
    assert!(taken.sid.is_some() || taken.subject.is_some(), "of nobody");
    assert_eq!(said("jti").as_deref(), Some(taken.id.as_str()));
}

#[cfg(test)]
#[test]
fn smoke_logout_tokens() {
    crate::fuzzing::smoke("logout_tokens", 500, logout_tokens);
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("discovery", 1500, discovery);
}
