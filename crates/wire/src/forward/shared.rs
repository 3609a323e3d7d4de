//! HTTP/2 connections of one worker to one server: many requests share each.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::limit::StreamLimit;
use super::pooled::{Http2Sender, PooledConnection};
use super::{ForwardError, ForwardFault};

/// Connections of one worker to one server. Beyond, requests wait for one another (invariant 14).
const MOST: usize = 16;

/// The right to make a connection.
pub(super) type ConnectTurn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// Connections that take requests, the oldest first, so that those which are too many grow idle and are
/// closed.
pub(super) struct SharedConnections {
    connections: Mutex<Vec<SharedConnection>>,
    /// Many requests that need a connection make one.
    connecting: tokio::sync::Mutex<()>,
    /// A stream has ended, or a connection.
    room: Arc<Notify>,
    /// How long a request waits for room.
    patience: Duration,
}

struct SharedConnection {
    sender: Http2Sender,
    limit: StreamLimit,
    /// How many sweeps it has waited for.
    sweeps: u32,
}

impl SharedConnections {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            connections: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            room: Arc::default(),
            patience,
        }
    }

    /// A stream of a connection that stands and has room.
    pub(super) fn enter(&self) -> Option<PooledConnection> {
        let mut connections = self.living();
        let enter = |connection: &mut SharedConnection| {
            let stream = connection.limit.enter()?;
            connection.sweeps = 0;
            Some(PooledConnection::http2(connection.sender.clone(), stream, false))
        };
        connections.iter_mut().find_map(enter)
    }

    /// The same, once there is room; or else the right to make another connection, as long as it is held.
    ///
    /// # Errors
    /// Where there is neither for longer than an answer may take.
    pub(super) async fn enter_or_connect(
        &self,
    ) -> Result<Result<PooledConnection, ConnectTurn<'_>>, ForwardError> {
        let waited = timeout(self.patience, self.wait()).await;
        waited
            .map_err(|_| ForwardError::new(ForwardFault::ResponseTimeout, "no room on any HTTP/2 connection"))
    }

    async fn wait(&self) -> Result<PooledConnection, ConnectTurn<'_>> {
        let turn = self.connecting.lock().await;
        loop {
            // Registered before the look: a stream that ends in between would go unnoticed.
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            match self.enter() {
                Some(connection) => return Ok(connection),
                None if self.living().len() < MOST => return Err(turn),
                None => room.await,
            }
        }
    }

    /// Takes in a connection that has just been made, and gives out its first stream.
    pub(super) fn add(&self, sender: Http2Sender, limit: StreamLimit) -> PooledConnection {
        let stream = limit.queue();
        let connection = PooledConnection::http2(sender.clone(), stream, true);
        self.living().push(SharedConnection { sender, limit, sweeps: 0 });
        connection
    }

    /// What a new connection tells of room.
    pub(super) fn limit(&self) -> StreamLimit {
        StreamLimit::new(&self.room)
    }

    /// Closes what has carried nothing for `most` sweeps.
    pub(super) fn sweep(&self, most: u32) {
        self.living().retain_mut(|connection| {
            connection.sweeps = if connection.limit.is_idle() { connection.sweeps + 1 } else { 0 };
            connection.sweeps <= most
        });
    }

    /// Takes no more requests on any of them; each is closed when its last has ended.
    pub(super) fn close(&self) {
        self.lock().clear();
    }

    /// How many carry nothing.
    pub(super) fn count_idle(&self) -> usize {
        self.living().iter().filter(|connection| connection.limit.is_idle()).count()
    }

    fn living(&self) -> MutexGuard<'_, Vec<SharedConnection>> {
        let mut connections = self.lock();
        connections.retain(|connection| !connection.sender.is_closed());
        connections
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SharedConnection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
