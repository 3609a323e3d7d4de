//! One transmitter of the configuration: where it is, its stream, and its keys.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use portcullis_events::{Part, PartWatch, Recorder};
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, Notify, watch};
use url::Url;

use super::access_token::AccessToken;
use super::metadata::{self, Metadata};
use super::settings::{Authorization, Delivery, SignalsSettings};
use super::status::StatusBoard;
use super::stream::Stream;
use crate::clock::{Clock, Timestamp};
use crate::identity::ProviderName;
use crate::oidc::http::HttpClient;
use crate::oidc::jwks::{Fetch, FetchError, FetchedKeys, JwksCache, JwksSettings};
use crate::oidc::{SetupError, max_age};
use crate::secret::{SealingKey, Secret};
use crate::session::Sessions;
use crate::telemetry::Metrics;

/// Tokens that are remembered, so that one that comes again costs nothing.
const SEEN: usize = 10_000;
/// Unknown keys that are remembered, with when the first token of each came.
const UNKNOWN_KEYS: usize = 100;
/// Bound on a call that waits for signals.
const WAITING: Duration = Duration::from_secs(90);

/// What a transmitter is made of.
#[derive(Debug)]
pub struct TransmitterParts {
    /// Its table of the configuration.
    pub settings: SignalsSettings,
    /// Where it sends tokens to, if it is to.
    pub endpoint: Option<Url>,
    /// By what its stream is known again among others: the gateway's address.
    pub gateway: String,
    /// What all that is derived of it follows from.
    pub key: SealingKey,
    /// The clock.
    pub clock: Clock,
    /// Whose sessions signals concern.
    pub sessions: Sessions,
    /// Where they are counted.
    pub metrics: Metrics,
    /// Where they are recorded.
    pub recorder: Recorder,
}

/// Where tokens are sent to, and what whoever sends them must show.
#[derive(Debug)]
pub struct Push {
    /// The address.
    pub url: Url,
    /// `Authorization`, the whole field.
    pub authorization: Secret,
}

/// A transmitter as this gateway knows it.
pub struct Transmitter {
    pub(super) settings: SignalsSettings,
    pub(super) push: Option<Push>,
    pub(super) description: String,
    pub(super) key: SealingKey,
    pub(super) clock: Clock,
    pub(super) sessions: Sessions,
    pub(super) metrics: Metrics,
    pub(super) recorder: Recorder,
    pub(super) watch: PartWatch,
    pub(super) http: HttpClient,
    /// For calls that wait for signals.
    pub(super) waiting_http: HttpClient,
    pub(super) address: Url,
    pub(super) metadata: ArcSwapOption<Metadata>,
    pub(super) stream: ArcSwapOption<Stream>,
    pub(super) keys: JwksCache,
    pub(super) access_token: Mutex<Option<AccessToken>>,
    pub(super) seen: Cache<[u8; 32], ()>,
    pub(super) unknown_keys: Cache<[u8; 32], Timestamp>,
    pub(super) status: StatusBoard,
    /// When the verification was asked for that came last.
    pub(super) verified_for: watch::Sender<Option<Timestamp>>,
    /// Told when the stream is to be looked after before its time.
    pub(super) look_again: Notify,
}

impl Transmitter {
    /// One of which nothing is known yet.
    ///
    /// # Errors
    /// Where identifier or `ca` cannot be used at all.
    pub fn new(parts: TransmitterParts) -> Result<Arc<Self>, SetupError> {
        let (clock, name) =
            (parts.clock.clone(), ProviderName::new(format!("signals {}", parts.settings.name)));
        Self::with_keys(parts, |this| {
            JwksCache::new(name, Arc::new(Keys(Weak::clone(this))), clock, JwksSettings::default())
        })
    }

    pub(super) fn with_keys(
        parts: TransmitterParts,
        keys: impl FnOnce(&Weak<Self>) -> JwksCache,
    ) -> Result<Arc<Self>, SetupError> {
        let TransmitterParts { settings, endpoint, gateway, key, clock, sessions, metrics, recorder } = parts;
        let address = metadata::address(&settings.transmitter);
        let address = address.ok_or_else(|| SetupError::Issuer(settings.transmitter.to_string()))?;
        let http = HttpClient::new(settings.ca.as_deref(), settings.timeout)?;
        let waiting_http = HttpClient::new(settings.ca.as_deref(), WAITING)?;
        http.permit(vec![address.clone()]);
        let push = endpoint.map(|url| Push { url, authorization: authorization(&key, &settings.name) });
        let watch = PartWatch::new(Part::Provider, format!("signals {}", settings.name));
        watch.tell(&recorder);
        Ok(Arc::new_cyclic(|this| Self {
            description: format!("Portcullis {gateway} {}", settings.name),
            keys: keys(this),
            status: StatusBoard::new(clock.now()),
            settings,
            push,
            key,
            clock,
            sessions,
            metrics,
            recorder,
            watch,
            http,
            waiting_http,
            address,
            metadata: ArcSwapOption::empty(),
            stream: ArcSwapOption::empty(),
            access_token: Mutex::new(None),
            seen: Cache::new(SEEN),
            unknown_keys: Cache::new(UNKNOWN_KEYS),
            verified_for: watch::Sender::new(None),
            look_again: Notify::new(),
        }))
    }

    /// Its table of the configuration.
    #[must_use]
    pub const fn settings(&self) -> &SignalsSettings {
        &self.settings
    }

    /// Whether whoever shows this `Authorization` is the transmitter that tokens are sent by; compared in constant time.
    /// Nobody is where they are fetched.
    #[must_use]
    pub fn is_sender(&self, authorization: Option<&str>) -> bool {
        let pushes = self.push.as_ref().filter(|_| self.settings.delivery == Delivery::Push);
        let right =
            pushes.zip(authorization).is_some_and(|(push, shown)| push.authorization == Secret::new(shown));
        mutant!(right, "anybody-may-push" => true)
    }

    pub(super) const fn has_client(&self) -> bool {
        matches!(self.settings.authorization, Authorization::Client { .. })
    }

    pub(super) fn is_local(&self) -> bool {
        crate::oidc::endpoint_url::is_local(&self.address)
    }

    /// What `aud` of a token must be; `None` where that is not known yet.
    pub(super) fn audience(&self) -> Option<Vec<String>> {
        if let Some(audience) = &self.settings.audience {
            return Some(vec![audience.clone()]);
        }
        let audience = self.stream.load().as_ref()?.audience.clone();
        (!audience.is_empty()).then_some(audience)
    }

    /// Members of complex subjects that the transmitter wants understood.
    pub(super) fn critical_members(&self) -> Vec<String> {
        self.metadata.load().as_ref().map(|known| known.critical.clone()).unwrap_or_default()
    }

    /// Lets exactly the addresses be called that metadata and stream name.
    pub(super) fn permit(&self, metadata: &Metadata, stream: Option<&Stream>) {
        let mut urls = vec![self.address.clone(), metadata.jwks.clone(), metadata.configuration.clone()];
        urls.extend(metadata.status.iter().chain(&metadata.verification).cloned());
        if let Authorization::Client { token_endpoint, .. } = &self.settings.authorization {
            urls.push(token_endpoint.clone());
        }
        if let Some(stream) = stream {
            let endpoints = metadata.status.iter().chain([&metadata.configuration]);
            urls.extend(endpoints.map(|endpoint| super::management::of_stream(endpoint, stream)));
        }
        self.http.permit(urls);
        let polled = stream.and_then(|stream| stream.endpoint.clone());
        self.waiting_http.permit(polled.into_iter().collect());
    }
}

/// Follows from the gateway's key: any process of the gateway's knows it, and none keeps it.
fn authorization(key: &SealingKey, name: &str) -> Secret {
    let purpose = [b"portcullis signals 1: push ".as_slice(), name.as_bytes()].concat();
    let derived = SealingKey::derived(key.expose(), &purpose);
    // Without a key there is a secret that nobody knows.
    let bytes = derived.map_or_else(crate::secret::random_bytes, |key| *key.expose());
    Secret::new(format!("Bearer {}", URL_SAFE_NO_PAD.encode(bytes)))
}

impl fmt::Debug for Transmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transmitter").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

/// Asks the transmitter whose metadata are known. Weak, for the transmitter holds the cache that holds this.
struct Keys(Weak<Transmitter>);

impl Fetch for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<FetchedKeys, FetchError>> {
        async move {
            let transmitter = self.0.upgrade().ok_or_else(|| FetchError::new("the transmitter has left"))?;
            let metadata = transmitter.metadata.load_full();
            let metadata = metadata.ok_or_else(|| FetchError::new("its jwks_uri is not known yet"))?;
            let response = transmitter.http.get(&metadata.jwks).await.map_err(FetchError::new)?;
            Ok(FetchedKeys { max_age: max_age(response.headers()), body: response.into_body() })
        }
        .boxed()
    }
}
