//! One call at a time, however many wait for it; it ends when they do, and it ends when they leave.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// How long a call goes on after the last who waited for it has left. A provider that answers at all has answered by
/// then: without it a stranger could end every call by sending a token and hanging up, and a new key would never be
/// found.
const LINGER: Duration = Duration::from_secs(2);

/// The call on its way, if there is one, and what is known of those before.
pub(super) struct SingleFlight<T>(Arc<Mutex<Board<T>>>);

struct Board<T> {
    flying: Option<Call>,
    /// Calls so far.
    calls: u64,
    known: T,
}

#[derive(Clone)]
struct Call {
    number: u64,
    /// Never sends anything: those who wait see it go.
    ended: watch::Sender<()>,
}

/// The part of whoever makes the call. Dropped without [`Flight::end`] (a panic, a task that is aborted) it lets all go
/// who wait.
pub(super) struct Flight<T> {
    board: Arc<Mutex<Board<T>>>,
    number: u64,
}

/// The part of whoever waits.
pub(super) struct Waiting(watch::Receiver<()>);

impl<T: Default> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Board { flying: None, calls: 0, known: T::default() })))
    }
}

impl<T> SingleFlight<T> {
    /// Joins the call on its way; where there is none and it is `wanted`, also gives what is needed to make one.
    pub(super) fn join(&self, wanted: impl FnOnce(&T) -> bool) -> Option<(Waiting, Option<Flight<T>>)> {
        let mut board = lock(&self.0);
        if let Some(call) = &board.flying {
            return Some((Waiting(call.ended.subscribe()), None));
        }
        if !wanted(&board.known) {
            return None;
        }
        let (ended, waiting) = watch::channel(());
        board.calls += 1;
        let number = board.calls;
        board.flying = Some(Call { number, ended });
        Some((Waiting(waiting), Some(Flight { board: Arc::clone(&self.0), number })))
    }

    /// Looks at what is known.
    pub(super) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&lock(&self.0).known)
    }
}

impl<T> Flight<T> {
    /// Waits until nobody has waited for a while. Whoever comes later does not join this call any more.
    pub(super) async fn abandoned(&self) {
        let Some(call) = lock(&self.board).flying.clone() else { return };
        loop {
            call.ended.closed().await;
            tokio::time::sleep(LINGER).await;
            let mut board = lock(&self.board);
            if call.ended.is_closed() {
                board.flying = None;
                return;
            }
        }
    }

    /// Says what has become known, and lets all go who wait.
    pub(super) fn end(self, learn: impl FnOnce(&mut T)) {
        learn(&mut lock(&self.board).known);
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        let mut board = lock(&self.board);
        if board.flying.as_ref().is_some_and(|call| call.number == self.number) {
            board.flying = None;
        }
    }
}

impl Waiting {
    /// Returns when the call has ended, however.
    pub(super) async fn wait(&mut self) {
        // An error, for nothing is ever sent.
        let _ = self.0.changed().await;
    }
}

fn lock<T>(board: &Mutex<Board<T>>) -> MutexGuard<'_, Board<T>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}
