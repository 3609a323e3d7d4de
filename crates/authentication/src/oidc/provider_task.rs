//! One provider of the configuration with its keys, both kept fresh in the background.
//!
//! It runs from its start until it is dropped, which is when the last configuration that has it is gone. Two loops run
//! meanwhile: [`Provider::run`] finds the metadata, and then probes them once a minute; [`JwksCache::run`] fetches the
//! keys ahead of their end, and needs the metadata for their address. Where one of the two comes back, it wakes the other:
//! metadata that are found again have missing keys fetched, and keys that are due have missing metadata looked for. The end
//! stops both loops; a call that a request waits for goes on.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::http::HeaderMap;
use ::http::header::CACHE_CONTROL;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use portcullis_events::Recorder;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use url::Url;

use super::health::ProviderEndpoint;
use super::jwks::{Fetch, FetchError, FetchedKeys, JwksCache, JwksSettings};
use super::provider::Provider;
use super::settings::ProviderSettings;
use super::setup_error::SetupError;
use crate::clock::Clock;

/// A provider, its keys, and the tasks that keep both fresh until this is dropped.
pub struct ProviderTask {
    /// The provider.
    pub provider: Arc<Provider>,
    /// Its keys.
    pub keys: Arc<JwksCache>,
    tasks: [AbortHandle; 2],
}

impl ProviderTask {
    /// Begins to look for the provider, on `background`.
    ///
    /// # Errors
    /// Where the settings can make no provider at all; one that is away is no error.
    pub fn start(
        settings: ProviderSettings,
        redirect_uri: Option<Url>,
        clock: Clock,
        background: &Handle,
    ) -> Result<Arc<Self>, SetupError> {
        let provider = Provider::new(settings, redirect_uri, clock.clone())?;
        let fetch = Arc::new(Keys(Arc::downgrade(&provider)));
        let keys = Arc::new(JwksCache::new(provider.name().clone(), fetch, clock, JwksSettings::default()));
        provider.attach_keys(Arc::clone(&keys));
        let discovery = background.spawn(Arc::clone(&provider).run()).abort_handle();
        let jwks = background.spawn(keys.run()).abort_handle();
        Ok(Arc::new(Self { provider, keys, tasks: [discovery, jwks] }))
    }

    /// Tells `recorder` from now on what becomes of the provider and its keys.
    pub fn record_to(&self, recorder: &Recorder) {
        self.provider.record_to(recorder);
        self.keys.record_to(recorder);
    }
}

impl Drop for ProviderTask {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl fmt::Debug for ProviderTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderTask").field(self.provider.name()).finish()
    }
}

/// Asks the provider that discovery found. Weak, for the provider holds the cache that holds this.
struct Keys(Weak<Provider>);

impl Fetch for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<FetchedKeys, FetchError>> {
        async move {
            let provider = self.0.upgrade().ok_or_else(|| FetchError::new("the provider has left"))?;
            // Where discovery fails, its own error says why; here only the address is missing.
            let _ = provider.retry_now().await;
            let url = provider.jwks_uri().ok_or_else(|| FetchError::new("its jwks_uri is not known yet"))?;
            let response = provider.http().get(&url).await;
            provider.health().note(ProviderEndpoint::Keys, &response);
            let response = response.map_err(FetchError::new)?;
            Ok(FetchedKeys { max_age: max_age(response.headers()), body: response.into_body() })
        }
        .boxed()
    }
}

/// `max-age` of `Cache-Control` (RFC 9111, section 5.2.2.1).
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    let mut directives = fields.flat_map(|field| field.split(',')).filter_map(|text| text.split_once('='));
    let (_, seconds) = directives.find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))?;
    seconds.trim().trim_matches('"').parse().ok().map(Duration::from_secs)
}
