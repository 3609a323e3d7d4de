//! A provider, its keys, and us.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};
use url::Url;

use super::fake::Fake;
use super::signer::Signer;
use crate::clock::{Clock, Timestamp};
use crate::identity::ProviderName;
use crate::oidc::jwks::{Fetch, FetchError, FetchedKeys, JwksCache, JwksSettings};
use crate::oidc::*;
use crate::secret::Secret;

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const ACCESS: &str = "access-1";

/// The provider's `jwks_uri`.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) document: Mutex<Option<String>>,
    pub(super) fetched: AtomicUsize,
}

impl Fetch for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<FetchedKeys, FetchError>> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let document = self.document.lock().unwrap().clone();
        let body = document.map(String::into_bytes).ok_or_else(|| FetchError::new("away"));
        std::future::ready(body.map(|body| FetchedKeys { body, max_age: None })).boxed()
    }
}

pub(super) struct World {
    pub(super) fake: Fake,
    pub(super) signer: Signer,
    pub(super) keys: Arc<Keys>,
    pub(super) clock: Clock,
    pub(super) provider: Arc<Provider>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A provider whose metadata are known, after `change` to its settings.
    pub(super) async fn with(change: impl FnOnce(&mut ProviderSettings)) -> Self {
        let world = Self::undiscovered(change).await;
        world.provider.retry_now().await.unwrap();
        world
    }

    pub(super) async fn undiscovered(change: impl FnOnce(&mut ProviderSettings)) -> Self {
        let fake = Fake::start().await;
        let mut settings = settings("corp", &fake.issuer);
        change(&mut settings);
        let clock = Clock::manual(Timestamp::from_seconds(NOW));
        let provider = Provider::new(settings, Some(redirect_uri()), clock.clone()).unwrap();
        let (signer, keys) = (Signer::es256("k1"), Arc::new(Keys::default()));
        *keys.document.lock().unwrap() = Some(signer.document());
        let fetch = Arc::clone(&keys) as Arc<dyn Fetch>;
        let cache = JwksCache::new(provider.name().clone(), fetch, clock.clone(), JwksSettings::default());
        provider.attach_keys(Arc::new(cache));
        Self { fake, signer, keys, clock, provider }
    }

    /// Publishes these keys from now on; a token may make us look.
    pub(super) fn publish(&self, keys: &[&Value]) {
        *self.keys.document.lock().unwrap() = Some(json!({ "keys": keys }).to_string());
        self.clock.advance(Duration::from_secs(10));
    }

    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.fake.issuer, "sub": "u1", "aud": "portcullis", "exp": NOW + 300, "iat": NOW,
            "preferred_username": "alice", "email": "alice@corp.example", "email_verified": true,
            "groups": ["staff", "staff", "ops"], "acr": "pwd", "auth_time": NOW - 60, "sid": "s1",
        })
    }

    pub(super) fn begin(&self) -> AuthorizationRedirect {
        self.provider.begin(AuthenticationRequest::default()).unwrap()
    }

    /// Finishes `departure` with the ID token that `token` makes of good claims with the right nonce.
    pub(super) async fn arrive(
        &self,
        departure: &AuthorizationRedirect,
        token: impl FnOnce(Value) -> String,
    ) -> Result<SignedIn, SignInError> {
        let mut claims = self.claims();
        claims["nonce"] = parameter(&departure.location, "nonce").into();
        self.answer_tokens(&token(claims));
        self.provider.finish(&departure.flow, self.callback(departure)).await
    }

    /// As [`World::arrive`] from the beginning, with `change` done to the claims before they are signed.
    pub(super) async fn sign_in(&self, change: impl FnOnce(&mut Value)) -> Result<SignedIn, SignInError> {
        let sign = |mut claims: Value| {
            change(&mut claims);
            self.signer.sign(&claims)
        };
        self.arrive(&self.begin(), sign).await
    }

    pub(super) fn answer_tokens(&self, id_token: &str) {
        let response = json!({
            "access_token": ACCESS, "token_type": "Bearer", "expires_in": 300, "refresh_token": "refresh-1",
            "id_token": id_token,
        });
        self.fake.json("/token", 200, &response);
    }

    pub(super) fn callback(&self, departure: &AuthorizationRedirect) -> CallbackParameters {
        CallbackParameters {
            code: Some(Secret::new("code-1")),
            state: parameter(&departure.location, "state"),
            iss: Some(self.fake.issuer.clone()),
            ..CallbackParameters::default()
        }
    }
}

pub(super) fn redirect_uri() -> Url {
    Url::parse("https://login.example/.portcullis/callback").unwrap()
}

pub(super) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

pub(super) fn settings(name: &str, issuer: &str) -> ProviderSettings {
    let client = ClientSettings {
        authentication: ClientAuthentication::SecretBasic(Secret::new("s3cr:et+ %")),
        scopes: vec!["openid".into(), "email".into()],
        ..fixtures::client()
    };
    ProviderSettings {
        name: ProviderName::new(name),
        display_name: name.to_owned(),
        client: Some(client),
        ..fixtures::provider(issuer)
    }
}

/// The client's settings, to change.
pub(super) fn client(settings: &mut ProviderSettings) -> &mut ClientSettings {
    settings.client.as_mut().unwrap()
}
