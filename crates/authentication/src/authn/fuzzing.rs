//! Bearer tokens whose signature holds, and what then decides.

#![allow(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

use super::{BearerIssuer, BearerSettings, BearerVerifier, DeviceProof, Verified, presented_proof};
use crate::clock::Clock;
use crate::fuzzing::{cut, edited};
use crate::oidc::jwks::Algorithm;
use crate::oidc::jwks::testing::{Provider, START, Signer};
use crate::oidc::{ProviderSettings, fixtures};

pub(super) const ISSUER: &str = "https://id.corp.example";
pub(super) const AUDIENCE: &str = "https://api.corp.example";
pub(super) const LEEWAY: u64 = 30;
pub(super) const NOW: u64 = START.seconds();

/// A provider whose tokens are taken for our audience.
pub(super) fn settings() -> ProviderSettings {
    ProviderSettings { audiences: vec![AUDIENCE.into()], ..fixtures::provider(ISSUER) }
}

struct Gateway {
    runtime: Runtime,
    signer: Signer,
    /// Of nobody whom we know.
    other: Signer,
    verifier: BearerVerifier,
    /// A good token.
    token: String,
}

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| {
    let (clock, signer) = (Clock::manual(START), Signer::new(Algorithm::ES256));
    let keys = Arc::new(Arc::new(Provider::new(&[signer.jwk("k")])).cache(&clock));
    let issuer = BearerIssuer { settings: settings(), keys };
    let verifier = BearerVerifier::new(vec![issuer], clock, BearerSettings::default());
    let claims = format!(r#"{{"iss":"{ISSUER}","sub":"u1","aud":"{AUDIENCE}","exp":{}}}"#, NOW + 3600);
    let token = signer.jws(Algorithm::ES256, r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#, &claims);
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    Gateway { runtime, signer, other: Signer::new(Algorithm::ES256), verifier, token }
});

/// Header and claims, a line each, signed by the provider: what is taken is an access token for us that is good now.
/// And a good token with the changes that `data` spells, and `data` as a token: only the good one is taken.
pub fn bearer_tokens(data: &[u8]) {
    let Gateway { signer, other, token, .. } = &*GATEWAY;
    let (header, claims) = cut(data, b"\n");
    let (header, claims) = (String::from_utf8_lossy(header), String::from_utf8_lossy(claims));
    let signed = signer.jws(Algorithm::ES256, &header, &claims);
    if let Some(taken) = verified(&signed) {
        good(&header, &claims, &taken);
    }
    assert!(verified(&other.jws(Algorithm::ES256, &header, &claims)).is_none(), "somebody else signed it");
    for text in [edited(token.as_bytes(), data), data.to_vec(), token.clone().into_bytes()] {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(verified(&text).is_some(), text == *token, "nobody signed {text}");
    }
}

fn verified(text: &str) -> Option<Arc<Verified>> {
    let Gateway { runtime, verifier, .. } = &*GATEWAY;
    let known = verifier.cached(text);
    let verified = runtime.block_on(verifier.verify(text)).ok();
    assert!(known.is_none() || verified.is_some(), "remembered, and not good");
    let remembered = verifier.cached(text).map(|verified| verified.expires);
    assert_eq!(remembered, verified.as_ref().map(|verified| verified.expires), "remembered otherwise");
    verified
}

fn good(header: &str, claims: &str, verified: &Verified) {
    let read = |text| serde_json::from_str::<Map<String, Value>>(text).expect("it was read");
    let (header, claims) = (read(header), read(claims));
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or("jwt").to_ascii_lowercase();
    assert!(["jwt", "at+jwt"].contains(&typ.trim_start_matches("application/")), "of type {typ}");
    assert_eq!(header["alg"], "ES256");
    assert_eq!(claims["iss"], ISSUER);
    let ours =
        claims["aud"].as_array().map_or(claims["aud"] == AUDIENCE, |all| all.contains(&AUDIENCE.into()));
    assert!(ours, "for {}", claims["aud"]);
    let exp = claims["exp"].as_f64().expect("a number");
    assert!(exp + LEEWAY as f64 > NOW as f64, "it ended at {exp}");
    assert!(
        verified.expires.seconds() <= (exp as u64).saturating_add(LEEWAY),
        "it lives longer than it says"
    );
    for name in ["nbf", "iat"] {
        let begin = claims.get(name).map_or(0.0, |value| value.as_f64().expect("a number"));
        assert!(begin <= (NOW + LEEWAY) as f64, "{name} is {begin}");
    }
    assert!(!claims.contains_key("cnf") && !claims.contains_key("events"), "bound, or of another kind");
    let of_ids = ["nonce", "at_hash", "c_hash"].iter().any(|name| claims.contains_key(*name));
    let says_access = typ.ends_with("at+jwt")
        || claims.get("typ").is_some_and(|typ| typ == "Bearer")
        || claims.get("token_use").is_some_and(|purpose| purpose == "access");
    assert!(!of_ids || says_access, "an ID token");
    let subject = claims.get("sub").or_else(|| claims.get("client_id"));
    assert_eq!(subject.and_then(Value::as_str), Some(verified.principal.subject.as_str()));
    assert!(!verified.principal.subject.as_str().is_empty(), "nobody");
}

struct DeviceFixture {
    signer: Signer,
    key: crate::session::DeviceKey,
    proof: String,
}

static DEVICE: LazyLock<DeviceFixture> = LazyLock::new(|| {
    let signer = Signer::new(Algorithm::ES256);
    let proof = |with_key: bool| {
        let mut header = serde_json::json!({ "typ": "dbsc+jwt", "alg": "ES256" });
        if with_key {
            header["jwk"] = signer.jwk("k");
        }
        signer.jws(Algorithm::ES256, &header.to_string(), r#"{"jti":"challenge"}"#)
    };
    let registered = proof(true);
    let key = DeviceProof::parse(&registered).and_then(|proof| proof.registered_key()).expect("a key");
    DeviceFixture { key, proof: proof(false), signer }
});

/// A field with `data` in it and one with a good proof changed as `data` spells; and header and claims, a line each, signed
/// by the device: what is taken is its proof, by its algorithm, without a key of its own.
pub fn device_proofs(data: &[u8]) {
    let DeviceFixture { signer, key, proof } = &*DEVICE;
    for text in [data.to_vec(), edited(proof.as_bytes(), data), [b"\"", proof.as_bytes(), b"\""].concat()] {
        let Ok(field) = http::HeaderValue::from_bytes(&text) else { continue };
        let fields = [("secure-session-response".parse().expect("a name"), field)].into_iter().collect();
        if let Ok(text) = presented_proof(&fields) {
            let taken = DeviceProof::parse(&text).and_then(|proof| proof.check(key)).is_ok();
            assert_eq!(taken, text == *proof, "what another has written is taken");
        }
    }
    let (header, claims) = cut(data, b"\n");
    let (header, claims) = (String::from_utf8_lossy(header), String::from_utf8_lossy(claims));
    let signed = signer.jws(Algorithm::ES256, &header, &claims);
    let Ok(parsed) = DeviceProof::parse(&signed) else { return };
    let header: Map<String, Value> = serde_json::from_str(&header).expect("a header that was read");
    assert!(header["typ"].as_str().is_some_and(|typ| typ.to_ascii_lowercase().ends_with("dbsc+jwt")));
    assert!(["ES256", "RS256"].contains(&header["alg"].as_str().unwrap_or_default()));
    assert_eq!(parsed.check(key).is_ok(), header["alg"] == "ES256" && !header.contains_key("jwk"));
}

#[cfg(test)]
#[test]
fn smoke_device_proofs() {
    crate::fuzzing::smoke("device_proofs", 400, device_proofs);
}

#[cfg(test)]
#[test]
fn smoke() {
    crate::fuzzing::smoke("bearer_tokens", 500, bearer_tokens);
}
