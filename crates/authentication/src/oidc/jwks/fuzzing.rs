//! Tokens and key sets, against what the standards say of them read once more.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::testing::{Signer, jwks as document_of};
use super::{Algorithm, Jws, KeySet, document, settings};
use crate::fuzzing::{cut, edited};

const PAYLOAD: &str = r#"{"iss":"https://id.example","sub":"u1","aud":"a","exp":1800003600}"#;
const SIGNING: [(Algorithm, &str); 6] = [
    (Algorithm::ES256, "p256"),
    (Algorithm::ES384, "p384"),
    (Algorithm::ES512, "p521"),
    (Algorithm::EdDSA, "ed"),
    (Algorithm::RS256, "rsa"),
    (Algorithm::PS256, "rsa"),
];

struct Issuer {
    signers: Vec<Signer>,
    keys: KeySet,
    tokens: Vec<String>,
}

impl Issuer {
    fn new() -> Self {
        let mut signers: Vec<_> = SIGNING[..5].iter().map(|(algorithm, _)| Signer::new(*algorithm)).collect();
        let named = signers.iter().zip(SIGNING).map(|(signer, (_, kid))| signer.jwk(kid));
        let document = document_of(&named.collect::<Vec<_>>());
        let (keys, refused) = document::read(&document).expect("it is a document");
        assert!(refused.is_empty(), "all of its keys are good");
        let tokens = SIGNING.iter().enumerate().map(|(at, (algorithm, kid))| {
            let header = format!(r#"{{"alg":"{algorithm}","kid":"{kid}","typ":"at+jwt"}}"#);
            signers[at.min(4)].jws(*algorithm, &header, PAYLOAD)
        });
        let tokens = tokens.collect();
        signers.truncate(1);
        Self { signers, keys, tokens }
    }

    fn verifies(&self, text: &str) -> bool {
        Jws::parse(text).is_ok_and(|token| self.keys.verify(&token).is_ok())
    }
}

static ISSUER: LazyLock<Issuer> = LazyLock::new(Issuer::new);

/// A token of one of six algorithms (by the first byte) with the changes that the rest spells: none but the token
/// itself verifies. The rest as a token: it verifies never, and what it says of itself jsonwebtoken reads, too. The
/// first line of the rest as a header that is signed all the same: it verifies where it names the key and the
/// algorithm, and nowhere else.
pub fn jws(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let token = &ISSUER.tokens[usize::from(*which) % ISSUER.tokens.len()];
    if let Ok(text) = String::from_utf8(edited(token.as_bytes(), rest)) {
        assert_eq!(ISSUER.verifies(&text), text == *token, "a changed token verifies");
    }
    let Ok(text) = str::from_utf8(rest) else { return };
    assert!(!ISSUER.verifies(text) || ISSUER.tokens.iter().any(|token| token == text), "nobody signed it");
    if let (Ok(ours), Ok(theirs)) = (Jws::parse(text), jsonwebtoken::decode_header(text)) {
        assert_eq!(ours.header.algorithm.jsonwebtoken(), Some(theirs.alg), "another algorithm");
        assert_eq!(ours.header.kid, theirs.kid, "another key");
    }
    let (header, payload) = cut(rest, b"\n");
    let (header, payload) = (String::from_utf8_lossy(header), String::from_utf8_lossy(payload));
    let signed = ISSUER.signers[0].jws(Algorithm::ES256, &header, &payload);
    if ISSUER.verifies(&signed) {
        let header: Map<String, Value> = serde_json::from_str(&header).expect("it was read");
        assert_eq!(header["alg"], "ES256", "signed in another way than it says");
        assert!(header.get("kid").is_none_or(|kid| kid == "p256"), "signed by another key than it says");
        assert!(["crit", "b64", "zip", "enc", "cty"].iter().all(|name| !header.contains_key(*name)));
        assert!(serde_json::from_str::<Map<String, Value>>(&payload).is_ok(), "claims are an object");
    }
}

/// A JWK Set: what is usable of it is what may be, and ceases to be where one thing is wrong with it.
pub fn jwks(data: &[u8]) {
    let Ok((keys, refused)) = document::read(data) else { return };
    let document: Map<String, Value> = serde_json::from_slice(data).expect("it was read");
    let entries = document["keys"].as_array().expect("it was read");
    assert!(entries.len() <= settings::MAX_KEYS && keys.keys().len() + refused.len() <= entries.len());
    let usable = entries.iter().enumerate().filter(|(at, _)| refused.iter().all(|(place, _)| place != at));
    for (_, entry) in usable {
        let entry = entry.as_object().expect("a key is an object");
        assert!(may_be_used(entry), "usable: {entry:?}");
        for (name, value) in
            [("d", "AQ"), ("k", "AQ"), ("use", "enc"), ("kty", "oct"), ("alg", "HS256"), ("alg", "none")]
        {
            let mut spoiled = entry.clone();
            spoiled.insert(name.into(), value.into());
            let set = document_of(&[spoiled.into()]);
            let (keys, _) = document::read(&set).expect("it is a document");
            assert!(keys.is_empty(), "usable with {name}: {value}");
        }
    }
    for key in keys.keys() {
        let allowed = Algorithm::ALL.into_iter().filter(|algorithm| key.allows(*algorithm));
        assert!(allowed.clone().count() > 0, "good for nothing");
        allowed.for_each(|algorithm| assert!(key.verify(algorithm, b"a.b", "AAAA").is_err()));
    }
}

fn may_be_used(key: &Map<String, Value>) -> bool {
    let said = |name: &str| key.get(name).filter(|value| !value.is_null());
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| said(name).is_some());
    let signs = said("use").is_none_or(|purpose| purpose == "sig");
    let verifies = said("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|operations| operations.contains(&Value::from("verify")))
    });
    let named = said("kid").is_none_or(|kid| kid.as_str().is_some_and(|kid| kid.len() <= 1024));
    let algorithms: &[&str] = match (text("kty"), text("crv")) {
        ("RSA", _) => &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ("EC", "P-256") => &["ES256"],
        ("EC", "P-384") => &["ES384"],
        ("EC", "P-521") => &["ES512"],
        ("OKP", "Ed25519") => &["EdDSA", "Ed25519"],
        _ => &[],
    };
    let fits = said("alg").is_none_or(|alg| algorithms.iter().any(|known| alg == known));
    let long = text("kty") != "RSA" || (2048..=8192).contains(&bits(text("n")));
    !private && signs && verifies && named && fits && !algorithms.is_empty() && long
}

fn bits(number: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(number.trim_end_matches('=')).unwrap_or_default();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes[first..].len() * 8 - bytes.get(first).map_or(0, |byte| byte.leading_zeros() as usize)
}

#[cfg(test)]
#[test]
fn smoke_tokens() {
    crate::fuzzing::smoke("jws", 400, jws);
}

#[cfg(test)]
#[test]
fn smoke_keys() {
    crate::fuzzing::smoke("jwks", 1000, jwks);
}
