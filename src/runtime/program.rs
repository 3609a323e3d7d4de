//! The gateway as a process: everything is put together here, once, and taken apart again.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch as watched};
use zeroize::Zeroizing;

use super::open_files::within_open_files;
use super::{ApplyError, Draining, Event, Runtime, WATCH_INTERVAL, observe, serve, signals, systemd, watch};
use crate::admin::{self, AdminSettings};
use crate::clock::Clock;
use crate::config::Settings;
use crate::forward::{Asserter, AssertionKey, AssertionKeyError};
use crate::gate::{BuildError, Foundations, Gate, SealingKeys};
use crate::listener::ConnectionLimits;
use crate::session::{EmbeddedStore, Sessions};
use crate::storage::{Database, StateHealth, StorageError, keys};
use crate::telemetry::Metrics;

/// Why the gateway does not start. Each text says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state file.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A listener.
    #[error(transparent)]
    Listen(#[from] ApplyError),
    /// The admin listener.
    #[error("[admin] listen: cannot listen on {0}: {1}")]
    Admin(SocketAddr, #[source] io::Error),
    /// The settings make no gate.
    #[error(transparent)]
    Gate(#[from] BuildError),
    /// The key that signs assertions.
    #[error("the assertion key in the state file cannot be used: {0}")]
    AssertionKey(#[from] AssertionKeyError),
    /// The system.
    #[error("the system refused a thread, a signal handler or a socket: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// Whether it is a state file that no further start can use before somebody has mended it.
    #[must_use]
    pub fn is_unusable_state(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_final(),
            Self::Listen(_) | Self::Admin(..) | Self::Gate(_) | Self::AssertionKey(_) | Self::System(_) => {
                false
            }
        }
    }
}

/// Reads the configuration again; `None` where it has faults, which have been reported then.
pub type Reload = Box<dyn Fn() -> Option<Settings> + Send + Sync>;

/// Runs the gateway until it is told to end. `ready` is called once it answers.
///
/// # Errors
/// Where it cannot start; nothing is left behind then.
pub async fn run(settings: Settings, reload: Reload, ready: impl FnOnce() + Send) -> Result<(), StartError> {
    let workers =
        settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let (send, events) = mpsc::channel(16);
    let (files, list) = watched::channel(settings.watched.clone());
    let watching = watch(list, WATCH_INTERVAL, send.clone());
    // Before anybody can know that we are there: a SIGHUP that nobody listens for ends the process.
    let signals = signals(send)?;
    let database = open(settings.state.as_deref())?;
    let foundations = foundations(&settings, workers, &database).await?;
    let sessions = foundations.sessions.clone();
    let gate = Gate::new(&settings.gate(), foundations)?;
    let inherited = systemd::inherited()?;
    tell_of_unlisted(&inherited, &settings);
    let mut runtime = Runtime::start(workers, |_| gate.clone(), inherited, settings.drain)?;
    runtime.apply(&settings.listeners, bounded(&settings, workers))?;
    observe::listeners(&gate.metrics(), &runtime);
    observe::state(&gate.metrics(), database.health(), &sessions);
    if let Some(admin) = &settings.admin {
        open_admin(admin, &gate, database.health(), runtime.draining()).await?;
    }
    tokio::spawn(database.tend());
    tokio::spawn(sessions.clone().maintain());
    tokio::spawn(signals);
    tokio::spawn(watching);
    runtime.addresses().for_each(|(_, address)| tracing::info!(%address, "listening"));
    ready();
    Reloading { gate, running: settings, workers, files, reload }.live(runtime, events).await;
    if let Err(error) = sessions.flush().await {
        tracing::error!(%error, "when sessions were last used could not be written");
    }
    Ok(())
}

/// Names sockets of systemd that no listener has the address of: who connects there waits for ever.
fn tell_of_unlisted(inherited: &[std::net::TcpListener], settings: &Settings) {
    let listed =
        |address: &SocketAddr| settings.listeners.iter().any(|listener| listener.address == *address);
    for address in inherited.iter().filter_map(|socket| socket.local_addr().ok()).filter(|it| !listed(it)) {
        tracing::warn!(
            %address,
            "systemd has passed a socket that nobody answers on: no listener has its address; write it in \
             `[server] listen` as it stands in `ListenStream=`, or take it out there"
        );
    }
}

/// What a reload changes.
struct Reloading {
    gate: Gate,
    /// The settings in force.
    running: Settings,
    workers: usize,
    files: watched::Sender<Vec<PathBuf>>,
    reload: Reload,
}

impl Reloading {
    async fn live(mut self, runtime: Runtime, events: mpsc::Receiver<Event>) {
        // Seconds, shared because the drain is asked for while the reload still holds the rest.
        let drain = Arc::new(AtomicU64::new(self.running.drain.as_secs()));
        let at_end = Arc::clone(&drain);
        let limit = move || Duration::from_secs(at_end.load(Ordering::Relaxed));
        serve(runtime, limit, events, async |runtime: &mut Runtime| {
            self.again(runtime);
            drain.store(self.running.drain.as_secs(), Ordering::Relaxed);
        })
        .await;
    }

    fn again(&mut self, runtime: &mut Runtime) {
        let settings = (self.reload)();
        let good = settings.is_some_and(|settings| self.take(runtime, settings));
        self.gate.reloaded(good);
    }

    fn take(&mut self, runtime: &mut Runtime, settings: Settings) -> bool {
        self.files.send_replace(settings.watched.clone());
        if let Err(error) = apply(runtime, &self.gate, &settings, self.workers) {
            tracing::error!(%error, "the new configuration was refused; the old one goes on");
            return false;
        }
        observe::listeners(&self.gate.metrics(), runtime);
        for key in unchangeable(&self.running, &settings) {
            tracing::warn!(key, "this key has changed and takes effect at the next start only");
        }
        tracing::info!(routes = settings.routes.len(), "the configuration was reloaded");
        self.running = settings;
        true
    }
}

/// Keys that a running process cannot follow.
fn unchangeable(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let keys = [
        ("server.state", old.state != new.state),
        ("server.workers", old.workers != new.workers),
        ("admin.listen", admin_address(old) != admin_address(new)),
        ("admin.hosts", admin_hosts(old) != admin_hosts(new)),
        ("session.cache_capacity", old.session.cache_capacity != new.session.cache_capacity),
        ("log.format", old.log.format != new.log.format),
        ("log.level", old.log.level != new.log.level),
    ];
    keys.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

fn admin_address(settings: &Settings) -> Option<SocketAddr> {
    settings.admin.as_ref().map(|admin| admin.address)
}

fn admin_hosts(settings: &Settings) -> &[String] {
    settings.admin.as_ref().map_or(&[], |admin| &admin.hosts)
}

fn bounded(settings: &Settings, workers: usize) -> ConnectionLimits {
    within_open_files(settings.connections, settings.listeners.len(), workers)
}

/// The gate first: it may refuse without having changed anything, as the listeners may.
fn apply(runtime: &mut Runtime, gate: &Gate, settings: &Settings, workers: usize) -> Result<(), StartError> {
    let prepared = gate.prepare(&settings.gate())?;
    runtime.apply(&settings.listeners, bounded(settings, workers))?;
    prepared.put_in_place();
    Ok(())
}

async fn foundations(
    settings: &Settings,
    workers: usize,
    database: &Database,
) -> Result<Foundations, StartError> {
    let clock = Clock::system();
    let flow = keys::load_or_create(database, "flow-cookies").await?;
    let form = keys::load_or_create(database, "kept-forms").await?;
    let sealing = SealingKeys { flow: *flow, form: cookie::Key::from(&*form) };
    let signing = keys::load_or_create_with(database, "assertion", new_assertion_key).await?;
    let public = settings.relying_party.public_url.as_ref();
    let issuer = public.map_or("portcullis", |url| url.as_str().trim_end_matches('/'));
    let asserter = Arc::new(Asserter::new(issuer, AssertionKey::from_pkcs8(&signing)?, &[], clock.clone()));
    let store = Arc::new(EmbeddedStore::new(database.clone()));
    let sessions = Sessions::new(settings.session.clone(), store, clock.clone());
    let (metrics, background) = (Metrics::new(), Handle::current());
    Ok(Foundations::new(workers, clock, metrics, sessions, sealing, asserter, background))
}

fn open(state: Option<&Path>) -> Result<Database, StorageError> {
    state.map_or_else(Database::in_memory, Database::open)
}

fn new_assertion_key() -> Zeroizing<Vec<u8>> {
    // An empty key is refused by who reads it: without randomness the gateway does not start.
    Zeroizing::new(AssertionKey::generate().map(|key| key.pkcs8().to_vec()).unwrap_or_default())
}

async fn open_admin(
    settings: &AdminSettings,
    gate: &Gate,
    state: &StateHealth,
    draining: Draining,
) -> Result<(), StartError> {
    let (address, hosts) = (settings.address, settings.hosts.clone());
    let listener = TcpListener::bind(address).await.map_err(|error| StartError::Admin(address, error))?;
    let (gate, state, metrics) = (gate.clone(), state.clone(), gate.metrics());
    let readiness = Arc::new(move || observe::missing(&gate, &state, &draining));
    tokio::spawn(admin::serve(listener, admin::Sources { readiness, metrics, hosts }));
    Ok(())
}
