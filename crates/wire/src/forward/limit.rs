//! How many requests an HTTP/2 connection takes at once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::client::conn::http2::Connection;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioExecutor;
use tokio::sync::Notify;
use tracing::debug;

use super::body::OutboundBody;

/// Streams at once before the server has said its limit (RFC 9113, section 6.5.2 recommends no less).
const INITIAL: usize = 100;

/// Counts the streams of one connection against the server's `SETTINGS_MAX_CONCURRENT_STREAMS`.
#[derive(Clone, Debug)]
pub(super) struct StreamLimit(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    open: AtomicUsize,
    most: AtomicUsize,
    /// Told where there may be room again, here or on another connection.
    room: Arc<Notify>,
}

/// One stream; dropping it makes room.
#[derive(Debug)]
pub(super) struct StreamGuard(StreamLimit);

impl StreamLimit {
    pub(super) fn new(room: &Arc<Notify>) -> Self {
        let (open, most) = (AtomicUsize::new(0), AtomicUsize::new(INITIAL));
        Self(Arc::new(Counts { open, most, room: Arc::clone(room) }))
    }

    /// Counts one more stream; `None` where the server takes no more.
    pub(super) fn enter(&self) -> Option<StreamGuard> {
        let most = self.0.most.load(Ordering::Relaxed);
        (self.0.open.fetch_add(1, Ordering::Relaxed) < most).then(|| StreamGuard(self.clone())).or_else(
            || {
                self.0.open.fetch_sub(1, Ordering::Relaxed);
                None
            },
        )
    }

    /// Counts the first stream of a new connection, whatever the limit: the server may not have said it yet.
    pub(super) fn queue(&self) -> StreamGuard {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        StreamGuard(self.clone())
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.0.open.load(Ordering::Relaxed) == 0
    }

    /// Runs the connection and keeps what it learns of the server's limit.
    pub(super) async fn watch<T>(self, connection: Connection<T, OutboundBody, TokioExecutor>)
    where
        T: Read + Write + Unpin + Send + 'static,
    {
        if let Err(error) = self.run(connection).await {
            debug!(%error, "a connection to an upstream ended badly");
        }
        self.0.room.notify_waiters();
    }

    async fn run<T>(&self, connection: Connection<T, OutboundBody, TokioExecutor>) -> hyper::Result<()>
    where
        T: Read + Write + Unpin + Send + 'static,
    {
        let mut connection = pin!(connection);
        poll_fn(|cx| {
            let done = connection.as_mut().poll(cx);
            self.0.most.store(connection.current_max_send_streams().max(1), Ordering::Relaxed);
            done
        })
        .await
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.0.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_make_room_when_they_end() {
        let limit = StreamLimit::new(&Arc::default());
        let mut open: Vec<StreamGuard> = std::iter::from_fn(|| limit.enter()).collect();
        assert_eq!(open.len(), INITIAL);
        open.push(limit.queue());
        open.truncate(INITIAL - 1);
        assert!(limit.enter().is_some());
        open.clear();
        assert!(limit.is_idle());
    }
}
