//! One provider: its settings, and its metadata found in the background and kept.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use portcullis_events::{Part, PartWatch, Recorder};
use tokio::sync::Mutex as FlightLock;
use tokio::time::{Instant, sleep};
use url::Url;

use super::assertion::AssertionKey;
use super::backoff::Backoff;
use super::discovery::{discover, discovery_url};
use super::health::{Health, ProviderEndpoint};
use super::http::HttpClient;
use super::jwks::JwksCache;
use super::metadata::Metadata;
use super::provider_error::ProviderError;
use super::settings::{ClientAuthentication, ClientSettings, ProviderSettings};
use super::setup_error::SetupError;
use super::status::ProviderStatus;
use crate::clock::{Clock, Timestamp};
use crate::identity::{Issuer, ProviderName};
use crate::secret::random_bytes;

/// How often a provider that answers is asked for its metadata, so that its end is noticed.
const PROBE: Duration = Duration::from_secs(60);
/// The first pause and the longest while it does not answer.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), PROBE);
/// The least time between two attempts, whoever asks for them.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// An OpenID Provider as this gateway knows it.
pub struct Provider {
    settings: ProviderSettings,
    redirect_uri: Option<Url>,
    clock: Clock,
    http: HttpClient,
    discovery: Url,
    metadata: ArcSwapOption<Metadata>,
    health: Health,
    last_attempt: FlightLock<Option<Instant>>,
    keys: OnceLock<Arc<JwksCache>>,
    assertion_key: Option<AssertionKey>,
    pub(super) refreshes: Backoff,
    watch: PartWatch,
}

impl Provider {
    /// A provider whose metadata are not known yet: [`Provider::run`] finds them. Nobody can sign in
    /// without a `redirect_uri`; ID tokens need [`Provider::attach_keys`].
    ///
    /// # Errors
    /// Where issuer, `ca` or private key cannot be used at all.
    pub fn new(
        settings: ProviderSettings,
        redirect_uri: Option<Url>,
        clock: Clock,
    ) -> Result<Arc<Self>, SetupError> {
        let discovery = discovery_url(&settings.issuer);
        let discovery = discovery.ok_or_else(|| SetupError::Issuer(settings.issuer.to_string()))?;
        let discovery = settings.discovery.clone().unwrap_or(discovery);
        let http = HttpClient::new(settings.ca.as_deref(), settings.timeout)?;
        http.permit(vec![discovery.clone()]);
        Ok(Arc::new(Self {
            watch: PartWatch::new(Part::Provider, settings.name.as_str()),
            assertion_key: assertion_key(&settings)?,
            settings,
            redirect_uri,
            health: Health::new(clock.clone()),
            clock,
            http,
            discovery,
            metadata: ArcSwapOption::empty(),
            last_attempt: FlightLock::new(None),
            keys: OnceLock::new(),
            refreshes: Backoff::default(),
        }))
    }

    /// Tells `recorder` from now on when the provider is lost, and when it is back.
    pub fn record_to(&self, recorder: &Recorder) {
        self.watch.tell(recorder);
    }

    /// Says where the provider's keys are kept; only the first call counts.
    pub fn attach_keys(&self, keys: Arc<JwksCache>) {
        // A second source would let two parts of the program believe different keys.
        let _ = self.keys.set(keys);
    }

    /// Finds the provider's metadata, however long that takes, and asks for them once a minute, so that an
    /// outage is noticed, and at once where another call has failed. Never ends: spawn it, and abort it when
    /// the provider leaves the configuration.
    pub async fn run(self: Arc<Self>) {
        let mut failures: u32 = 0;
        loop {
            let mut last = self.last_attempt.lock().await;
            let found = self.attempt_unless_recent(&mut last).await.is_ok();
            drop(last);
            failures = if found { 0 } else { failures.saturating_add(1) };
            if let Some(keys) = self.keys.get().filter(|_| found) {
                keys.recover().await;
            }
            tokio::select! {
                () = sleep(pause(failures)) => {}
                () = self.worsened() => {}
            }
        }
    }

    /// Looks for the metadata now where they are not known or the provider was away when it was last asked:
    /// one attempt for all who ask at the same time, and none within a second of the last.
    ///
    /// # Errors
    /// Where it does not answer now.
    pub async fn retry_now(&self) -> Result<(), ProviderError> {
        if self.is_there() {
            return Ok(());
        }
        let mut last = self.last_attempt.lock().await;
        if self.is_there() {
            return Ok(());
        }
        let outcome = self.attempt_unless_recent(&mut last).await;
        if outcome.is_ok() {
            // Whoever signs in next needs the keys.
            self.health.look_again();
        }
        outcome
    }

    /// Whether the provider can do its work.
    #[must_use]
    pub fn status(&self) -> ProviderStatus {
        let status = self.health.status();
        let failing = self.keys.get().is_some_and(|keys| keys.is_failing());
        if let (ProviderStatus::Ready { since }, true) = (&status, failing) {
            let reason = "its keys (jwks_uri) cannot be had; the log says why".to_owned();
            return ProviderStatus::Failing { since: *since, reason };
        }
        status
    }

    /// Calls to `endpoint` that have failed since the start.
    #[must_use]
    pub fn failures(&self, endpoint: ProviderEndpoint) -> u64 {
        self.health.failures(endpoint)
    }

    /// What an operator should know of the metadata: members that count as absent, what will not work and
    /// what to do about it; empty while they are not known.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.metadata.load().as_ref().map(|metadata| metadata.remarks.clone()).unwrap_or_default()
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &ProviderName {
        &self.settings.name
    }

    /// Its issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.settings.issuer
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// The client that calls this issuer's URLs and no others.
    #[must_use]
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Where its keys are (RFC 7517), once that is known.
    #[must_use]
    pub fn jwks_uri(&self) -> Option<Url> {
        self.metadata.load().as_ref().map(|metadata| metadata.jwks.clone())
    }

    /// Addresses at which people see pages of the provider's, as far as they are known: where it could frame one of ours.
    #[must_use]
    pub fn seen_at(&self) -> Vec<Url> {
        let metadata = self.metadata.load_full();
        let told =
            metadata.iter().flat_map(|known| known.authorization.iter().chain(&known.end_session).cloned());
        Url::parse(self.issuer().as_str()).into_iter().chain(told).collect()
    }

    pub(super) fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        self.metadata.load_full().ok_or_else(|| self.unavailable())
    }

    pub(super) fn client(&self) -> Result<(&ClientSettings, &Url), ProviderError> {
        self.settings.client.as_ref().zip(self.redirect_uri.as_ref()).ok_or(ProviderError::NotForSignIn)
    }

    pub(super) fn keys(&self) -> Result<&JwksCache, ProviderError> {
        self.keys.get().map(AsRef::as_ref).ok_or(ProviderError::NoKeys)
    }

    pub(super) fn assertion_key(&self) -> Option<&AssertionKey> {
        self.assertion_key.as_ref()
    }

    /// After how long its tokens are renewed at the latest, though they may be good for longer.
    pub(super) fn renewal(&self) -> Option<Duration> {
        self.settings.client.as_ref().and_then(|client| client.refresh_every)
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) const fn health(&self) -> &Health {
        &self.health
    }

    /// Waits until something is worth another look, a second at least.
    async fn worsened(&self) {
        sleep(COOL_DOWN).await;
        self.health.worsened().await;
    }

    fn is_there(&self) -> bool {
        !matches!(self.health.status(), ProviderStatus::Unavailable { .. })
    }

    fn unavailable(&self) -> ProviderError {
        match self.health.status() {
            ProviderStatus::Unavailable { reason, .. } => ProviderError::Unavailable(reason),
            ProviderStatus::Ready { .. } | ProviderStatus::Failing { .. } => {
                ProviderError::Unavailable("its metadata are being found".into())
            }
        }
    }

    async fn attempt_unless_recent(&self, last: &mut Option<Instant>) -> Result<(), ProviderError> {
        if last.is_some_and(|at| at.elapsed() < COOL_DOWN) {
            return if self.is_there() { Ok(()) } else { Err(self.unavailable()) };
        }
        let found = discover(&self.http, &self.discovery, &self.settings).await;
        *last = Some(Instant::now());
        found.map(|metadata| self.adopt(metadata)).map_err(|error| self.note(error))
    }

    /// Only what the server itself calls is permitted: the browser goes to the other endpoints.
    fn adopt(&self, metadata: Metadata) {
        let before = self.metadata.load_full();
        if before.as_deref() != Some(&metadata) {
            let told = before.as_ref().map_or(&[][..], |before| &before.remarks);
            for remark in metadata.remarks.iter().filter(|remark| !told.contains(remark)) {
                tracing::warn!(provider = %self.name(), remark, "the provider's metadata");
            }
            let mut urls = vec![self.discovery.clone(), metadata.jwks.clone()];
            urls.extend(metadata.token.iter().chain(&metadata.userinfo).chain(&metadata.revocation).cloned());
            self.http.permit(urls);
            self.metadata.store(Some(Arc::new(metadata)));
        }
        let first = !self.is_there() && !self.watch.is_lost();
        self.health.answered(ProviderEndpoint::Metadata);
        self.watch.back();
        if first {
            tracing::info!(provider = %self.name(), "the provider's metadata are known");
        }
    }

    /// Metadata once found stay good: who is signed in loses nothing while the provider is away.
    fn note(&self, error: ProviderError) -> ProviderError {
        if self.health.undiscovered(&error) {
            self.watch.lost(format!("the provider's metadata could not be fetched: {error}"));
        } else {
            tracing::debug!(provider = %self.name(), %error, "the provider's metadata cannot be fetched yet");
        }
        error
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", self.name())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

fn assertion_key(settings: &ProviderSettings) -> Result<Option<AssertionKey>, SetupError> {
    let Some(client) = &settings.client else { return Ok(None) };
    match &client.authentication {
        ClientAuthentication::PrivateKey(pem) => Ok(Some(AssertionKey::new(pem, &client.assertion)?)),
        ClientAuthentication::None
        | ClientAuthentication::SecretBasic(_)
        | ClientAuthentication::SecretPost(_) => Ok(None),
    }
}

/// How long to wait after `failures` failed attempts in a row, within ±25 % so that many gateways that
/// lost the same provider do not come back to it all at once.
fn pause(failures: u32) -> Duration {
    let (least, most) = BACKOFF;
    let pause = match failures {
        0 => PROBE,
        _ => least.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(most),
    };
    pause.mul_f64(0.75 + f64::from(u16::from_le_bytes(random_bytes())) / f64::from(u16::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_a_minute_and_are_a_minute_after_success() {
        let within = |failures, seconds: f64| {
            (0..100).all(|_| (0.75..=1.25).contains(&(pause(failures).as_secs_f64() / seconds)))
        };
        assert!(within(1, 1.0) && within(2, 2.0) && within(5, 16.0));
        assert!(within(7, 60.0) && within(u32::MAX, 60.0) && within(0, 60.0));
    }
}
