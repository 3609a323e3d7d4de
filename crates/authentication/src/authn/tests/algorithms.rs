//! Which signatures count (RFC 7515, RFC 8725, sections 3.1 to 3.5).

use aws_lc_rs::hmac;

use super::*;
use crate::oidc::jwks::testing::{OTHER_RSA, RSA, encode};

const RSA_ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

fn with_signer<T>(algorithm: Algorithm, test: impl FnOnce(&Signer) -> T) -> T {
    if RSA_ALGORITHMS.contains(&algorithm) { test(&RSA) } else { test(&Signer::new(algorithm)) }
}

fn publishing(jwk: Value) -> World {
    World::publishing(&[jwk], settings(), BearerSettings::default())
}

/// Signed as `signed` says while the header says `said`.
fn signed_as(signer: &Signer, signed: Algorithm, said: &str) -> String {
    signer.jws(signed, &json!({"alg": said, "kid": "k"}).to_string(), &claims().to_string())
}

#[tokio::test]
async fn invariant_5_every_algorithm_is_accepted_with_its_own_key() {
    for algorithm in Algorithm::ALL {
        let (jwk, token) = with_signer(algorithm, |signer| {
            (signer.jwk("k"), signed_as(signer, algorithm, algorithm.name()))
        });
        let bound = with(jwk.clone(), "alg", algorithm.name().into());
        for jwk in [jwk, bound] {
            let verified = publishing(jwk).verify(&token).await;
            assert_eq!(verified.unwrap().principal.subject.as_str(), "u1", "{algorithm}");
        }
    }
}

#[tokio::test]
async fn invariant_5_a_key_is_refused_under_every_other_algorithm() {
    for own in Algorithm::ALL {
        for said in Algorithm::ALL.into_iter().filter(|said| *said != own) {
            let (jwk, token) =
                with_signer(own, |signer| (signer.jwk("k"), signed_as(signer, own, said.name())));
            let refusal = publishing(jwk).refusal(&token).await;
            let wrong = matches!(refusal, Some(TokenError::BadSignature | TokenError::WrongAlgorithm));
            assert!(wrong, "{own} as {said}: {refusal:?}");
        }
    }
}

#[tokio::test]
async fn invariant_5_an_rsa_key_bound_to_one_algorithm_signs_by_no_other() {
    for bound in RSA_ALGORITHMS {
        let world = publishing(with(RSA.jwk("k"), "alg", bound.name().into()));
        for algorithm in RSA_ALGORITHMS.into_iter().filter(|other| *other != bound) {
            let token = signed_as(&RSA, algorithm, algorithm.name());
            assert_eq!(world.refusal(&token).await, Some(TokenError::WrongAlgorithm), "{algorithm}");
        }
    }
}

#[tokio::test]
async fn invariant_5_none_is_no_algorithm() {
    let world = World::new();
    let signed = token(&header(), &claims());
    let signature = signed.rsplit('.').next().unwrap();
    for alg in
        [json!("none"), json!("None"), json!("NONE"), json!(""), json!(null), json!(["ES256"]), json!(0)]
    {
        let header = json!({"alg": alg, "kid": "k"});
        let text =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims().to_string().as_bytes()));
        for end in ["", signature] {
            let refusal = world.refusal(&format!("{text}.{end}")).await;
            assert_eq!(refusal, Some(TokenError::UnsupportedAlgorithm), "{alg}");
        }
        assert!(matches!(world.refusal(&text).await, Some(TokenError::Malformed(_))));
    }
    let stripped = signed.strip_suffix(signature).unwrap();
    assert_eq!(world.refusal(stripped).await, Some(TokenError::BadSignature));
}

#[tokio::test]
async fn invariant_5_a_public_key_is_no_shared_secret() {
    let jwk = RSA.jwk("k");
    let world = publishing(jwk.clone());
    let modulus = jwk["n"].as_str().unwrap();
    let document = json!({"keys": [jwk]}).to_string();
    for secret in [modulus, &jwk.to_string(), &document, "", "k"] {
        for (alg, algorithm) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
        {
            let header = encode(json!({"alg": alg, "kid": "k"}).to_string().as_bytes());
            let text = format!("{header}.{}", encode(claims().to_string().as_bytes()));
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), text.as_bytes());
            let token = format!("{text}.{}", encode(tag.as_ref()));
            assert_eq!(world.refusal(&token).await, Some(TokenError::UnsupportedAlgorithm));
        }
    }
}

#[tokio::test]
async fn invariant_5_a_symmetric_key_among_the_published_verifies_nothing() {
    let secret = json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": encode(&[7; 32])});
    let world = World::publishing(&[secret, KEY.jwk("k")], settings(), BearerSettings::default());
    let as_es256 = token(&with(header(), "kid", "s".into()), &claims());
    assert_eq!(world.refusal(&as_es256).await, Some(TokenError::UnknownKey));
}

#[tokio::test]
async fn invariant_5_headers_that_bring_a_key_or_its_address_steer_nothing() {
    let world = World::new();
    assert_eq!(world.refusal(&token(&header(), &claims())).await, None);
    world.pass(10);
    let calls = world.provider.calls();
    for (name, value) in [
        ("jwk", OTHER_KEY.jwk("k")),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AA")),
        ("iss", json!("https://evil.example")),
    ] {
        let header = with(header(), name, value).to_string();
        let forged = OTHER_KEY.jws(Algorithm::ES256, &header, &claims().to_string());
        assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature), "{name}");
        let own = KEY.jws(Algorithm::ES256, &header, &claims().to_string());
        assert_eq!(world.refusal(&own).await, None, "{name} is not even looked at");
    }
    assert_eq!(world.provider.calls(), calls + 1, "the provider was asked once whether it has new ones");
}

#[tokio::test]
async fn invariant_5_a_kid_only_names_a_published_key() {
    let world = World::new();
    for kid in ["../../etc/passwd", "https://evil.example/k", "' OR 1=1 --", "K", "k ", "", "k\u{0}"] {
        let named = with(header(), "kid", kid.into()).to_string();
        for signer in [&*KEY, &*OTHER_KEY] {
            let token = signer.jws(Algorithm::ES256, &named, &claims().to_string());
            assert_eq!(world.refusal(&token).await, Some(TokenError::UnknownKey), "{kid:?}");
        }
    }
    for kid in [json!(1), json!(["k"]), json!({}), json!("k".repeat(1025))] {
        let refusal = world.refusal(&token(&with(header(), "kid", kid.clone()), &claims())).await;
        assert!(matches!(refusal, Some(TokenError::Malformed(_))), "{kid}");
    }
    assert_eq!(world.refusal(&token(&with(header(), "kid", Value::Null), &claims())).await, None);
    world.rotate(&[KEY.jwk("a"), OTHER_KEY.jwk("b")]).await;
    let nameless = token(&with(header(), "kid", Value::Null), &claims());
    assert_eq!(world.refusal(&nameless).await, None, "each is tried");
}

#[tokio::test]
async fn invariant_5_what_changes_how_a_token_is_read_is_refused() {
    let world = World::new();
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
    ] {
        let refusal = world.refusal(&token(&with(header(), name, value), &claims())).await;
        assert_eq!(refusal, Some(TokenError::UnsupportedHeader(name)));
    }
    let header =
        encode(json!({"alg": "ES256", "kid": "k", "b64": false, "crit": ["b64"]}).to_string().as_bytes());
    let text = format!("{header}.{}", claims());
    let token = format!("{text}.{}", encode(&KEY.sign(Algorithm::ES256, text.as_bytes())));
    assert!(world.refusal(&token).await.is_some(), "an unencoded payload (RFC 7797)");
}

#[tokio::test]
async fn another_key_does_not_sign_under_a_good_name() {
    let world = World::new();
    let forged = OTHER_KEY.jws(Algorithm::ES256, &header().to_string(), &claims().to_string());
    assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature));
    let world = publishing(RSA.jwk("k"));
    let forged = signed_as(&OTHER_RSA, Algorithm::RS256, "RS256");
    assert_eq!(world.refusal(&forged).await, Some(TokenError::BadSignature));
}
