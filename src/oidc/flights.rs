//! One refresh, however many wait for it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use tokio::sync::oneshot;
use tokio::time::Instant;

type Flight<T> = Shared<BoxFuture<'static, Result<T, FlightError>>>;
type Key = [u8; 32];

/// No session calls again before this many times the span that its last call took: a provider that stalls
/// holds a session's requests up now and then, not each of them.
const REST: u32 = 5;
/// The shortest and the longest such rest.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

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
}

struct Board<T> {
    flying: HashMap<Key, Flight<T>>,
    /// Until when those that have ended rest.
    resting: HashMap<Key, Instant>,
    capacity: usize,
}

impl<T: Clone + Send + Sync + 'static> RefreshFlights<T> {
    /// Room for `capacity` sessions refreshing at the same time.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let board = Board { flying: HashMap::new(), resting: HashMap::new(), capacity };
        Self { board: Arc::new(Mutex::new(board)), capacity }
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
        let landing = Landing { board: Arc::clone(&self.board), key, begun: Instant::now() };
        let call = call();
        tokio::spawn(async move {
            let _landing = landing;
            // Nobody may be waiting any more; the call has stored what it got.
            let _ = sender.send(call.await);
        });
        Ok(flight)
    }
}

impl<T> Board<T> {
    fn enter(&mut self, key: Key, flight: &Flight<T>) -> Result<Option<Flight<T>>, FlightError> {
        if let Some(other) = self.flying.get(&key) {
            return Ok(Some(other.clone()));
        }
        if self.resting.get(&key).is_some_and(|until| Instant::now() < *until) {
            return Err(FlightError::Recent);
        }
        if self.flying.len() >= self.capacity {
            return Err(FlightError::Full);
        }
        self.flying.insert(key, flight.clone());
        Ok(None)
    }

    /// Where more rest than there is room for, the surplus may call again at once.
    fn land(&mut self, key: Key, begun: Instant) {
        let now = Instant::now();
        self.flying.remove(&key);
        if self.resting.len() >= self.capacity {
            self.resting.retain(|_, until| now < *until);
        }
        if self.resting.len() < self.capacity || self.resting.contains_key(&key) {
            let (least, most) = RESTS;
            self.resting.insert(key, now + (now.duration_since(begun) * REST).clamp(least, most));
        }
    }
}

/// Leaves the board when the call ends, even by a panic.
struct Landing<T> {
    board: Arc<Mutex<Board<T>>>,
    key: Key,
    begun: Instant,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        lock(&self.board).land(self.key, self.begun);
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
