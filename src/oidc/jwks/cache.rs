//! Keys are cached, not trusted forever.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::key_set::Life;
use super::{Algorithm, DocumentError, Fetch, FetchError, JwksSettings, Key, KeyError, KeySet, document};
use crate::clock::{Clock, Timestamp};
use crate::identity::ProviderName;

/// The longest sleep of the background loop, so that a machine that was suspended soon notices.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// The longest pause between two attempts while the provider is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The keys of one provider: fetched ahead of expiry by [`JwksCache::run`], and at once (but not more
/// often than the cool-down allows, and one call at a time) when a token names a key not known yet.
pub struct JwksCache(Arc<Shared>);

struct Shared {
    provider: ProviderName,
    fetch: Arc<dyn Fetch>,
    clock: Clock,
    settings: JwksSettings,
    keys: ArcSwap<KeySet>,
    /// Held for the time of a call to the provider: single-flight.
    attempts: Mutex<Attempts>,
    /// Whether the last call gave no keys.
    failing: AtomicBool,
}

#[derive(Default)]
struct Attempts {
    last: Option<Timestamp>,
    /// The last one that a token caused. Those ahead of expiry do not count: a key that is new just after
    /// one of them is found at once.
    asked: Option<Timestamp>,
    failed: u32,
}

#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl JwksCache {
    /// A cache without keys yet; the first token or [`JwksCache::run`] fetches them.
    #[must_use]
    pub fn new(provider: ProviderName, fetch: Arc<dyn Fetch>, clock: Clock, settings: JwksSettings) -> Self {
        let (keys, attempts, failing) = (ArcSwap::default(), Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Shared { provider, fetch, clock, settings, keys, attempts, failing }))
    }

    /// The keys that are trusted now; an empty set where there are none, or none any more.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        self.0.current()
    }

    /// The key for a token with this header. An unknown `kid` makes the provider be asked, at most once
    /// a cool-down however many tokens come; callers wait for that one call.
    ///
    /// # Errors
    /// [`KeyError`]: the keys are unavailable (fail closed), or none of them is the token's. That a key is
    /// unknown is not said while the provider is away: it may be a new one.
    pub async fn for_kid(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Key, KeyError> {
        let keys = self.current();
        match keys.find(kid, algorithm) {
            Err(KeyError::Unknown | KeyError::Unavailable) => self.refetch(keys.life.serial).await,
            Ok(key) => return Ok(key.clone()),
            Err(error @ (KeyError::WrongAlgorithm | KeyError::Ambiguous)) => return Err(error),
        }
        match self.current().find(kid, algorithm) {
            Err(KeyError::Unknown) if self.0.failing.load(Ordering::Relaxed) => Err(KeyError::Unavailable),
            found => found.cloned(),
        }
    }

    /// Has the provider asked for its keys because none is called `kid`, within the same bounds; whether
    /// there is such a key now or other keys came.
    pub async fn refetch_for(&self, kid: &str) -> bool {
        let keys = self.current();
        if keys.has(kid) {
            return true;
        }
        self.refetch(keys.life.serial).await;
        self.0.keys.load().life.serial != keys.life.serial
    }

    /// Has the provider asked at once where the last call gave no keys, or none was made: it answers again.
    pub async fn recover(&self) {
        self.0.attempt(|shared, _| shared.lacks_keys()).await;
    }

    /// Whether the last call gave no keys.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Relaxed)
    }

    /// The usable keys as a JWK Set, for libraries that read one; `None` where none are trusted.
    /// Private, symmetric and otherwise refused keys are not in it.
    #[must_use]
    pub fn document(&self) -> Option<Arc<str>> {
        self.current().document().cloned()
    }

    /// How long ago the keys were fetched; `None` where they never were.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        Some(self.0.clock.now().since(self.0.keys.load().life.fetched?))
    }

    /// A number that changes when a key is removed or replaced: what was verified under another
    /// generation must be verified again.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.keys.load().generation()
    }

    /// Keeps the keys fresh for as long as the future lives. It holds the cache alive, not its handle.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.0);
        async move {
            loop {
                let wait = shared.until_due().await;
                if wait.is_zero() {
                    shared.attempt(|shared, attempts| shared.due_in(&*attempts).is_zero()).await;
                } else {
                    tokio::time::sleep(wait.min(LONGEST_SLEEP)).await;
                }
            }
        }
    }

    /// In a task of its own: a client that hangs up must not cancel the call that others wait for.
    async fn refetch(&self, seen: u64) {
        let shared = Arc::clone(&self.0);
        let call = async move {
            shared.attempt(|shared, attempts| shared.is_worth_asking(attempts, seen)).await;
        };
        // A panic of the call leaves the keys as they were; the lookup that follows fails closed.
        drop(tokio::spawn(call).await);
    }
}

impl Shared {
    fn current(&self) -> Arc<KeySet> {
        let keys = self.keys.load();
        if self.clock.now() < keys.trusted_until() {
            return Arc::clone(&keys);
        }
        Arc::new(keys.closed())
    }

    /// Asks the provider once, unless by the time it is our turn nobody wants that any more.
    async fn attempt(&self, wanted: impl FnOnce(&Self, &mut Attempts) -> bool + Send) {
        let mut attempts = self.attempts.lock().await;
        if !wanted(self, &mut attempts) {
            return;
        }
        attempts.last = Some(self.clock.now());
        let outcome = self.refresh().await;
        self.failing.store(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Ok(()) => attempts.failed = 0,
            Err(error) => {
                attempts.failed = attempts.failed.saturating_add(1);
                self.report_failure(&error);
            }
        }
    }

    async fn refresh(&self) -> Result<(), RefreshError> {
        let fetched = self.fetch.fetch().await?;
        let (keys, refusals) = document::read(&fetched.body)?;
        for (place, refusal) in refusals {
            tracing::debug!(provider = %self.provider, place, %refusal, "a key of the provider is not used");
        }
        if keys.is_empty() {
            tracing::warn!(provider = %self.provider, "the provider's JWK Set has no usable key: its tokens are refused");
        }
        self.install(keys, self.settings.lifetime(fetched.max_age));
        Ok(())
    }

    fn install(&self, mut keys: KeySet, lifetime: Duration) {
        let before = self.keys.load_full();
        let now = self.clock.now();
        keys.life = Life {
            fetched: Some(now),
            refresh: now + lifetime * 4 / 5,
            closed: now + lifetime + self.settings.stale,
            generation: before.life.generation + u64::from(keys.lacks_one_of(&before)),
            serial: before.life.serial + 1,
        };
        self.keys.store(Arc::new(keys));
    }

    fn report_failure(&self, error: &RefreshError) {
        let cause = error as &dyn std::error::Error;
        let trusted = self.keys.load().trusted_until().since(self.clock.now());
        tracing::warn!(
            provider = %self.provider, error = cause, stale_keys_trusted_for = ?trusted,
            "the provider's keys could not be refreshed"
        );
    }

    fn lacks_keys(&self) -> bool {
        self.failing.load(Ordering::Relaxed) || self.keys.load().life.fetched.is_none()
    }

    async fn until_due(&self) -> Duration {
        self.due_in(&*self.attempts.lock().await)
    }

    /// How long until the next fetch ahead of expiry: by the keys' age, later after failures.
    fn due_in(&self, attempts: &Attempts) -> Duration {
        let now = self.clock.now();
        let life = self.keys.load().life;
        let clock_went_back = life.fetched.is_some_and(|fetched| now < fetched);
        let by_age = if clock_went_back { Duration::ZERO } else { life.refresh.since(now) };
        by_age.max(self.pause(attempts).saturating_sub(elapsed(attempts.last, now)))
    }

    /// The pause after an attempt: the cool-down, doubled by each failure in a row.
    fn pause(&self, attempts: &Attempts) -> Duration {
        let factor = 1_u32 << attempts.failed.min(8);
        (self.settings.cool_down * factor).min(LONGEST_PAUSE.max(self.settings.cool_down))
    }

    /// Whether a token may make us ask: nobody fetched since it was looked at, and no token did of late.
    fn is_worth_asking(&self, attempts: &mut Attempts, seen: u64) -> bool {
        let now = self.clock.now();
        let worth =
            self.keys.load().life.serial == seen && elapsed(attempts.asked, now) >= self.settings.cool_down;
        if worth {
            attempts.asked = Some(now);
        }
        worth
    }
}

/// The time since `last`; endless where it never was or where the clock was set back behind it, so
/// that no correction of the clock keeps us from asking for keys.
pub(super) fn elapsed(last: Option<Timestamp>, now: Timestamp) -> Duration {
    last.filter(|last| *last <= now).map_or(Duration::MAX, |last| now.since(last))
}

impl fmt::Debug for JwksCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksCache")
            .field("provider", &self.0.provider)
            .field("keys", &self.0.keys.load().keys().len())
            .finish_non_exhaustive()
    }
}
