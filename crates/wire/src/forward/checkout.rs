//! A connection taken out of its pool for the time of one exchange.

use std::sync::Arc;

use super::Upstream;
use super::http1::Http1Connection;
use super::pool::ActiveRequest;
use super::pooled::PooledConnection;

/// A connection taken out of its pool for the time of one exchange, and the server that it leads to. It goes back by
/// [`Checkout::check_in`] alone; dropped, it is closed, or its stream reset: nobody knows what is left of the exchange.
#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) upstream: Arc<Upstream>,
    /// Its place among the servers of `upstream`.
    pub(super) server: usize,
    pub(super) active: ActiveRequest,
    pub(super) connection: PooledConnection,
}

impl Checkout {
    /// The exchange is whole: the connection may be used again.
    pub(super) fn check_in(self) {
        match self.connection {
            PooledConnection::Http1 { connection, .. } => self.active.pool().check_in(connection),
            // Its sender is one of many; its stream has ended.
            PooledConnection::Http2 { .. } => {}
        }
    }

    /// The connection, where no other exchange uses it meanwhile.
    pub(super) fn http1(&mut self) -> Option<&mut Http1Connection> {
        match &mut self.connection {
            PooledConnection::Http1 { connection, .. } => Some(connection),
            PooledConnection::Http2 { .. } => None,
        }
    }
}
