//! One refresh a session at a time, however many wait for it, and none for a while after it.
//!
//! A session is *at rest* or not, and has a call *under way* or none. Whoever comes while one is under way waits for it; who
//! comes at rest is sent away. A call goes on though every waiter leaves, and its end begins the rest: a second where it
//! gave something, five times as long as it took where that is longer, and ever longer after failures in a row. At
//! most `capacity` calls are under way and as many sessions at rest.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::FutureExt;
use tokio::time::Instant;

use super::backoff;
use crate::single_flight::{SingleFlight, Waiter};

type Key = [u8; 32];
type Flight<T> = Waiter<Key, Result<T, FlightError>>;

/// No session calls again before this many times the span that its last call took: a provider that stalls
/// holds a session's requests up now and then, not each of them.
const REST: u32 = 5;
/// The shortest and the longest such rest.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), backoff::LONGEST);

/// Why a joined call gave nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlightError {
    /// As many calls are on their way as are allowed.
    #[error("too many refreshes are on their way already")]
    Full,
    /// One has ended well a moment ago: what the session holds now is what there is.
    #[error("a refresh ended a moment ago; it is not tried again yet")]
    Recent,
    /// The last one has failed, and it is not tried again yet.
    #[error("a refresh failed a moment ago; it is not tried again yet")]
    Failed,
    /// The call was dropped or panicked.
    #[error("the refresh ended without a result")]
    Lost,
}

/// Calls on their way, by session: whoever comes while one flies waits for it instead of calling too.
pub struct RefreshFlights<T: Clone> {
    under_way: SingleFlight<Key, Result<T, FlightError>>,
    resting: Arc<Mutex<Resting>>,
    has_failed: fn(&T) -> bool,
}

/// Sessions that do not call again yet, for their last call has ended a short while ago.
struct Resting {
    sessions: HashMap<Key, Rest>,
    capacity: usize,
}

/// How long a session does not call again.
struct Rest {
    until: Instant,
    /// Calls in a row that have failed.
    failures: u32,
}

impl<T: Clone + Send + Sync + 'static> RefreshFlights<T> {
    /// Room for `capacity` sessions refreshing at the same time.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let resting = Resting { sessions: HashMap::new(), capacity };
        Self { under_way: SingleFlight::new(), resting: Arc::new(Mutex::new(resting)), has_failed: |_| false }
    }

    /// The same where a session rests the longer the more of its calls have failed in a row.
    #[must_use]
    pub fn backing_off(self, has_failed: fn(&T) -> bool) -> Self {
        Self { has_failed, ..self }
    }

    /// Has `call` made where none is on its way, and waits for nothing.
    ///
    /// # Errors
    /// Where it is not made.
    pub fn begin<F>(&self, key: Key, call: impl FnOnce() -> F) -> Result<(), FlightError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.flight(key, call).map(drop)
    }

    /// The result of the call for `key` that is on its way, or of `call`'s, which then is.
    ///
    /// The call goes on though every waiter goes away, for the provider may have spent the refresh token
    /// already: let the future itself store what it got. Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`FlightError`]; what the call itself gives, good or bad, is `T`.
    pub async fn join<F>(&self, key: Key, call: impl FnOnce() -> F) -> Result<T, FlightError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.flight(key, call)?.wait().await
    }

    /// How long the session of `key` rests where the call that is made now fails at once.
    #[must_use]
    pub fn rest_if_failed(&self, key: &Key) -> Duration {
        let before = lock(&self.resting).sessions.get(key).map_or(0, |rest| rest.failures);
        backoff::rest(before.saturating_add(1))
    }

    /// How many are on their way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn flight<F>(&self, key: Key, call: impl FnOnce() -> F) -> Result<Flight<T>, FlightError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let flight = self.under_way.try_join(key, |under_way| {
            // The table of calls is locked here, so that nobody begins another one meanwhile.
            self.may_begin(&key, under_way)?;
            let resting = Arc::clone(&self.resting);
            let mut ending = RestOnDrop { resting, key, begun: Instant::now(), failed: true };
            let (call, has_failed) = (call(), self.has_failed);
            let call = async move {
                let result = AssertUnwindSafe(call).catch_unwind().await.map_err(|_| FlightError::Lost);
                ending.failed = result.as_ref().map_or(true, has_failed);
                drop(ending);
                result
            };
            Ok(call.boxed())
        })?;
        // It runs to its end though everybody leaves: the provider may have spent the refresh token.
        if flight.has_begun() {
            flight.detach();
        }
        Ok(flight)
    }

    fn may_begin(&self, key: &Key, under_way: usize) -> Result<(), FlightError> {
        let resting = lock(&self.resting);
        let rest = resting.sessions.get(key).filter(|rest| Instant::now() < rest.until);
        if let Some(rest) = mutant!(rest, "session-calls-without-rest" => None) {
            return Err(if rest.failures == 0 { FlightError::Recent } else { FlightError::Failed });
        }
        if under_way >= resting.capacity { Err(FlightError::Full) } else { Ok(()) }
    }
}

impl Resting {
    /// Begins the rest of a session. Where there is no room for another one, it may call again at once: a bound on
    /// memory that costs the provider a call.
    fn begin_rest(&mut self, key: Key, begun: Instant, failed: bool) {
        let now = Instant::now();
        let before = self.sessions.get(&key).map_or(0, |rest| rest.failures);
        if self.sessions.len() >= self.capacity {
            self.sessions.retain(|_, rest| now < rest.until);
        }
        if self.sessions.len() < self.capacity || self.sessions.contains_key(&key) {
            let failures = if failed { before.saturating_add(1) } else { 0 };
            let (least, most) = RESTS;
            let least = if failed { backoff::rest(failures) } else { least };
            let until = now + (now.duration_since(begun) * REST).clamp(least, most);
            self.sessions.insert(key, Rest { until, failures });
        }
    }
}

/// Begins the rest when the call ends, even by a panic.
struct RestOnDrop {
    resting: Arc<Mutex<Resting>>,
    key: Key,
    begun: Instant,
    failed: bool,
}

impl Drop for RestOnDrop {
    fn drop(&mut self) {
        lock(&self.resting).begin_rest(self.key, self.begun, self.failed);
    }
}

fn lock(resting: &Mutex<Resting>) -> MutexGuard<'_, Resting> {
    resting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Clone> fmt::Debug for RefreshFlights<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFlights")
            .field("capacity", &lock(&self.resting).capacity)
            .finish_non_exhaustive()
    }
}
