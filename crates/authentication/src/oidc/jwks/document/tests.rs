//! What a JWK Set may hold, and what is left of it.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::read;
use crate::oidc::jwks::error::KeyRefusal;
use crate::oidc::jwks::testing::{RSA, Signer, encode, jwks};
use crate::oidc::jwks::{Algorithm, DocumentError, KeyError};

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
        ("use", json!("signature")),
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
    for alg in [json!("RSA-OAEP"), json!("HS256"), json!("none"), json!("ES256"), json!(["RS256"]), json!(0)]
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
fn one_bad_key_does_not_spoil_the_others() {
    let bad = with(RSA.jwk("bad"), "d", json!("AQAB"));
    let (keys, refusals) = read(&jwks(&[bad, json!(7), RSA.jwk("good")])).unwrap();
    assert_eq!(refusals, [(0, KeyRefusal::Private), (1, KeyRefusal::NotAnObject)]);
    assert_eq!(keys.keys().len(), 1);
    assert_eq!(keys.keys()[0].kid(), Some("good"));
}

#[test]
fn a_token_is_led_to_every_key_that_could_have_signed_it_and_to_no_other() {
    let (p256, p384) = (Signer::new(Algorithm::ES256), Signer::new(Algorithm::ES384));
    let twice = p256.jwk("a");
    let (keys, _) = read(&jwks(&[twice.clone(), twice, p384.jwk("a"), RSA.jwk("r")])).unwrap();
    assert_eq!(keys.keys().len(), 3);
    let fitting = |kid, algorithm| keys.fitting(kid, algorithm).map(|keys| keys.len());
    assert_eq!((fitting(Some("a"), Algorithm::ES256), fitting(Some("a"), Algorithm::ES384)), (Ok(1), Ok(1)));
    assert_eq!(fitting(None, Algorithm::ES256), Ok(1));
    assert_eq!(fitting(Some("a"), Algorithm::RS256), Err(KeyError::WrongAlgorithm));
    assert_eq!(fitting(Some("A"), Algorithm::ES256), Err(KeyError::Unknown));
    assert_eq!(fitting(None, Algorithm::EdDSA), Err(KeyError::Unknown));
    let nameless = with(p256.jwk("a"), "kid", json!(null));
    let (keys, _) = read(&jwks(&[Signer::new(Algorithm::ES256).jwk("a"), nameless])).unwrap();
    let fitting = |kid| keys.fitting(kid, Algorithm::ES256).map(|keys| keys.len());
    assert_eq!((fitting(Some("a")), fitting(Some("b")), fitting(None)), (Ok(2), Ok(1), Ok(2)));
    let (keys, _) = read(&jwks(&[])).unwrap();
    assert_eq!(keys.fitting(Some("a"), Algorithm::ES256).err(), Some(KeyError::Unavailable));
}

#[test]
fn invariant_14_a_token_is_tried_with_a_bounded_number_of_keys() {
    let same = |many: usize| {
        let keys: Vec<_> = (0..many).map(|_| Signer::new(Algorithm::EdDSA).jwk("a")).collect();
        read(&jwks(&keys)).unwrap().0.fitting(Some("a"), Algorithm::EdDSA).map(|keys| keys.len())
    };
    assert_eq!((same(16), same(17)), (Ok(16), Err(KeyError::Ambiguous)));
}

#[test]
fn keys_as_real_providers_write_them_are_usable() {
    let signer = Signer::new(Algorithm::ES256);
    let rsa = RSA.jwk("k");
    let (n, e) = (rsa["n"].as_str().unwrap(), rsa["e"].as_str().unwrap());
    let zero = encode(&[&[0][..], &decoded(n)].concat());
    let padded = URL_SAFE.encode(decoded(n));
    let message = b"header.payload";
    for (name, value) in [
        ("n", json!(zero)),
        ("n", json!(padded)),
        ("e", json!(encode(&[0, 1, 0, 1]))),
        ("e", json!(format!("{e}"))),
        ("use", json!(null)),
        ("alg", json!(null)),
        ("key_ops", json!(null)),
        ("d", json!(null)),
        ("x5c", json!("nonsense")),
    ] {
        let (keys, refusals) = read(&jwks(&[with(rsa.clone(), name, value.clone())])).unwrap();
        assert_eq!(refusals, [], "{name} {value}");
        let signature = encode(&RSA.sign(Algorithm::RS256, message));
        assert_eq!(keys.keys()[0].verify(Algorithm::RS256, message, &signature), Ok(()), "{name} {value}");
    }
    let jwk = signer.jwk("k");
    let x = decoded(jwk["x"].as_str().unwrap());
    for x in [URL_SAFE.encode(&x), encode(&[&[0][..], &x].concat())] {
        let (keys, _) = read(&jwks(&[with(jwk.clone(), "x", json!(x))])).unwrap();
        let signature = encode(&signer.sign(Algorithm::ES256, message));
        assert_eq!(keys.keys()[0].verify(Algorithm::ES256, message, &signature), Ok(()), "{x}");
    }
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn invariant_14_documents_are_bounded() {
    let many = vec![json!({}); 1_001];
    assert!(matches!(read(&jwks(&many)), Err(DocumentError::TooMany(1_001))));
    assert!(read(&jwks(&many[1..])).is_ok());
    let half_a_mebibyte = 512 * 1024;
    let large = [jwks(&[]), vec![b' '; half_a_mebibyte]].concat();
    assert!(matches!(read(&large[..=half_a_mebibyte]), Err(DocumentError::TooLarge(524_289))));
    assert!(read(&large[..half_a_mebibyte]).is_ok());
}

#[test]
fn what_is_no_jwk_set_is_refused_as_a_whole() {
    for text in ["", "[]", "{", "{\"keys\":[],\"keys\":[]}", "\u{0}"] {
        assert!(matches!(read(text.as_bytes()), Err(DocumentError::Json(_))), "{text:?}");
    }
    for text in ["<html>away</html>", " \n<!DOCTYPE html><p>", "\u{feff}<HTML>"] {
        assert!(matches!(read(text.as_bytes()), Err(DocumentError::Html)), "{text:?}");
    }
    for text in ["{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"Keys\":[]}"] {
        assert!(matches!(read(text.as_bytes()), Err(DocumentError::NoKeys)), "{text:?}");
    }
}
