//! A provider's key, and tokens as providers make them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

/// What every clock of these cases says.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A key made for this run.
pub(crate) struct Signer(rcgen::KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap())
    }

    /// The key set that its provider serves.
    pub(crate) fn keys(&self) -> String {
        let point = self.0.public_key_raw();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
            "x": text(&point[1..33]), "y": text(&point[33..65]),
        });
        json!({"keys": [key]}).to_string()
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
        let key = EncodingKey::from_ec_der(&self.0.serialize_der());
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    }
}
