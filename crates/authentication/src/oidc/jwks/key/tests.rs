//! Every algorithm with its key, and with everybody else's.

use proptest::prelude::*;

use super::{BadSignature, Key};
use crate::oidc::jwks::testing::{OTHER_RSA, RSA, Signer, encode, jwks};
use crate::oidc::jwks::{Algorithm, document};

fn key(jwk: serde_json::Value) -> Key {
    let (keys, refusals) = document::read(&jwks(&[jwk])).unwrap();
    assert_eq!(refusals, []);
    keys.keys()[0].clone()
}

fn with_signer(algorithm: Algorithm, test: impl FnOnce(&Signer)) {
    if Algorithm::RSA.contains(&algorithm) { test(&RSA) } else { test(&Signer::new(algorithm)) }
}

#[test]
fn every_algorithm_verifies_what_its_key_signed_and_nothing_else() {
    for algorithm in Algorithm::ALL {
        with_signer(algorithm, |signer| {
            let key = key(signer.jwk("k"));
            let mut signature = signer.sign(algorithm, b"message");
            assert_eq!(key.verify(algorithm, b"message", &encode(&signature)), Ok(()), "{algorithm}");
            assert_eq!(key.verify(algorithm, b"massage", &encode(&signature)), Err(BadSignature));
            assert_eq!(key.verify(algorithm, b"", &encode(&signature)), Err(BadSignature));
            assert_eq!(key.verify(algorithm, b"message", ""), Err(BadSignature));
            for place in [0, signature.len() / 2, signature.len() - 1] {
                signature[place] ^= 1;
                assert_eq!(key.verify(algorithm, b"message", &encode(&signature)), Err(BadSignature));
                signature[place] ^= 1;
            }
            let longer = encode(&[signature.as_slice(), &[0]].concat());
            assert_eq!(key.verify(algorithm, b"message", &longer), Err(BadSignature));
        });
    }
}

#[test]
fn a_key_verifies_under_no_algorithm_but_its_own() {
    for signed in Algorithm::ALL {
        with_signer(signed, |signer| {
            let key = key(signer.jwk("k"));
            let signature = encode(&signer.sign(signed, b"message"));
            for other in Algorithm::ALL.into_iter().filter(|other| *other != signed) {
                assert_eq!(
                    key.verify(other, b"message", &signature),
                    Err(BadSignature),
                    "{signed} as {other}"
                );
            }
        });
    }
}

#[test]
fn another_key_of_the_same_type_does_not_verify() {
    let signature = encode(&OTHER_RSA.sign(Algorithm::RS256, b"message"));
    assert_eq!(key(RSA.jwk("k")).verify(Algorithm::RS256, b"message", &signature), Err(BadSignature));
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA] {
        let signature = encode(&Signer::new(algorithm).sign(algorithm, b"message"));
        let other = key(Signer::new(algorithm).jwk("k"));
        assert_eq!(other.verify(algorithm, b"message", &signature), Err(BadSignature));
    }
}

#[test]
fn a_signature_of_zeros_is_no_signature() {
    for (algorithm, size) in [(Algorithm::ES256, 64), (Algorithm::ES384, 96), (Algorithm::ES512, 132)] {
        let key = key(Signer::new(algorithm).jwk("k"));
        assert_eq!(key.verify(algorithm, b"message", &encode(&vec![0; size])), Err(BadSignature));
    }
}

#[test]
fn base64url_has_one_spelling() {
    let signer = Signer::new(Algorithm::ES512);
    let (key, signature) = (key(signer.jwk("k")), signer.sign(Algorithm::ES512, b"message"));
    for spelling in [encode(&signature) + "=", encode(&signature).replace('-', "+") + " "] {
        assert_eq!(key.verify(Algorithm::ES512, b"message", &spelling), Err(BadSignature));
    }
    let ed = Signer::new(Algorithm::EdDSA);
    let signature = encode(&ed.sign(Algorithm::EdDSA, b"message"));
    // The last character carries four bits that no byte takes: another one there is another token.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    let other = format!("{}{}", &signature[..signature.len() - 1], &alphabet[place + 1..=place + 1]);
    let key = self::key(ed.jwk("k"));
    assert_eq!(key.verify(Algorithm::EdDSA, b"message", &signature), Ok(()));
    assert_eq!(key.verify(Algorithm::EdDSA, b"message", &other), Err(BadSignature));
}

#[test]
fn invariant_15_a_key_prints_its_name_alone() {
    let printed = format!("{:?}", key(RSA.jwk("k")));
    assert!(printed.contains("\"k\"") && !printed.contains(RSA.jwk("k")["n"].as_str().unwrap()));
}

proptest! {
    #[test]
    fn invariant_5_only_registered_asymmetric_names_are_algorithms(name in any::<String>()) {
        let known = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
        prop_assert_eq!(Algorithm::parse(&name).is_some(), known.contains(&name.as_str()));
    }

    #[test]
    fn arbitrary_signatures_are_refused(text in "\\PC{0,120}") {
        let key = key(Signer::new(Algorithm::ES512).jwk("k"));
        prop_assert_eq!(key.verify(Algorithm::ES512, b"message", &text), Err(BadSignature));
    }
}

#[test]
fn invariant_5_none_and_symmetric_algorithms_have_no_name() {
    for name in
        ["none", "None", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "ES256K", "RSA-OAEP", "Ed448"]
    {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
    assert_eq!(Algorithm::ALL.map(|known| Algorithm::parse(known.name())), Algorithm::ALL.map(Some));
    assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDSA));
}
