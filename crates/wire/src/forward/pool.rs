//! Connections of one worker to one server that wait for the next request.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connect::{Connector, NewConnection};
use super::http1::Http1Connection;
use super::pooled::PooledConnection;
use super::shared::SharedConnections;
use super::{ForwardError, UpstreamSettings};

/// The connections of one worker to one server.
///
/// Over HTTP/1.1 a connection is made, checked out by one request, and waits in `idle` between two of them. It comes back
/// only where the exchange was whole both ways ([`Http1Connection::is_reusable`]); what waits is looked at again before it
/// is given out, in each sweep and for each report, and is closed where anything has come of it that nobody asked for
/// (invariant 12). HTTP/2 connections stay in `shared` while requests use them. Whether a server that offers both
/// speaks HTTP/1.1 alone is known once it has answered; until then a request waits its turn, so that many at once
/// make one HTTP/2 connection.
pub(super) struct Pool {
    keep: usize,
    idle: Mutex<Vec<Idle>>,
    shared: SharedConnections,
    speaks_http1: AtomicBool,
    active: AtomicUsize,
}

/// A connection that waits, and how many sweeps it has waited for: a clock would be read twice a request.
struct Idle {
    connection: Box<Http1Connection>,
    sweeps: u32,
}

impl Pool {
    pub(super) fn new(settings: &UpstreamSettings) -> Self {
        Self {
            keep: settings.keep_idle,
            idle: Mutex::default(),
            shared: SharedConnections::new(settings.timeout.response),
            speaks_http1: AtomicBool::new(false),
            active: AtomicUsize::new(0),
        }
    }

    /// A connection that waits, or a new one. `fresh`: only a new one will do, unless it is shared.
    pub(super) async fn check_out(
        &self,
        to: &Connector,
        upgrade: bool,
        fresh: bool,
    ) -> Result<PooledConnection, ForwardError> {
        let http2 = to.may_be_http2(upgrade) && !self.speaks_http1.load(Ordering::Relaxed);
        let waiting = if http2 { self.shared.enter() } else { self.waiting().filter(|_| !fresh) };
        match waiting {
            Some(connection) => Ok(connection),
            // Boxed: making a connection is rare and large, and every request carries the room for its future.
            None if http2 => Box::pin(self.connect_once(to, upgrade)).await,
            None => Box::pin(self.connect(to, upgrade)).await,
        }
    }

    /// The one used last: it is the least likely to have been closed, and the others may grow old.
    fn waiting(&self) -> Option<PooledConnection> {
        let mut idle = lock(&self.idle);
        let mut waiting = std::iter::from_fn(|| idle.pop()).map(|idle| idle.connection);
        let connection = waiting.find_map(|mut connection| connection.is_waiting().then_some(connection))?;
        Some(PooledConnection::Http1 { connection, fresh: false })
    }

    async fn connect_once(&self, to: &Connector, upgrade: bool) -> Result<PooledConnection, ForwardError> {
        match self.shared.enter_or_connect().await? {
            Ok(connection) => Ok(connection),
            Err(_turn) => self.connect(to, upgrade).await,
        }
    }

    async fn connect(&self, to: &Connector, upgrade: bool) -> Result<PooledConnection, ForwardError> {
        match to.connect(upgrade).await? {
            NewConnection::Http1(connection) => {
                // An upgrade asks for HTTP/1.1 alone: its answer tells nothing.
                self.speaks_http1.fetch_or(!upgrade, Ordering::Relaxed);
                Ok(PooledConnection::Http1 { connection, fresh: true })
            }
            NewConnection::Http2(sender, connection) => {
                let limit = self.shared.limit();
                tokio::spawn(limit.clone().watch(*connection));
                self.speaks_http1.store(false, Ordering::Relaxed);
                Ok(self.shared.add(sender, limit))
            }
        }
    }

    /// Takes a connection back after an exchange, if it may have another.
    pub(super) fn check_in(&self, mut connection: Box<Http1Connection>) {
        let mut idle = lock(&self.idle);
        if connection.is_reusable() && idle.len() < self.keep {
            connection.rest();
            idle.push(Idle { connection, sweeps: 0 });
        }
    }

    /// Closes what has waited for `most` sweeps, and what has been closed.
    pub(super) fn sweep(&self, most: u32) {
        lock(&self.idle).retain_mut(|idle| {
            idle.sweeps += 1;
            idle.sweeps <= most && idle.connection.is_waiting()
        });
        self.shared.sweep(most);
    }

    /// Closes everything that waits; what is under way goes on.
    pub(super) fn close(&self) {
        lock(&self.idle).clear();
        self.shared.close();
    }

    /// Closes connections that wait and cannot be used; how many are left.
    pub(super) fn close_dead_and_count(&self) -> usize {
        let mut idle = lock(&self.idle);
        // To look reads what has come: a connection on which something had is closed at once, and never given
        // out again (invariant 12).
        idle.retain_mut(|idle| idle.connection.is_waiting());
        idle.len() + self.shared.count_idle()
    }

    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }
}

/// A request under way at one server, for `least requests` and for the metrics.
pub(super) struct ActiveRequest(Arc<Pool>);

impl ActiveRequest {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        pool.active.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pool))
    }

    pub(super) const fn pool(&self) -> &Arc<Pool> {
        &self.0
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for ActiveRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActiveRequest")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
