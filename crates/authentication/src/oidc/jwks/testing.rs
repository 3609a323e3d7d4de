//! Signing keys made at test time, and a provider that counts how often it is asked.

#![cfg_attr(fuzzing, allow(dead_code, reason = "tests use more of it"))]
#![allow(clippy::unwrap_used, reason = "it fails as tests do")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Algorithm, Fetch, FetchError, FetchedKeys, JwksCache, JwksSettings};
use crate::clock::{Clock, Timestamp};
use crate::identity::ProviderName;

/// The moment at which tests begin.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A private key.
pub(crate) enum Signer {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

/// RSA keys take long to make: one is enough for most tests, two for those that replace a key.
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(new_rsa);
pub(crate) static OTHER_RSA: LazyLock<Signer> = LazyLock::new(new_rsa);

fn new_rsa() -> Signer {
    Signer::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
}

impl Signer {
    /// A fresh key for `algorithm`; RSA ones need [`RSA`].
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let (curve, name) = match algorithm {
            Algorithm::ES256 => (&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::ES384 => (&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::ES512 => (&signature::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            Algorithm::EdDSA => return Self::Ed(Ed25519KeyPair::generate().unwrap()),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => return new_rsa(),
        };
        Self::Ec(EcdsaKeyPair::generate(curve).unwrap(), name)
    }

    /// The public key under the name `kid`, without `alg`.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({"kty": "RSA", "kid": kid, "use": "sig", "n": encode(n), "e": encode(e)})
            }
            Self::Ec(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "kid": kid, "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Self::Ed(pair) => {
                json!({"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
        }
    }

    /// Signs as `algorithm` says, as far as the key can.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm), &SystemRandom::new(), message, &mut bytes).unwrap();
                bytes
            }
            Self::Ec(pair, _) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A JWS of these texts, signed as `algorithm` says whatever the header claims.
    pub(crate) fn jws(&self, algorithm: Algorithm, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", encode(&signature))
    }
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        Algorithm::RS256 | Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => {
            &signature::RSA_PKCS1_SHA256
        }
    }
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWK Set of these keys.
pub(crate) fn jwks(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

/// A provider's `jwks_uri`: answers what it is told to, counts, and can be made to wait.
pub(crate) struct Provider {
    answer: Mutex<Option<Vec<u8>>>,
    calls: AtomicUsize,
    pub(crate) max_age: Option<Duration>,
    /// A call needs a permit of it.
    pub(crate) open: Semaphore,
    /// Gains a permit when a call has begun.
    pub(crate) begun: Semaphore,
    /// Gains a permit when a call was given up.
    pub(crate) gone: Semaphore,
}

/// Tells when it is dropped before its time.
struct Given<'a>(Option<&'a Semaphore>);

impl Drop for Given<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|gone| gone.add_permits(1));
    }
}

impl Provider {
    pub(crate) fn new(keys: &[Value]) -> Self {
        let answer = Mutex::new(Some(jwks(keys)));
        let (open, begun) = (Semaphore::new(Semaphore::MAX_PERMITS / 2), Semaphore::new(0));
        let gone = Semaphore::new(0);
        Self { answer, calls: AtomicUsize::new(0), max_age: None, open, begun, gone }
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        self.answer_with(Some(jwks(keys)));
    }

    /// `None`: the provider is away.
    pub(crate) fn answer_with(&self, body: Option<Vec<u8>>) {
        *self.answer.lock().unwrap() = body;
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn cache(self: &Arc<Self>, clock: &Clock) -> JwksCache {
        let fetch = Arc::clone(self) as Arc<dyn Fetch>;
        JwksCache::new(ProviderName::new("corp"), fetch, clock.clone(), JwksSettings::default())
    }
}

impl Fetch for Provider {
    fn fetch(&self) -> BoxFuture<'_, Result<FetchedKeys, FetchError>> {
        async {
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.begun.add_permits(1);
            let mut given = Given(Some(&self.gone));
            self.open.acquire().await.unwrap().forget();
            given.0 = None;
            let body = self.answer.lock().unwrap().clone();
            let body = body.ok_or_else(|| FetchError::new("the provider is away"))?;
            Ok(FetchedKeys { body, max_age: self.max_age })
        }
        .boxed()
    }
}
