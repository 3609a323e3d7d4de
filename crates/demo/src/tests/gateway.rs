//! What an app believes: a gateway that shows its keys and signs assertions.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use http::StatusCode;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::{reply, serve};

/// The gateway's side of the demo.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    signing: EncodingKey,
    /// What it shows, and how often it was asked.
    shown: Arc<Mutex<(Value, usize)>>,
    _servers: JoinSet<()>,
}

/// A new ES256 key and its public half under the name `kid`.
fn key(kid: &str) -> (EncodingKey, Jwk) {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let signing = EncodingKey::from_ec_der(document.as_ref());
    let mut public = Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap();
    public.common.key_id = Some(kid.to_owned());
    (signing, public)
}

impl Gateway {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (signing, public) = key("k1");
        let shown = Arc::new(Mutex::new((json!({ "keys": [public] }), 0)));
        let mut servers = JoinSet::new();
        let keys = Arc::clone(&shown);
        servers.spawn(serve::serve(listener, move |request: http::Request<bytes::Bytes>| {
            assert_eq!(request.uri().path(), "/.portcullis/jwks.json");
            let mut keys = keys.lock().unwrap();
            keys.1 += 1;
            let reply = reply::json(StatusCode::OK, &keys.0);
            async { reply }
        }));
        Self { address, signing, shown, _servers: servers }
    }

    /// Signs with another key from now on, and shows it.
    pub(super) fn rotate(&mut self, kid: &str) {
        let (signing, public) = key(kid);
        self.signing = signing;
        self.shown.lock().unwrap().0 = json!({ "keys": [public] });
    }

    /// How often it was asked for its keys.
    pub(super) fn asked(&self) -> usize {
        self.shown.lock().unwrap().1
    }

    /// A good assertion about alice, with `changes` to header and claims; `null` takes one out.
    pub(super) fn assertion(&self, kid: &str, typ: &str, changes: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        (header.kid, header.typ) = (Some(kid.to_owned()), Some(typ.to_owned()));
        let mut claims = json!({
            "iss": format!("http://{}", self.address), "aud": self.address.to_string(), "sub": "u-4821",
            "iat": 1_800_000_000, "nbf": 1_799_999_995, "exp": 1_800_000_060, "provider": "demo",
            "preferred_username": "alice", "email": "alice@demo.example", "groups": ["staff"],
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        jsonwebtoken::encode(&header, &claims, &self.signing).unwrap()
    }
}
