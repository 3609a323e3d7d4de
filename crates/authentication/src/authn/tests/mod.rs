//! Tokens of an issuer whose keys, clock and habits the tests own.

mod algorithms;
mod authenticate;
mod bound;
mod cache;
mod claims;
mod identity;
mod last_credential;
mod present;
mod purpose;
mod time;
mod unavailable;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value, json};

use super::fuzzing::{AUDIENCE, ISSUER, LEEWAY, NOW, settings};
use super::*;
use crate::clock::{Clock, Timestamp};
use crate::identity::{ClaimPath, Issuer, ProviderName};
use crate::oidc::jwks::testing::{Provider, START, Signer};
use crate::oidc::jwks::{Algorithm, JwksCache};
use crate::oidc::{AbsentGroups, ProviderSettings};

static KEY: LazyLock<Signer> = LazyLock::new(|| Signer::new(Algorithm::ES256));
static OTHER_KEY: LazyLock<Signer> = LazyLock::new(|| Signer::new(Algorithm::ES256));

/// Claims of a good token that is valid for an hour.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "u1", "aud": AUDIENCE, "exp": NOW + 3600, "iat": NOW, "client_id": "cli",
        "jti": "j1", "preferred_username": "alice",
    })
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "k", "typ": "at+jwt"})
}

/// `object` with `name` set; removed where `value` is null.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.into(), value);
    }
    object
}

/// A token with this header and these claims, signed by [`KEY`].
fn token(header: &Value, claims: &Value) -> String {
    KEY.jws(Algorithm::ES256, &header.to_string(), &claims.to_string())
}

struct World {
    clock: Clock,
    provider: Arc<Provider>,
    keys: Arc<JwksCache>,
    verifier: BearerVerifier,
}

impl World {
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: ProviderSettings) -> Self {
        Self::keeping(settings, BearerSettings::default())
    }

    fn keeping(settings: ProviderSettings, bounds: BearerSettings) -> Self {
        Self::publishing(&[KEY.jwk("k")], settings, bounds)
    }

    fn publishing(jwks: &[Value], settings: ProviderSettings, bounds: BearerSettings) -> Self {
        let clock = Clock::manual(START);
        let provider = Arc::new(Provider::new(jwks));
        let keys = Arc::new(provider.cache(&clock));
        let issuer = BearerIssuer { settings, keys: Arc::clone(&keys) };
        let verifier = BearerVerifier::new(vec![issuer], clock.clone(), bounds);
        Self { clock, provider, keys, verifier }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn verify(&self, token: &str) -> Result<Arc<Verified>, TokenRefusal> {
        self.verifier.verify(token).await
    }

    async fn refusal(&self, token: &str) -> Option<TokenError> {
        self.verify(token).await.err().map(|refusal| refusal.error)
    }

    /// Whether a token with these claims, else a good one, is refused, and why.
    async fn refusal_of(&self, claims: &Value) -> Option<TokenError> {
        self.refusal(&token(&header(), claims)).await
    }

    /// Publishes other keys and lets them be fetched.
    async fn rotate(&self, jwks: &[Value]) {
        self.provider.publish(jwks);
        self.pass(10);
        self.keys.ask().await;
    }
}
