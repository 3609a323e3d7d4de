//! One refresh, however many wait for it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, Shared};
use tokio::sync::oneshot;

type Flight<T> = Shared<BoxFuture<'static, Result<T, FlightError>>>;
type Board<T> = Arc<Mutex<HashMap<[u8; 32], Flight<T>>>>;

/// Why a joined call gave nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlightError {
    /// As many calls are on their way as are allowed.
    #[error("too many refreshes are on their way already")]
    Full,
    /// The call was dropped or panicked.
    #[error("the refresh ended without a result")]
    Lost,
}

/// Calls on their way, by session: whoever comes while one flies waits for it instead of calling too.
pub struct RefreshFlights<T> {
    board: Board<T>,
    capacity: usize,
}

impl<T: Clone + Send + Sync + 'static> RefreshFlights<T> {
    /// Room for `capacity` sessions refreshing at the same time.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { board: Arc::default(), capacity }
    }

    /// The result of the call for `key` that is on its way, or of `call`'s, which then is.
    ///
    /// The call goes on though every waiter goes away, for the provider may have spent the refresh token
    /// already: let the future itself store what it got. Let it also read the session anew when it begins,
    /// for the flight before may have ended since its caller looked. Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`FlightError`]; what the call itself gives, good or bad, is `T`.
    pub async fn join<F>(&self, key: [u8; 32], call: impl FnOnce() -> F) -> Result<T, FlightError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.flight(key, call)?.await
    }

    /// How many are on their way.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.board).len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The flight is on the board before its task starts, and the lock is free by then: a task that a
    /// runtime in shutdown drops at once takes its flight off the board again.
    fn flight<F>(&self, key: [u8; 32], call: impl FnOnce() -> F) -> Result<Flight<T>, FlightError>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let flight = receiver.map(|result| result.map_err(|_| FlightError::Lost)).boxed().shared();
        if let Some(other) = self.enter(key, &flight)? {
            return Ok(other);
        }
        let landing = Landing { board: Arc::clone(&self.board), key };
        let call = call();
        tokio::spawn(async move {
            let _landing = landing;
            // Nobody may be waiting any more; the call has stored what it got.
            let _ = sender.send(call.await);
        });
        Ok(flight)
    }

    fn enter(&self, key: [u8; 32], flight: &Flight<T>) -> Result<Option<Flight<T>>, FlightError> {
        let mut board = lock(&self.board);
        if let Some(other) = board.get(&key) {
            return Ok(Some(other.clone()));
        }
        if board.len() >= self.capacity {
            return Err(FlightError::Full);
        }
        board.insert(key, flight.clone());
        Ok(None)
    }
}

/// Leaves the board when the call ends, even by a panic.
struct Landing<T> {
    board: Board<T>,
    key: [u8; 32],
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        lock(&self.board).remove(&self.key);
    }
}

fn lock<T>(board: &Board<T>) -> MutexGuard<'_, HashMap<[u8; 32], Flight<T>>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for RefreshFlights<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFlights").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
