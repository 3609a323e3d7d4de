//! What a provider says of itself; and the bodies of `jwks` and `flow`.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use serde_json::Value;
use url::Url;

use super::fixtures;
pub use super::flow::fuzzing::flow_cookies;
pub use super::jwks::fuzzing::{jwks, jws};
use super::metadata::{Metadata, checked};
use super::settings::*;

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

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("discovery", 1500, discovery);
}
