//! Keys of a provider and the tokens they sign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as P256, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

pub(super) struct Signer {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
    pub(super) jwk: Value,
    pub(super) pem: String,
    key: EncodingKey,
}

impl Signer {
    pub(super) fn es256(kid: &str) -> Self {
        let der = EcdsaKeyPair::generate_pkcs8(&P256, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&P256, der.as_ref()).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)});
        let pem = pem(der.as_ref());
        Self::new(kid, Algorithm::ES256, jwk, EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(), pem)
    }

    pub(super) fn eddsa(kid: &str) -> Self {
        let der = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.as_ref()).unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref())});
        let pem = pem(der.as_ref());
        Self::new(kid, Algorithm::EdDSA, jwk, EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(), pem)
    }

    pub(super) fn rsa(kid: &str, algorithm: Algorithm) -> Self {
        use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let part = |bytes: &[u8]| base64url(bytes);
        let jwk = json!({
            "kty": "RSA",
            "n": part(n.big_endian_without_leading_zero()), "e": part(e.big_endian_without_leading_zero()),
        });
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = pem(der.as_ref());
        Self::new(kid, algorithm, jwk, EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), pem)
    }

    fn new(kid: &str, algorithm: Algorithm, mut jwk: Value, key: EncodingKey, pem: String) -> Self {
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk["alg"] = format!("{algorithm:?}").into();
        Self { algorithm, kid: kid.to_owned(), jwk, pem, key }
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_with(self.header(), claims)
    }

    pub(super) fn sign_with(&self, header: Header, claims: &Value) -> String {
        encode(&header, claims, &self.key).unwrap()
    }

    /// A token whose claims are `text` to the letter.
    pub(super) fn sign_text(&self, text: &str) -> String {
        let header = base64url(serde_json::to_string(&self.header()).unwrap().as_bytes());
        let signed = format!("{header}.{}", base64url(text.as_bytes()));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }

    pub(super) fn header(&self) -> Header {
        Header { kid: Some(self.kid.clone()), ..Header::new(self.algorithm) }
    }

    pub(super) fn document(&self) -> String {
        json!({"keys": [self.jwk]}).to_string()
    }
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}
