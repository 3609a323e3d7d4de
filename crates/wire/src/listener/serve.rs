//! The accept loop of one listener on one worker.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::unix::UCred;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::activity::Activity;
use super::connection::Connection;
use super::connection_slots::WorkerSlots;
use super::eviction::Candidates;
use super::phase::left;
use super::socket::{AcceptedStream, Listening};
use super::{ConnectionRefusal, Handler, Phase, Serving};
use crate::request::WorkerId;

/// How long to wait before accepting again where the system has no file descriptor or memory left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Accepts and serves connections until `phase` says otherwise, and returns when all have ended.
///
/// Runs on the worker's own runtime, in a `LocalSet` or not: connection tasks are spawned there.
/// A dropped `phase` sender means stop. Upgraded streams (WebSocket) count as connections and are
/// waited for, but as they live in tasks of the handler, only the runtime's end cuts them.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    serving: Arc<ArcSwap<Serving>>,
    handler: H,
    worker: WorkerId,
    phase: watch::Receiver<Phase>,
) {
    serve_at(Listening::Tcp(listener, handler), serving, worker, phase).await;
}

/// The same on a unix socket, in clear text and over HTTP/1.1. `admit` is asked about each peer, by its credentials at
/// the time of its connect(2), and gives what answers it; `None` closes the connection. The [`Transport`] of its
/// requests names no address: `0.0.0.0`, port 0.
///
/// [`Transport`]: crate::request::Transport
pub async fn serve_unix<H: Handler>(
    listener: UnixListener,
    serving: Arc<ArcSwap<Serving>>,
    admit: impl Fn(UCred) -> Option<H> + Send + Sync + 'static,
    worker: WorkerId,
    phase: watch::Receiver<Phase>,
) {
    serve_at(Listening::Unix(listener, Box::new(admit)), serving, worker, phase).await;
}

async fn serve_at<H: Handler>(
    listener: Listening<H>,
    serving: Arc<ArcSwap<Serving>>,
    worker: WorkerId,
    mut phase: watch::Receiver<Phase>,
) {
    let slots = WorkerSlots::new(&serving.load().slots);
    let mut accepting = Accepting {
        listener,
        serving,
        worker,
        phase: phase.clone(),
        slots,
        candidates: Candidates::default(),
        connections: JoinSet::new(),
    };
    tokio::select! {
        () = accepting.run() => {}
        () = left(&mut phase, |phase| phase != Phase::Serve) => {}
    }
    accepting.wind_down(phase).await;
}

/// The accept loop, and what it accepts for.
struct Accepting<H> {
    listener: Listening<H>,
    serving: Arc<ArcSwap<Serving>>,
    worker: WorkerId,
    phase: watch::Receiver<Phase>,
    slots: Arc<WorkerSlots>,
    candidates: Candidates,
    connections: JoinSet<()>,
}

impl<H: Handler> Accepting<H> {
    async fn run(&mut self) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => self.accepted(accepted).await,
                Some(ended) = self.connections.join_next() => report(ended),
                () = self.slots.wanted() => {
                    let serving = self.serving.load();
                    evict(&mut self.candidates, &serving);
                }
            }
        }
    }

    async fn accepted(&mut self, accepted: io::Result<(AcceptedStream, H)>) {
        match accepted {
            Ok((stream, handler)) => self.start(stream, handler).await,
            Err(error) if is_the_peers(&error) => {
                tracing::debug!(%error, "a connection ended before it began")
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again (is `ulimit -n` too low?)");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }

    /// Serves the newcomer as soon as there is a slot.
    async fn start(&mut self, stream: AcceptedStream, handler: H) {
        let (serving, candidates) = (self.serving.load_full(), &mut self.candidates);
        let limit = serving.limits.max_connections.max(1);
        // Meanwhile nobody else is accepted: further newcomers wait in the kernel's queue.
        let guard = self.slots.enter(limit, &serving.stats, || evict(candidates, &serving)).await;
        let activity = Activity::new();
        let known = Arc::clone(&activity);
        let connection =
            Connection { serving, handler, worker: self.worker, phase: self.phase.clone(), guard, activity };
        let task = self.connections.spawn(connection.run(stream));
        self.candidates.add(task, known, self.connections.len());
    }

    /// Closes the listening socket first, so that the kernel gives new connections to another worker or
    /// process.
    async fn wind_down(self, mut phase: watch::Receiver<Phase>) {
        let Self { listener, slots, mut connections, .. } = self;
        drop(listener);
        let drain = match *phase.borrow() {
            Phase::Drain(drain) => drain,
            Phase::Serve | Phase::Stop => Duration::ZERO,
        };
        tokio::select! {
            () = slots.empty() => {}
            () = tokio::time::sleep(drain) => {}
            () = left(&mut phase, |phase| phase == Phase::Stop) => {}
        }
        connections.shutdown().await;
    }
}

/// Closes a silent connection of this worker, and counts it.
fn evict(candidates: &mut Candidates, serving: &Serving) -> bool {
    let found = candidates.evict(&serving.limits);
    if found {
        tracing::debug!(address = %serving.settings.address, "a silent connection gave its place to a newcomer");
        serving.stats.count(ConnectionRefusal::Evicted);
    }
    found
}

/// Errors of the connection rather than of the listener (accept(2)).
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// A task that panicked has ended its connection alone; the log says so.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked; the connection is closed, the worker goes on");
    }
}
