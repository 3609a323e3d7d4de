//! How an app makes sure that what it is told comes from the gateway: it verifies `Portcullis-Assertion`
//! with the gateway's public keys. Any app can do this with any JWT library.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use portcullis_rules::clock::{Clock, Timestamp};

/// The header it travels in.
pub(super) const HEADER: &str = "portcullis-assertion";

/// An unknown `kid` makes us ask for the keys again, but not more often than this.
const COOL_DOWN: Duration = Duration::from_secs(5);

/// How long the gateway may take to show its keys, and how many bytes they may have.
const PATIENCE: Duration = Duration::from_secs(3);
const MAX_KEYS: usize = 64 * 1024;

/// Clocks may differ by so many seconds.
const LEEWAY: u64 = 5;

/// What is known of who asks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Proof {
    /// The gateway says so: these claims, under this key.
    Verified {
        /// The claims.
        claims: Map<String, Value>,
        /// Which of the gateway's keys signed.
        kid: String,
        /// Seconds that it still holds.
        expires_in: u64,
    },
    /// No assertion came.
    Absent,
    /// An assertion that does not hold, and why: it is not the gateway's, not for this app, or over.
    Refused(String),
}

/// Verifies assertions with the keys at `/.portcullis/jwks.json`.
pub(super) struct Verifier {
    keys_at: Uri,
    issuers: [String; 2],
    audiences: [String; 4],
    clock: Clock,
    client: Client<HttpConnector, Empty<Bytes>>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    known: Vec<Jwk>,
    asked: Option<Timestamp>,
}

impl Verifier {
    /// A verifier for an app behind the gateway at `gateway`.
    pub(super) fn new(gateway: &Url, clock: Clock) -> Self {
        let (origin, authority) = (gateway.origin().ascii_serialization(), gateway.authority());
        let keys_at = format!("{origin}/.portcullis/jwks.json").parse().unwrap_or_default();
        let local = gateway.port_or_known_default().unwrap_or(80);
        let host = gateway.host_str().unwrap_or_default();
        Self {
            keys_at,
            issuers: [origin, gateway.to_string()],
            audiences: [
                authority.to_owned(),
                host.to_owned(),
                format!("localhost:{local}"),
                "localhost".to_owned(),
            ],
            clock,
            client: Client::builder(TokioExecutor::new()).build_http(),
            keys: Mutex::default(),
        }
    }

    /// Looks at the assertion among `headers`.
    pub(super) async fn proof(&self, headers: &HeaderMap) -> Proof {
        let mut values = headers.get_all(HEADER).iter();
        match (values.next(), values.next()) {
            (None, _) => Proof::Absent,
            (Some(value), None) => {
                self.verify(value.to_str().unwrap_or_default()).await.unwrap_or_else(Proof::Refused)
            }
            (Some(_), Some(_)) => Proof::Refused("there are two of them".to_owned()),
        }
    }

    async fn verify(&self, token: &str) -> Result<Proof, String> {
        let header =
            jsonwebtoken::decode_header(token).map_err(|error| format!("it cannot be read: {error}"))?;
        if header.typ.as_deref() != Some("assertion+jwt") {
            return Err("it was made for another purpose (typ)".to_owned());
        }
        let kid = header.kid.ok_or("it names no key (kid)")?;
        let key = self.key(&kid).await?;
        let key = DecodingKey::from_jwk(&key)
            .map_err(|error| format!("the gateway's key cannot be used: {error}"))?;
        let data = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &self.validation());
        let claims = data.map_err(|error| format!("it does not hold: {error}"))?.claims;
        let expires_in = self.check_time(&claims)?;
        Ok(Proof::Verified { claims, kid, expires_in })
    }

    /// One algorithm, this gateway, this app. Time is checked with our own clock.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&self.issuers);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        validation.validate_exp = false;
        validation
    }

    /// The seconds left.
    fn check_time(&self, claims: &Map<String, Value>) -> Result<u64, String> {
        let now = self.clock.now().seconds();
        let at = |name: &str| claims.get(name).and_then(Value::as_u64);
        if at("nbf").is_some_and(|start| now.saturating_add(LEEWAY) < start) {
            return Err("it is not good yet".to_owned());
        }
        let end = at("exp").filter(|end| now < end.saturating_add(LEEWAY));
        end.map(|end| end.saturating_sub(now)).ok_or_else(|| "it has expired".to_owned())
    }

    /// The key `kid`. Whoever finds it missing asks the gateway; the others wait for the answer.
    async fn key(&self, kid: &str) -> Result<Jwk, String> {
        let mut keys = self.keys.lock().await;
        if let Some(key) = keys.find(kid) {
            return Ok(key);
        }
        let now = self.clock.now();
        if keys.asked.is_none_or(|asked| now.since(asked) >= COOL_DOWN) {
            keys.asked = Some(now);
            keys.known = self.fetch().await?.keys;
        }
        keys.find(kid).ok_or_else(|| "the gateway has no such key".to_owned())
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let asked = async {
            let response = self.client.get(self.keys_at.clone()).await.map_err(|error| error.to_string())?;
            let body = Limited::new(response.into_body(), MAX_KEYS).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            serde_json::from_slice(&body).map_err(|error| error.to_string())
        };
        let answer = tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| Err("it took too long".to_owned()));
        answer.map_err(|error| format!("the gateway's keys could not be fetched: {error}"))
    }
}

impl Keys {
    fn find(&self, kid: &str) -> Option<Jwk> {
        self.known.iter().find(|key| key.common.key_id.as_deref() == Some(kid)).cloned()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({})", self.keys_at)
    }
}
