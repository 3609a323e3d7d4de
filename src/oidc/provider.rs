//! One provider: its settings, and its metadata found in the background and kept.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex as FlightLock;
use tokio::time::{Instant, sleep};
use url::Url;

use super::assertion::AssertionKey;
use super::error::{ProviderError, SetupError};
use super::http::HttpClient;
use super::keys::KeySource;
use super::metadata::{Metadata, discover, discovery_url};
use super::settings::{ClientAuthentication, ClientSettings, ProviderSettings};
use super::status::ProviderStatus;
use crate::clock::{Clock, Timestamp};
use crate::identity::{Issuer, ProviderName};
use crate::secret::random_bytes;

const REFRESH: Duration = Duration::from_secs(24 * 3600);
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
const COOL_DOWN: Duration = Duration::from_secs(2);

/// An OpenID Provider as this gateway knows it.
pub struct Provider {
    settings: ProviderSettings,
    redirect_uri: Option<Url>,
    clock: Clock,
    http: HttpClient,
    discovery: Url,
    metadata: ArcSwapOption<Metadata>,
    status: Mutex<ProviderStatus>,
    last_attempt: FlightLock<Option<Instant>>,
    keys: OnceLock<Arc<dyn KeySource>>,
    assertion_key: Option<AssertionKey>,
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
        let http = HttpClient::new(settings.ca.as_deref(), settings.timeout)?;
        http.permit(vec![discovery.clone()]);
        let reason = "its discovery document has not been asked for yet".to_owned();
        let status = ProviderStatus::Unavailable { since: clock.now(), reason };
        Ok(Arc::new(Self {
            assertion_key: assertion_key(&settings)?,
            settings,
            redirect_uri,
            clock,
            http,
            discovery,
            metadata: ArcSwapOption::empty(),
            status: Mutex::new(status),
            last_attempt: FlightLock::new(None),
            keys: OnceLock::new(),
        }))
    }

    /// Says where the provider's keys are kept; only the first call counts.
    pub fn attach_keys(&self, keys: Arc<dyn KeySource>) {
        // A second source would let two parts of the program believe different keys.
        let _ = self.keys.set(keys);
    }

    /// Finds the provider's metadata, however long that takes, and refreshes them every day. Never ends:
    /// spawn it, and abort it when the provider leaves the configuration.
    pub async fn run(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            failures = if self.attempt_now().await.is_ok() { 0 } else { failures + 1 };
            let ready = self.metadata.load().is_some();
            sleep(pause(failures, ready)).await;
        }
    }

    /// Looks for the metadata now, where a person waits for them: one attempt for all who ask at the
    /// same time, and none within two seconds of the last.
    ///
    /// # Errors
    /// Where they are still unknown afterwards.
    pub async fn retry_now(&self) -> Result<(), ProviderError> {
        let mut last = self.last_attempt.lock().await;
        if self.metadata.load().is_some() {
            return Ok(());
        }
        if last.is_some_and(|at| at.elapsed() < COOL_DOWN) {
            return Err(self.unavailable());
        }
        self.attempt(&mut last).await
    }

    /// Whether the provider can do its work.
    #[must_use]
    pub fn status(&self) -> ProviderStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

    pub(super) fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        self.metadata.load_full().ok_or_else(|| self.unavailable())
    }

    pub(super) fn client(&self) -> Result<(&ClientSettings, &Url), ProviderError> {
        self.settings.client.as_ref().zip(self.redirect_uri.as_ref()).ok_or(ProviderError::NotForSignIn)
    }

    pub(super) fn keys(&self) -> Result<&dyn KeySource, ProviderError> {
        self.keys.get().map(AsRef::as_ref).ok_or(ProviderError::NoKeys)
    }

    pub(super) fn assertion_key(&self) -> Option<&AssertionKey> {
        self.assertion_key.as_ref()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn unavailable(&self) -> ProviderError {
        match self.status() {
            ProviderStatus::Unavailable { reason, .. } => ProviderError::Unavailable(reason),
            ProviderStatus::Ready { .. } => ProviderError::Unavailable("its metadata are being found".into()),
        }
    }

    async fn attempt_now(&self) -> Result<(), ProviderError> {
        let mut last = self.last_attempt.lock().await;
        self.attempt(&mut last).await
    }

    async fn attempt(&self, last: &mut Option<Instant>) -> Result<(), ProviderError> {
        let sign_in = self.settings.client.is_some();
        let found = discover(&self.http, &self.discovery, &self.settings.issuer, sign_in).await;
        *last = Some(Instant::now());
        match found {
            Ok(metadata) => self.adopt(metadata),
            Err(error) => return Err(self.note(error)),
        }
        Ok(())
    }

    /// Only what the server itself calls is permitted: the browser goes to the other endpoints.
    fn adopt(&self, metadata: Metadata) {
        let mut urls = vec![self.discovery.clone(), metadata.jwks.clone()];
        urls.extend(metadata.token.iter().chain(&metadata.userinfo).cloned());
        self.http.permit(urls);
        self.metadata.store(Some(Arc::new(metadata)));
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*status, ProviderStatus::Unavailable { .. }) {
            tracing::info!(provider = %self.name(), "the provider's metadata are known");
            *status = ProviderStatus::Ready { since: self.clock.now() };
        }
    }

    /// Metadata once found stay good: a provider that is away for its daily refresh loses nothing.
    fn note(&self, error: ProviderError) -> ProviderError {
        tracing::warn!(provider = %self.name(), %error, "the provider's metadata could not be fetched");
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if let ProviderStatus::Unavailable { reason, .. } = &mut *status {
            *reason = error.to_string();
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
    match settings.client.as_ref().map(|client| &client.authentication) {
        Some(ClientAuthentication::PrivateKey(pem)) => Ok(Some(AssertionKey::from_pem(pem)?)),
        Some(
            ClientAuthentication::None
            | ClientAuthentication::SecretBasic(_)
            | ClientAuthentication::SecretPost(_),
        )
        | None => Ok(None),
    }
}

/// How long to wait after `failures` failed attempts in a row, within ±25 % so that many gateways that
/// lost the same provider do not come back to it all at once.
fn pause(failures: u32, ready: bool) -> Duration {
    let (least, most) = BACKOFF;
    let pause = match failures {
        0 => REFRESH,
        _ if ready => most,
        _ => least.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(most),
    };
    pause.mul_f64(0.75 + f64::from(u16::from_le_bytes(random_bytes())) / f64::from(u16::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_a_minute_and_a_day_after_success() {
        let within = |failures, ready, seconds: f64| {
            (0..100).all(|_| (0.75..=1.25).contains(&(pause(failures, ready).as_secs_f64() / seconds)))
        };
        assert!(within(1, false, 1.0) && within(2, false, 2.0) && within(5, false, 16.0));
        assert!(within(7, false, 60.0) && within(u32::MAX, false, 60.0));
        assert!(within(0, true, 86_400.0) && within(1, true, 60.0));
    }
}
