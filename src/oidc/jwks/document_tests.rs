//! What a JWK Set may hold, and what is left of it.

use serde_json::{Value, json};

use super::document::{MAX_BYTES, MAX_KEYS, read};
use super::error::KeyRefusal;
use super::testing::{RSA, Signer, encode, jwks};
use super::{Algorithm, DocumentError, KeyError};

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk.as_object_mut().unwrap().insert(name.into(), value);
    jwk
}

fn refusal(jwk: Value) -> Option<KeyRefusal> {
    let (keys, refusals) = read(&jwks(&[jwk])).unwrap();
    assert_eq!(keys.keys().len() + refusals.len(), 1);
    refusals.first().map(|(_, refusal)| *refusal)
}

#[test]
fn private_and_symmetric_keys_are_ignored() {
    let secret =
        json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": encode(b"secret secret secret secret secret")});
    assert_eq!(refusal(secret), Some(KeyRefusal::Private));
    assert_eq!(refusal(json!({"kty": "oct"})), Some(KeyRefusal::UnsupportedType));
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        assert_eq!(refusal(with(RSA.jwk("k"), member, json!("AQAB"))), Some(KeyRefusal::Private));
    }
}

#[test]
fn keys_for_another_use_are_ignored() {
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(null)),
        ("key_ops", json!(["encrypt", "wrapKey"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
    ] {
        assert_eq!(refusal(with(RSA.jwk("k"), name, value)), Some(KeyRefusal::OtherUse));
    }
    assert_eq!(refusal(with(RSA.jwk("k"), "key_ops", json!(["verify"]))), None);
}

#[test]
fn algorithms_are_bound_to_type_curve_and_alg() {
    let bound = |jwk: Value| read(&jwks(&[jwk])).unwrap().0.keys()[0].clone();
    let allowed = |jwk: Value| {
        Algorithm::ALL.into_iter().filter(|it| bound(jwk.clone()).allows(*it)).collect::<Vec<_>>()
    };
    assert_eq!(allowed(RSA.jwk("k")), Algorithm::RSA);
    assert_eq!(allowed(with(RSA.jwk("k"), "alg", json!("PS256"))), [Algorithm::PS256]);
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA] {
        let jwk = Signer::new(algorithm).jwk("k");
        assert_eq!(allowed(jwk.clone()), [algorithm]);
        assert_eq!(refusal(with(jwk, "alg", json!("RS256"))), Some(KeyRefusal::OtherAlgorithm));
    }
    for alg in
        [json!("RSA-OAEP"), json!("HS256"), json!("none"), json!("ES256"), json!(null), json!(["RS256"])]
    {
        assert_eq!(refusal(with(RSA.jwk("k"), "alg", alg)), Some(KeyRefusal::OtherAlgorithm));
    }
}

#[test]
fn weak_or_broken_material_is_refused() {
    let modulus = |bytes: Vec<u8>| with(RSA.jwk("k"), "n", json!(encode(&bytes)));
    assert_eq!(refusal(modulus(vec![0xff; 255])), Some(KeyRefusal::ModulusSize));
    assert_eq!(refusal(modulus([vec![0x7f], vec![0xff; 255]].concat())), Some(KeyRefusal::ModulusSize));
    assert_eq!(refusal(modulus([vec![0; 64], vec![0xff; 128]].concat())), Some(KeyRefusal::ModulusSize));
    assert_eq!(refusal(modulus(vec![0xff; 1025])), Some(KeyRefusal::ModulusSize));
    assert_eq!(refusal(modulus(Vec::new())), Some(KeyRefusal::ModulusSize));
    for exponent in [&[1][..], &[0, 1], &[], &[0], &[2], &[1, 0, 0], &[1; 9]] {
        let jwk = with(RSA.jwk("k"), "e", json!(encode(exponent)));
        assert_eq!(refusal(jwk), Some(KeyRefusal::BadMaterial), "{exponent:?}");
    }
    assert_eq!(refusal(with(RSA.jwk("k"), "n", json!("not base64!"))), Some(KeyRefusal::BadMaterial));
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512] {
        let jwk = Signer::new(algorithm).jwk("k");
        let off_curve = with(jwk.clone(), "y", jwk["x"].clone());
        assert_eq!(refusal(off_curve), Some(KeyRefusal::BadMaterial));
        assert_eq!(refusal(with(jwk, "x", json!("AA"))), Some(KeyRefusal::BadMaterial));
    }
    let short = with(Signer::new(Algorithm::EdDSA).jwk("k"), "x", json!(encode(&[1; 31])));
    assert_eq!(refusal(short), Some(KeyRefusal::BadMaterial));
}

#[test]
fn unknown_types_and_names_that_are_none_are_ignored() {
    for jwk in [json!({"kty": "EC", "crv": "secp256k1"}), json!({"kty": "OKP", "crv": "X25519"}), json!({})] {
        assert_eq!(refusal(jwk), Some(KeyRefusal::UnsupportedType));
    }
    assert_eq!(refusal(json!("key")), Some(KeyRefusal::NotAnObject));
    assert_eq!(refusal(with(RSA.jwk("k"), "kid", json!(1))), Some(KeyRefusal::BadKid));
    assert_eq!(refusal(RSA.jwk(&"k".repeat(1025))), Some(KeyRefusal::BadKid));
}

#[test]
fn one_bad_key_does_not_spoil_the_others_nor_stay_in_the_document() {
    let bad = with(RSA.jwk("bad"), "d", json!("AQAB"));
    let (keys, refusals) = read(&jwks(&[bad, json!(7), RSA.jwk("good")])).unwrap();
    assert_eq!(refusals, [(0, KeyRefusal::Private), (1, KeyRefusal::NotAnObject)]);
    assert_eq!(keys.keys().len(), 1);
    let document: Value = serde_json::from_str(keys.document().unwrap()).unwrap();
    assert_eq!(document, json!({"keys": [RSA.jwk("good")]}));
}

#[test]
fn a_token_is_led_to_exactly_one_key() {
    let (p256, p384) = (Signer::new(Algorithm::ES256), Signer::new(Algorithm::ES384));
    let twice = p256.jwk("a");
    let (keys, _) = read(&jwks(&[twice.clone(), twice, p384.jwk("a"), RSA.jwk("r")])).unwrap();
    assert_eq!(keys.keys().len(), 3);
    assert!(keys.find(Some("a"), Algorithm::ES256).is_ok() && keys.find(Some("a"), Algorithm::ES384).is_ok());
    assert!(keys.find(None, Algorithm::ES256).is_ok());
    assert_eq!(keys.find(Some("a"), Algorithm::RS256).unwrap_err(), KeyError::WrongAlgorithm);
    assert_eq!(keys.find(Some("A"), Algorithm::ES256).unwrap_err(), KeyError::Unknown);
    assert_eq!(keys.find(None, Algorithm::EdDSA).unwrap_err(), KeyError::Unknown);
    let (keys, _) = read(&jwks(&[p256.jwk("a"), Signer::new(Algorithm::ES256).jwk("a")])).unwrap();
    assert_eq!(keys.find(Some("a"), Algorithm::ES256).unwrap_err(), KeyError::Ambiguous);
    assert_eq!(keys.find(None, Algorithm::ES256).unwrap_err(), KeyError::Ambiguous);
    let (keys, _) = read(&jwks(&[])).unwrap();
    assert_eq!(keys.find(Some("a"), Algorithm::ES256).unwrap_err(), KeyError::Unavailable);
}

#[test]
fn invariant_14_documents_are_bounded() {
    let many = vec![json!({}); MAX_KEYS + 1];
    assert!(matches!(read(&jwks(&many)), Err(DocumentError::TooMany(101))));
    assert!(read(&jwks(&many[1..])).is_ok());
    let large = [jwks(&[]), vec![b' '; MAX_BYTES]].concat();
    assert!(matches!(read(&large), Err(DocumentError::TooLarge(_))));
    assert!(read(&large[..MAX_BYTES]).is_ok());
}

#[test]
fn what_is_no_jwk_set_is_refused_as_a_whole() {
    for text in ["", "<html>away</html>", "[]", "{", "{\"keys\":[],\"keys\":[]}", "\u{0}"] {
        assert!(matches!(read(text.as_bytes()), Err(DocumentError::Json(_))), "{text:?}");
    }
    for text in ["{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"Keys\":[]}"] {
        assert!(matches!(read(text.as_bytes()), Err(DocumentError::NoKeys)), "{text:?}");
    }
}
