//! Listeners on workers, and how they change over time.

use std::collections::{BTreeMap, btree_map};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::control::{OfferedSockets, Predecessors};
use super::sockets::{Sockets, WorkerSockets};
use super::{Event, Workers, systemd};
use crate::listener::{
    self, BindError, ConnectionLimits, ConnectionStats, Handler, ListenerSettings, Phase, Serving, TlsError,
};
use crate::request::WorkerId;

/// Why listeners cannot be as configured. The operator is to blame; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A socket that cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A certificate or key that cannot be used.
    #[error("listener {address}: {source}")]
    Tls {
        /// The listener that it is for.
        address: SocketAddr,
        /// What is wrong.
        source: TlsError,
    },
    /// An address stands twice in the configuration.
    #[error("two listeners have the address {0}; each needs its own")]
    Twice(SocketAddr),
}

/// One worker's share of a listener.
struct Share {
    socket: TcpListener,
    serving: Arc<ArcSwap<Serving>>,
    phase: watch::Receiver<Phase>,
}

/// A listener that is open.
#[derive(Debug)]
struct OpenListener {
    local: SocketAddr,
    /// The workers' sockets once more, for a process that takes over; closed when the drain begins.
    sockets: WorkerSockets,
    serving: Arc<ArcSwap<Serving>>,
    phase: watch::Sender<Phase>,
}

/// Workers and the listeners that they serve. Dropping it ends everything at once.
#[derive(Debug)]
pub struct Runtime {
    workers: Workers,
    shares: Vec<UnboundedSender<Share>>,
    sockets: Sockets,
    open: BTreeMap<SocketAddr, OpenListener>,
    /// Listeners that a reload has taken away, while they drain.
    leaving: Vec<watch::Sender<Phase>>,
    drain: Duration,
    draining: Draining,
    predecessors: Predecessors,
}

/// Whether the process takes no more connections. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Starts `workers` threads that do nothing yet. `handler` makes what each of them answers with;
    /// `inherited` are the sockets of [`systemd::inherited`]; `drain` is how long streams may go on
    /// after their listener has gone.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start<H: Handler>(
        workers: usize,
        handler: impl Fn(WorkerId) -> H,
        inherited: Vec<TcpListener>,
        drain: Duration,
    ) -> io::Result<Self> {
        let count = workers.max(1);
        let (shares, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| unbounded_channel()).unzip();
        // Each thread takes one; locked, for `Workers::start` calls its argument as an `Fn`.
        let receivers = std::sync::Mutex::new(receivers);
        let workers = Workers::start(count, |worker| {
            let mine = receivers.lock().ok().and_then(|mut receivers| receivers.pop());
            work(mine, handler(worker), worker)
        })?;
        let sockets = Sockets::new(count, inherited);
        let (open, draining) = (BTreeMap::new(), Draining::default());
        let predecessors = Predecessors::default();
        Ok(Self { workers, shares, sockets, open, leaving: Vec::new(), drain, draining, predecessors })
    }

    /// Makes the listeners as configured: opens new addresses, gives equal ones their new settings and
    /// certificates, drains those that have gone. At start and on every reload.
    ///
    /// # Errors
    /// Where one of them cannot be as configured: then all stay as they were.
    pub fn apply(
        &mut self,
        listeners: &[ListenerSettings],
        limits: ConnectionLimits,
    ) -> Result<(), ApplyError> {
        // All that can fail comes first, so that nothing has changed where it does.
        let mut loaded = self.load(listeners, limits)?;
        let mut opened = self.sockets.open(listeners, |address| self.open.contains_key(address))?;
        let gone: Vec<_> =
            self.open.keys().filter(|address| !loaded.contains_key(address)).copied().collect();

        while let Some((address, serving)) = loaded.pop_first() {
            match self.open.entry(address) {
                btree_map::Entry::Occupied(open) => open.get().serving.store(Arc::new(serving)),
                btree_map::Entry::Vacant(place) => {
                    let sockets = opened.remove(&address).unwrap_or_default();
                    place.insert(hand_out(&self.shares, address, sockets, serving));
                }
            }
        }
        gone.iter().for_each(|address| self.close(address));
        self.sockets.forget_received();
        Ok(())
    }

    fn load(
        &self,
        listeners: &[ListenerSettings],
        limits: ConnectionLimits,
    ) -> Result<BTreeMap<SocketAddr, Serving>, ApplyError> {
        let mut loaded = BTreeMap::new();
        for listener in listeners {
            let address = listener.address;
            let previous = self.open.get(&address).map(|open| open.serving.load_full());
            let serving = Serving::load(listener, limits, previous.as_deref());
            let serving = serving.map_err(|source| ApplyError::Tls { address, source })?;
            if loaded.insert(address, serving).is_some() {
                return Err(ApplyError::Twice(address));
            }
        }
        Ok(loaded)
    }

    fn close(&mut self, address: &SocketAddr) {
        if let Some(open) = self.open.remove(address) {
            open.phase.send_replace(Phase::Drain(self.drain));
            self.leaving.retain(|phase| !phase.is_closed());
            self.leaving.push(open.phase);
        }
    }

    /// The addresses that are open: as configured, and as they are (a port of 0 is another then).
    pub fn addresses(&self) -> impl Iterator<Item = (SocketAddr, SocketAddr)> {
        self.open.iter().map(|(configured, open)| (*configured, open.local))
    }

    /// What happened on each listener, for the metrics.
    pub fn tallies(&self) -> impl Iterator<Item = (SocketAddr, Arc<ConnectionStats>)> {
        self.open.iter().map(|(address, open)| (*address, Arc::clone(open.serving.load().stats())))
    }

    /// Serves these sockets of another process, too, where the next [`Runtime::apply`] names their address;
    /// closes the others then.
    pub(super) fn receive(&mut self, received: Vec<TcpListener>) {
        self.sockets.receive(received);
    }

    /// The sockets of all listeners, and systemd's, for a process that takes over.
    ///
    /// # Errors
    /// Where there are no more descriptors.
    pub(super) fn offered(&self) -> io::Result<OfferedSockets> {
        let ours = self.open.values().filter(|open| !self.sockets.has_inherited(&open.local));
        let listeners = ours.flat_map(|open| &open.sockets).map(TcpListener::try_clone);
        Ok(OfferedSockets {
            listeners: listeners.collect::<io::Result<_>>()?,
            inherited: self.sockets.inherited()?,
            admin: Vec::new(),
        })
    }

    /// The processes that live on through this one: it does not end before them, within the limit of its drain.
    pub(super) fn predecessors(&self) -> Predecessors {
        self.predecessors.clone()
    }

    /// Tells when the drain begins, for readiness.
    pub fn draining(&self) -> Draining {
        self.draining.clone()
    }

    /// Tells every listener the phase, which only goes forward.
    pub fn enter(&mut self, phase: Phase) {
        self.draining.0.store(phase != Phase::Serve, Ordering::Relaxed);
        // Workers end with their last share once no other can come.
        self.shares.clear();
        self.open.values_mut().for_each(|open| open.sockets.clear());
        let senders = self.open.values().map(|open| &open.phase).chain(&self.leaving);
        for sender in senders {
            sender.send_replace(phase);
        }
    }

    /// Ends when every connection has ended; to be called after [`Runtime::enter`].
    pub async fn ended(&self) {
        for phase in self.open.values().map(|open| &open.phase).chain(&self.leaving) {
            phase.closed().await;
        }
    }

    /// Waits for the threads. Ends what still goes on.
    pub fn join(self) {
        let Self { workers, shares, open, leaving, .. } = self;
        drop((shares, open, leaving));
        match workers.join() {
            0 => {}
            panicked => tracing::error!(panicked, "worker threads have panicked"),
        }
    }
}

fn hand_out(
    workers: &[UnboundedSender<Share>],
    address: SocketAddr,
    sockets: WorkerSockets,
    serving: Serving,
) -> OpenListener {
    let local = sockets.first().and_then(|socket| socket.local_addr().ok()).unwrap_or(address);
    let serving = Arc::new(ArcSwap::from_pointee(serving));
    let (phase, phases) = watch::channel(Phase::Serve);
    let kept = sockets.iter().filter_map(|socket| socket.try_clone().ok()).collect();
    for (worker, socket) in workers.iter().cycle().zip(sockets) {
        let share = Share { socket, serving: Arc::clone(&serving), phase: phases.clone() };
        if worker.send(share).is_err() {
            tracing::error!(%address, "a worker has ended and serves no new listener");
        }
    }
    OpenListener { local, sockets: kept, serving, phase }
}

/// What a worker does: serves its shares until no more can come and all have ended.
async fn work<H: Handler>(shares: Option<UnboundedReceiver<Share>>, handler: H, worker: WorkerId) {
    let Some(mut shares) = shares else { return };
    let mut serving = JoinSet::new();
    loop {
        tokio::select! {
            share = shares.recv() => match share {
                Some(share) => serve_share(&mut serving, share, handler.clone(), worker),
                None => break,
            },
            Some(_) = serving.join_next() => {}
        }
    }
    serving.join_all().await;
}

fn serve_share<H: Handler>(serving: &mut JoinSet<()>, share: Share, handler: H, worker: WorkerId) {
    match tokio::net::TcpListener::from_std(share.socket) {
        Ok(socket) => {
            serving.spawn(listener::serve(socket, share.serving, handler, worker, share.phase));
        }
        Err(error) => tracing::error!(%error, "a listening socket cannot be served"),
    }
}

/// What follows an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterEvent {
    /// The process goes on.
    GoOn,
    /// Another process has taken over: this one drains, and systemd is told no more.
    HandedOver,
}

/// Runs until it is told to end: it serves, then drains within the time limit `drain`, and at [`Event::Stop`]
/// stops at once.
///
/// `act` does what a [`Event::Reload`], [`Event::Replace`] or [`Event::TakeOver`] asks. For a reload it reads the
/// configuration again, exchanges what the handlers go by and calls [`Runtime::apply`]; it tells its own faults
/// and leaves everything as it was. Of an [`Event::Drain`] it hears as the drain begins. systemd hears of each step.
pub async fn serve(
    mut runtime: Runtime,
    drain: impl Fn() -> Duration,
    mut events: Receiver<Event>,
    mut act: impl AsyncFnMut(&mut Runtime, Event) -> AfterEvent,
) {
    systemd::ready();
    let life = async {
        match handle_events(&mut runtime, &mut events, &mut act).await {
            End::Event(Some(Event::Stop)) => {
                systemd::stopping();
                stop(&mut runtime).await;
            }
            End::Event(_) => {
                systemd::stopping();
                act(&mut runtime, Event::Drain).await;
                wind_down(&mut runtime, drain(), &mut events).await;
            }
            // To systemd the service goes on: it is the other process.
            End::HandedOver => wind_down(&mut runtime, drain(), &mut events).await,
        }
    };
    tokio::select! {
        () = life => {}
        () = systemd::feed_watchdog() => {}
    }
    runtime.join();
}

/// Why the process serves no longer.
enum End {
    Event(Option<Event>),
    HandedOver,
}

async fn handle_events(
    runtime: &mut Runtime,
    events: &mut Receiver<Event>,
    act: &mut impl AsyncFnMut(&mut Runtime, Event) -> AfterEvent,
) -> End {
    loop {
        match events.recv().await {
            Some(Event::Reload) => {
                systemd::reloading();
                act(runtime, Event::Reload).await;
                systemd::ready();
            }
            Some(event @ (Event::Replace | Event::TakeOver)) => {
                if act(runtime, event).await == AfterEvent::HandedOver {
                    return End::HandedOver;
                }
            }
            end @ (Some(Event::Drain | Event::Stop) | None) => return End::Event(end),
        }
    }
}

async fn wind_down(runtime: &mut Runtime, limit: Duration, events: &mut Receiver<Event>) {
    runtime.enter(Phase::Drain(limit));
    let all = async {
        runtime.ended().await;
        let _ = tokio::time::timeout(limit, runtime.predecessors.gone()).await;
    };
    let stopped = tokio::select! {
        () = all => false,
        () = told_to_stop(events) => true,
    };
    if stopped {
        stop(runtime).await;
    }
}

async fn stop(runtime: &mut Runtime) {
    tracing::info!("ending at once");
    runtime.enter(Phase::Stop);
    runtime.ended().await;
}

/// Ends at the second signal. Other events change nothing in a drain, and that none can come any more is no
/// signal.
async fn told_to_stop(events: &mut Receiver<Event>) {
    while let Some(event) = events.recv().await {
        if event == Event::Stop {
            return;
        }
    }
    std::future::pending().await
}
