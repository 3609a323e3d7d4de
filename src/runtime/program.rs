//! The gateway as a process: everything is put together here, once, and taken apart again.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch as watched};

use super::{ApplyError, Event, Runtime, WATCH_INTERVAL, serve, signals, systemd, watch};
use crate::admin;
use crate::clock::Clock;
use crate::config::Settings;
use crate::forward::{Asserter, AssertionKey, AssertionKeyError};
use crate::gate::{BuildError, Foundations, Gate};
use crate::session::{EmbeddedStore, Sessions};
use crate::storage::{Database, StorageError, keys};
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

/// Reads the configuration again; `None` where it has faults, which have been reported then.
pub type Reload = Box<dyn Fn() -> Option<Settings> + Send + Sync>;

/// Runs the gateway until it is told to end. `ready` is called once it answers.
///
/// # Errors
/// Where it cannot start; nothing is left behind then.
pub async fn run(settings: Settings, reload: Reload, ready: impl FnOnce(&Gate) + Send) -> Result<(), StartError> {
    let workers = settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let foundations = foundations(&settings, workers).await?;
    let gate = Gate::new(&settings.gate(), foundations)?;
    let handler = gate.clone();
    let mut runtime = Runtime::start(workers, |_| handler.clone(), systemd::inherited()?, settings.drain)?;
    runtime.apply(&settings.listeners, settings.connections)?;
    if let Some(address) = settings.admin {
        open_admin(address, &gate).await?;
    }
    tokio::spawn(gate.clone().tend());
    let (send, events) = mpsc::channel(16);
    tokio::spawn(signals(send.clone())?);
    let (files, list) = watched::channel(settings.watched.clone());
    tokio::spawn(watch(list, WATCH_INTERVAL, send));
    announce(&runtime);
    ready(&gate);
    live(runtime, gate, settings.drain, events, files, reload).await;
    Ok(())
}

async fn live(
    runtime: Runtime,
    gate: Gate,
    drain: Duration,
    events: mpsc::Receiver<Event>,
    files: watched::Sender<Vec<std::path::PathBuf>>,
    reload: Reload,
) {
    let drain = Arc::new(std::sync::Mutex::new(drain));
    let at_end = Arc::clone(&drain);
    let lock = |drain: &std::sync::Mutex<Duration>| *drain.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    serve(runtime, move || lock(&at_end), events, async |runtime: &mut Runtime| {
        let Some(settings) = reload() else { return gate.reloaded(false) };
        files.send_replace(settings.watched.clone());
        let applied = apply(runtime, &gate, &settings);
        if let Err(error) = &applied {
            tracing::error!(%error, "the new configuration was refused; the old one goes on");
        } else {
            *drain.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = settings.drain;
            tracing::info!(routes = settings.routes.len(), "the configuration was reloaded");
        }
        gate.reloaded(applied.is_ok());
    })
    .await;
}

/// The gate first: it may refuse without having changed anything, as the listeners may.
fn apply(runtime: &mut Runtime, gate: &Gate, settings: &Settings) -> Result<(), StartError> {
    let prepared = gate.prepare(&settings.gate())?;
    runtime.apply(&settings.listeners, settings.connections)?;
    prepared.put_in_place();
    Ok(())
}

async fn foundations(settings: &Settings, workers: usize) -> Result<Foundations, StartError> {
    let clock = Clock::system();
    let database = open(settings.state.as_deref())?;
    let flow_key = keys::load_or_create(&database, "flow-cookies").await?;
    let signing = keys::load_or_create_with(&database, "assertion", new_assertion_key).await?;
    let issuer = settings.relying_party.public_url.as_ref().map_or("portcullis", |url| url.as_str().trim_end_matches('/'));
    let asserter = Asserter::new(issuer, AssertionKey::from_pkcs8(&signing)?, &[], clock.clone());
    let store = Arc::new(EmbeddedStore::new(database));
    let sessions = Sessions::new(settings.session.clone(), store, clock.clone());
    let metrics = Metrics::new();
    Ok(Foundations::new(workers, clock, metrics, Arc::new(sessions), *flow_key, Arc::new(asserter), Handle::current()))
}

fn open(state: Option<&Path>) -> Result<Database, StorageError> {
    state.map_or_else(Database::in_memory, Database::open)
}

fn new_assertion_key() -> zeroize::Zeroizing<Vec<u8>> {
    // An empty key is refused by who reads it: without randomness the gateway does not start.
    zeroize::Zeroizing::new(AssertionKey::generate().map(|key| key.pkcs8().to_vec()).unwrap_or_default())
}

async fn open_admin(address: SocketAddr, gate: &Gate) -> Result<(), StartError> {
    let listener = TcpListener::bind(address).await.map_err(|error| StartError::Admin(address, error))?;
    let gate = gate.clone();
    let readiness = move || gate.readiness();
    tokio::spawn(admin::serve(listener, admin::Sources { readiness: Arc::new(readiness), metrics: gate.metrics() }));
    Ok(())
}

fn announce(runtime: &Runtime) {
    for (_, address) in runtime.addresses() {
        tracing::info!(%address, "listening");
    }
}
