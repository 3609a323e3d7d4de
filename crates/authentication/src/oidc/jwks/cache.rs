//! Keys are cached, not trusted forever.
//!
//! A set of keys is *fresh* until four fifths of its lifetime are over, *due* from then on, and *closed* at its end and the
//! time for which stale keys are served: then none is trusted. [`JwksCache::run`] fetches ahead of the end, later after
//! failures; a token that fits no key has the keys fetched too, once a cool-down however many come. Both join
//! one call, which ends two seconds after the last who waits for it has left. Sets never change: a fetch puts another in
//! the place of the one before, with another generation where a key is missing in it, so that what was remembered under
//! the old one is void.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use portcullis_events::{Part, PartWatch, ProviderKeysChanged, Recorder};
use tokio::sync::Notify;

use super::key_set::Life;
use super::{DocumentError, Fetch, FetchError, JwksSettings, Jws, KeyError, KeySet, document};
use crate::clock::{Clock, Timestamp};
use crate::identity::ProviderName;
use crate::single_flight::{SingleFlight, Waiter};

/// The longest sleep of the background loop, so that a machine that was suspended soon notices.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// The longest pause between two attempts while the provider is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long a call goes on after the last who waited for it has left. A provider that answers at all has answered by
/// then: without it a stranger could end every call by sending a token and hanging up, and a new key would never be
/// found.
const LINGER: Duration = Duration::from_secs(2);

/// The keys of one provider: fetched ahead of expiry by [`JwksCache::run`], and at once (but not more
/// often than the cool-down allows, and one call at a time) when a token fits no key known yet.
pub struct JwksCache(Arc<Shared>);

struct Shared {
    provider: ProviderName,
    fetch: Arc<dyn Fetch>,
    clock: Clock,
    settings: JwksSettings,
    keys: ArcSwap<KeySet>,
    calls: SingleFlight<(), ()>,
    attempts: Mutex<Attempts>,
    /// Whether the last call gave no keys.
    failing: AtomicBool,
    /// Told when the operator wants the keys fetched.
    wanted: Notify,
    watch: PartWatch,
}

#[derive(Default)]
struct Attempts {
    /// When the last one ended.
    last: Option<Timestamp>,
    /// When the last one ended that a token caused. Those ahead of expiry do not count: a key that is new just
    /// after one of them is found at once.
    asked: Option<Timestamp>,
    failed: u32,
}

#[derive(Debug, thiserror::Error)]
enum KeyRefreshError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Who wants a call, which decides what it counts as.
#[derive(Clone, Copy)]
enum Cause {
    Token,
    Schedule,
}

impl JwksCache {
    /// A cache without keys yet; the first token or [`JwksCache::run`] fetches them.
    #[must_use]
    pub fn new(provider: ProviderName, fetch: Arc<dyn Fetch>, clock: Clock, settings: JwksSettings) -> Self {
        Self(Arc::new(Shared {
            watch: PartWatch::new(Part::Provider, format!("keys of {provider}")),
            provider,
            fetch,
            clock,
            settings,
            keys: ArcSwap::default(),
            calls: SingleFlight::new(),
            attempts: Mutex::default(),
            failing: AtomicBool::new(false),
            wanted: Notify::new(),
        }))
    }

    /// Tells `recorder` from now on when the keys cannot be had, when they can again, and when they are others.
    pub fn record_to(&self, recorder: &Recorder) {
        self.0.watch.tell(recorder);
    }

    /// The keys that are trusted now; an empty set where there are none, or none any more.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        self.0.current()
    }

    /// Checks the signature of `token` under the provider's keys. Where no key fits or none made the signature (it may
    /// have been replaced, under the same name even), the provider is asked, at most once a cool-down however many
    /// tokens come; callers wait for that one call, and no longer than it takes (invariant 26).
    ///
    /// # Errors
    /// [`KeyError`]: the keys are unavailable (fail closed), or none of them made the signature. That a key is
    /// unknown is not said while the provider is away: it may be a new one.
    pub async fn verify(&self, token: &Jws<'_>) -> Result<(), KeyError> {
        let keys = self.current();
        let Err(first) = keys.verify(token) else { return Ok(()) };
        self.refetch(keys.life.serial).await;
        let fetched = self.current();
        // No second round over the same keys: whoever sends junk has it checked once.
        let found = if fetched.life.serial == keys.life.serial { Err(first) } else { fetched.verify(token) };
        match found {
            Err(KeyError::Unknown) if self.0.failing.load(Ordering::Relaxed) => Err(KeyError::Unavailable),
            found => found,
        }
    }

    /// Has the provider asked at once where the last call gave no keys, or none was made: it answers again.
    pub async fn recover(&self) {
        self.0.fetch_as_scheduled(|shared, _| shared.lacks_keys()).await;
    }

    /// Whether the last call gave no keys.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Relaxed)
    }

    /// Has [`JwksCache::run`] fetch the keys now, whatever their age: the operator says so.
    pub fn fetch_now(&self) {
        self.0.wanted.notify_one();
    }

    /// Asks as a token does that fits no key.
    #[cfg(test)]
    pub(crate) async fn ask(&self) {
        self.refetch(self.current().life.serial).await;
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
                let wait = shared.due(&shared.attempts());
                if wait.is_zero() {
                    shared.fetch_as_scheduled(|shared, attempts| shared.due(attempts).is_zero()).await;
                    continue;
                }
                tokio::select! {
                    () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
                    () = shared.wanted.notified() => shared.fetch_as_scheduled(|_, _| true).await,
                }
            }
        }
    }

    /// Waits for the call on its way, or for one that a token causes.
    async fn refetch(&self, seen: u64) {
        let wanted = |shared: &Shared, attempts: &Attempts| shared.is_worth_asking(attempts, seen);
        if let Some(call) = self.0.join(Cause::Token, wanted) {
            call.wait().await;
        }
    }
}

impl Shared {
    fn current(&self) -> Arc<KeySet> {
        let keys = self.keys.load();
        if mutant!(self.clock.now() < keys.trusted_until(), "keys-trusted-for-ever" => true) {
            return Arc::clone(&keys);
        }
        Arc::new(keys.closed())
    }

    /// Asks the provider unless that is being done, or by now is not `wanted` any more.
    async fn fetch_as_scheduled(self: &Arc<Self>, wanted: impl FnOnce(&Self, &Attempts) -> bool + Send) {
        if let Some(call) = self.join(Cause::Schedule, wanted) {
            call.wait().await;
        }
    }

    /// The call on its way; where there is none and it is `wanted`, a new one.
    fn join(
        self: &Arc<Self>,
        cause: Cause,
        wanted: impl FnOnce(&Self, &Attempts) -> bool,
    ) -> Option<Waiter<(), ()>> {
        let begin = |_| match wanted(self, &self.attempts()) {
            true => Ok(Arc::clone(self).call(cause).boxed()),
            false => Err(()),
        };
        let call = self.calls.try_join((), begin).ok()?;
        let span = mutant!(LINGER, "abandoned-call-goes-on" => Duration::from_secs(24 * 3600));
        let provider = self.provider.clone();
        Some(call.lingering(span, move || {
            tracing::warn!(%provider, "the provider's keys had not come when nobody waited for them any more");
        }))
    }

    /// One call to the provider.
    async fn call(self: Arc<Self>, cause: Cause) {
        let mut ending = CallEnding { cache: &self, cause, outcome: None };
        ending.outcome = Some(self.refresh().await);
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh(&self) -> Result<(), KeyRefreshError> {
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
        let changed = keys.lacks_one_of(&before) || before.lacks_one_of(&keys);
        if let Some(recorder) = self.watch.recorder().filter(|_| changed && before.life.fetched.is_some()) {
            let count = u64::try_from(keys.keys().len()).ok();
            recorder.emit(&ProviderKeysChanged { name: self.provider.as_str(), count });
        }
        keys.life = Life {
            fetched: Some(now),
            refresh: now + lifetime * 4 / 5,
            closed: now + lifetime + self.settings.stale,
            generation: before.life.generation
                + u64::from(mutant!(keys.lacks_one_of(&before), "replaced-key-unnoticed" => false)),
            serial: before.life.serial + 1,
        };
        self.keys.store(Arc::new(keys));
    }

    fn report_failure(&self, error: &KeyRefreshError) {
        let trusted = self.keys.load().trusted_until().since(self.clock.now());
        tracing::debug!(provider = %self.provider, %error, ?trusted, "the provider's keys could not be refreshed");
        self.watch.lost(format!("the provider's keys could not be refreshed: {error}"));
    }

    fn lacks_keys(&self) -> bool {
        self.failing.load(Ordering::Relaxed) || self.keys.load().life.fetched.is_none()
    }

    /// How long until the next fetch ahead of expiry: by the keys' age, later after failures.
    fn due(&self, attempts: &Attempts) -> Duration {
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

    /// Whether a token may make us ask: no set has come since it was looked at, and no token made us ask within the
    /// cool-down.
    fn is_worth_asking(&self, attempts: &Attempts, seen: u64) -> bool {
        let rested = elapsed(attempts.asked, self.clock.now()) >= self.settings.cool_down;
        self.keys.load().life.serial == seen && mutant!(rested, "cool-down-forgotten" => true)
    }
}

/// Takes down how a call ended, also where nobody waited for it any more and it was dropped.
struct CallEnding<'a> {
    cache: &'a Shared,
    cause: Cause,
    outcome: Option<Result<(), KeyRefreshError>>,
}

impl Drop for CallEnding<'_> {
    fn drop(&mut self) {
        let Self { cache, cause, outcome } = self;
        // A call that was given up has not answered either.
        cache.failing.store(!matches!(outcome, Some(Ok(()))), Ordering::Relaxed);
        match outcome {
            Some(Err(error)) => cache.report_failure(error),
            Some(Ok(())) => cache.watch.back(),
            None => {}
        }
        let well = outcome.as_ref().map(Result::is_ok);
        cache.attempts().note(well, *cause, cache.clock.now());
    }
}

impl Attempts {
    /// A call has ended at `now`: well, badly, or (`None`) because nobody waited for it any more.
    fn note(&mut self, well: Option<bool>, cause: Cause, now: Timestamp) {
        self.last = Some(now);
        if matches!(cause, Cause::Token) {
            self.asked = Some(now);
        }
        match well {
            Some(true) => self.failed = 0,
            Some(false) => self.failed = self.failed.saturating_add(1),
            None => {}
        }
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

#[cfg(test)]
mod tests;
