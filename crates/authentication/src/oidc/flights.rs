//! One refresh, however many wait for it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::backoff;

type Flight<T> = Shared<BoxFuture<'static, Result<T, FlightError>>>;
type Key = [u8; 32];

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
    /// One has ended a moment ago, well or not: what the session holds now is what there is.
    #[error("a refresh ended a moment ago; it is not tried again yet")]
    Recent,
    /// The call was dropped or panicked.
    #[error("the refresh ended without a result")]
    Lost,
}

/// Calls on their way, by session: whoever comes while one flies waits for it instead of calling too.
pub struct RefreshFlights<T> {
    board: Arc<Mutex<Board<T>>>,
    capacity: usize,
    has_failed: fn(&T) -> bool,
}

struct Board<T> {
    flying: HashMap<Key, Flight<T>>,
    /// Those that have ended.
    resting: HashMap<Key, Rest>,
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
        let board = Board { flying: HashMap::new(), resting: HashMap::new(), capacity };
        Self { board: Arc::new(Mutex::new(board)), capacity, has_failed: |_| false }
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
        self.flight(key, call)?.await
    }

    /// How many are on their way.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.board).flying.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The flight is on the board before its task starts, and the lock is free by then: a task that a
    /// runtime in shutdown drops at once takes its flight off the board again.
    fn flight<F>(&self, key: Key, call: impl FnOnce() -> F) -> Result<Flight<T>, FlightError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let flight = receiver.map(|result| result.map_err(|_| FlightError::Lost)).boxed().shared();
        if let Some(other) = lock(&self.board).enter(key, &flight)? {
            return Ok(other);
        }
        let mut landing =
            Landing { board: Arc::clone(&self.board), key, begun: Instant::now(), failed: true };
        let (call, has_failed) = (call(), self.has_failed);
        tokio::spawn(async move {
            let result = call.await;
            landing.failed = has_failed(&result);
            drop(landing);
            // Nobody may be waiting any more; the call has stored what it got.
            let _ = sender.send(result);
        });
        Ok(flight)
    }
}

impl<T> Board<T> {
    fn enter(&mut self, key: Key, flight: &Flight<T>) -> Result<Option<Flight<T>>, FlightError> {
        if let Some(other) = mutant!(self.flying.get(&key), "many-refreshes" => None) {
            return Ok(Some(other.clone()));
        }
        let rests = self.resting.get(&key).is_some_and(|rest| Instant::now() < rest.until);
        if mutant!(rests, "session-calls-without-rest" => false) {
            return Err(FlightError::Recent);
        }
        if self.flying.len() >= self.capacity {
            return Err(FlightError::Full);
        }
        self.flying.insert(key, flight.clone());
        Ok(None)
    }

    /// Where more rest than there is room for, the surplus may call again at once.
    fn land(&mut self, key: Key, begun: Instant, failed: bool) {
        let now = Instant::now();
        self.flying.remove(&key);
        let before = self.resting.get(&key).map_or(0, |rest| rest.failures);
        if self.resting.len() >= self.capacity {
            self.resting.retain(|_, rest| now < rest.until);
        }
        if self.resting.len() < self.capacity || self.resting.contains_key(&key) {
            let failures = if failed { before.saturating_add(1) } else { 0 };
            let (least, most) = RESTS;
            let least = if failed { backoff::rest(failures) } else { least };
            let until = now + (now.duration_since(begun) * REST).clamp(least, most);
            self.resting.insert(key, Rest { until, failures });
        }
    }
}

/// Leaves the board when the call ends, even by a panic.
struct Landing<T> {
    board: Arc<Mutex<Board<T>>>,
    key: Key,
    begun: Instant,
    failed: bool,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        lock(&self.board).land(self.key, self.begun, self.failed);
    }
}

fn lock<T>(board: &Mutex<Board<T>>) -> MutexGuard<'_, Board<T>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for RefreshFlights<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFlights").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
