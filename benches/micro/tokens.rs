//! A provider's key, and tokens as providers make them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

/// What every clock of these cases says.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A key made for this run.
pub(crate) struct Signer {
    pair: rcgen::KeyPair,
    key: EncodingKey,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        Self { pair, key }
    }

    /// Its public key, and nothing beside it.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key_raw();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..65]) })
    }

    /// The key set that its provider serves.
    pub(crate) fn keys(&self) -> String {
        let mut key = self.jwk();
        for (name, value) in [("alg", "ES256"), ("use", "sig"), ("kid", "k1")] {
            key[name] = value.into();
        }
        json!({"keys": [key]}).to_string()
    }

    /// What a device signs to have its bound cookie anew.
    pub(crate) fn proof(&self, challenge: &str) -> String {
        let mut header = Header::new(jsonwebtoken::Algorithm::ES256);
        header.typ = Some("dbsc+jwt".to_owned());
        jsonwebtoken::encode(&header, &json!({ "jti": challenge }), &self.key).unwrap()
    }

    /// A token of the size that providers make.
    pub(crate) fn token(&self, issuer: &str) -> String {
        let mut header = Header::new(jsonwebtoken::Algorithm::ES256);
        header.kid = Some("k1".to_owned());
        header.typ = Some("at+jwt".to_owned());
        let claims = json!({
            "iss": issuer, "aud": "api", "sub": "4711", "client_id": "c", "iat": NOW, "exp": NOW + 3600,
            "jti": "1", "email": "alice@corp.example", "groups": ["dev", "ops"], "scope": "openid email",
            "padding": "x".repeat(300),
        });
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap()
    }
}
