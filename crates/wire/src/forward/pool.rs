//! Connections of one worker to one server that wait for the next request.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connect::{Connector, Fresh};
use super::http1::Connection;
use super::limit::StreamGuard;
use super::shared::{Http2, Shared};
use super::{ForwardError, UpstreamSettings};

/// The connections of one worker to one server.
pub(super) struct Pool {
    keep: usize,
    idle: Mutex<Vec<Idle>>,
    shared: Shared,
    speaks_http1: AtomicBool,
    active: AtomicUsize,
}

/// A connection that waits, and how many sweeps it has waited for: a clock would be read twice a request.
struct Idle {
    connection: Box<Connection>,
    sweeps: u32,
}

/// A connection lent to one request.
#[derive(Debug)]
pub(super) enum Checkout {
    /// Nobody else uses it; `fresh` where no request has gone over it before.
    Http1 { connection: Box<Connection>, fresh: bool },
    /// Others may use it at the same time.
    Http2 { sender: Http2, _stream: StreamGuard, fresh: bool },
}

impl Pool {
    pub(super) fn new(settings: &UpstreamSettings) -> Self {
        Self {
            keep: settings.keep_idle,
            idle: Mutex::default(),
            shared: Shared::new(settings.timeout.response),
            speaks_http1: AtomicBool::new(false),
            active: AtomicUsize::new(0),
        }
    }

    /// A connection that waits, or a new one. `fresh`: only a new one will do, unless it is shared.
    pub(super) async fn lend(
        &self,
        to: &Connector,
        upgrade: bool,
        fresh: bool,
    ) -> Result<Checkout, ForwardError> {
        let http2 = to.may_be_http2(upgrade) && !self.speaks_http1.load(Ordering::Relaxed);
        let waiting = if http2 { self.shared.enter() } else { self.waiting().filter(|_| !fresh) };
        match waiting {
            Some(lent) => Ok(lent),
            // Boxed: making a connection is rare and large, and every request carries the room for its future.
            None if http2 => Box::pin(self.connect_once(to, upgrade)).await,
            None => Box::pin(self.connect(to, upgrade)).await,
        }
    }

    /// The one used last: it is the least likely to have been closed, and the others may grow old.
    fn waiting(&self) -> Option<Checkout> {
        let mut idle = lock(&self.idle);
        let mut waiting = std::iter::from_fn(|| idle.pop()).map(|idle| idle.connection);
        let connection = waiting.find_map(|mut connection| connection.is_waiting().then_some(connection))?;
        Some(Checkout::Http1 { connection, fresh: false })
    }

    async fn connect_once(&self, to: &Connector, upgrade: bool) -> Result<Checkout, ForwardError> {
        match self.shared.enter_or_connect().await? {
            Ok(lent) => Ok(lent),
            Err(_turn) => self.connect(to, upgrade).await,
        }
    }

    async fn connect(&self, to: &Connector, upgrade: bool) -> Result<Checkout, ForwardError> {
        match to.connect(upgrade).await? {
            Fresh::Http1(connection) => {
                // An upgrade asks for HTTP/1.1 alone: its answer tells nothing.
                self.speaks_http1.fetch_or(!upgrade, Ordering::Relaxed);
                Ok(Checkout::Http1 { connection, fresh: true })
            }
            Fresh::Http2(sender, connection) => {
                let limit = self.shared.limit();
                tokio::spawn(limit.clone().watch(*connection));
                self.speaks_http1.store(false, Ordering::Relaxed);
                Ok(self.shared.add(sender, limit))
            }
        }
    }

    /// Takes a connection back after an exchange, if it may have another.
    pub(super) fn give_back(&self, mut connection: Box<Connection>) {
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
        // What was looked at in vain is gone: nobody may take it for clean afterwards (invariant 12).
        idle.retain_mut(|idle| idle.connection.is_waiting());
        idle.len() + self.shared.count_idle()
    }

    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }
}

/// A request under way at one server, for `least requests` and for the metrics.
pub(super) struct Active(Arc<Pool>);

impl Active {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        pool.active.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pool))
    }

    pub(super) const fn pool(&self) -> &Arc<Pool> {
        &self.0
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Active")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
