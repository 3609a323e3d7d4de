//! The gateway as a process: everything is put together here, once, and taken apart again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch as watched};

use super::admin_socket::{AdminSocketError, AdminSockets, Predecessor};
use super::assertion_keys::{AssertionKeys, AssertionKeysError};
use super::checkpoints::{AskCheckpoint, Checkpoints, CheckpointsError, Sources};
use super::console::{Loaded, ThisProcess};
use super::control::{self, Control, OfferedSockets, Predecessors, Released, TakeOverError};
use super::lifecycle::Lifecycle;
use super::reload::{Reload, Reloading, bounded};
use super::session_engine::SessionEngine;
use super::verifying::Verifying;
use super::{ApplyError, Runtime, WATCH_INTERVAL, observe, recipients, signals, systemd, watch};
use crate::admin::{AdminSettings, AdminSources};
use crate::clock::Clock;
use crate::config::Settings;
use crate::endpoints::SealingKeys;
use crate::events::{ConfigurationLoaded, ProcessEnded, ProcessStarted, Recorder};
use crate::gate::{BuildError, Foundations, Gate, Observers, Stores};
use crate::history::History;
use crate::replicas::SharedHeads;
use crate::secret::SealingKey;
use crate::session::{MovableStore, Sessions, StateKeys};
use crate::sinks::{ApplyError as SinkApplyError, Audit, Exporter, LogSink, PseudonymKey, Unwritten};
use crate::storage::{Database, ServerKeys, StorageError};
use crate::telemetry::Metrics;
use crate::trace::TraceMaker;

/// Spans of recorded requests that may wait for a collector: some megabytes.
const WAITING_SPANS: usize = 16_384;

/// How long sinks have for what happened last.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why the gateway does not start. Each text says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state file, or the Redis that gateways share, cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A listener of `[server] listen` cannot be opened.
    #[error(transparent)]
    Listen(#[from] ApplyError),
    /// Operators cannot be answered as `[admin]` says.
    #[error(transparent)]
    Admin(#[from] AdminSocketError),
    /// No gate can be built from the settings.
    #[error(transparent)]
    Gate(#[from] BuildError),
    /// A sink cannot be opened.
    #[error(transparent)]
    Sink(#[from] SinkApplyError),
    /// The stored keys that sign assertions cannot be used.
    #[error("the assertion keys in the state file cannot be used: {0}")]
    AssertionKeys(#[from] AssertionKeysError),
    /// What the record holds cannot be signed.
    #[error(transparent)]
    Checkpoints(#[from] CheckpointsError),
    /// The key that seals what is kept of sessions cannot be derived.
    #[error("no key for what is kept of sessions can be derived from the one in the state file")]
    StateKey,
    /// The gateway that runs did not let this one take over.
    #[error(transparent)]
    TakeOver(#[from] TakeOverError),
    /// The system refused what a process needs.
    #[error("the system refused a thread, a signal handler or a socket: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// Whether it is about a state file that no start can use before it has been repaired.
    #[must_use]
    pub fn is_unusable_state(&self) -> bool {
        match self {
            Self::Storage(error) | Self::AssertionKeys(AssertionKeysError::Storage(error)) => {
                error.is_final()
            }
            Self::Checkpoints(CheckpointsError::Storage(error)) => error.is_final(),
            Self::Listen(_)
            | Self::Checkpoints(_)
            | Self::Admin(_)
            | Self::Gate(_)
            | Self::Sink(_)
            | Self::AssertionKeys(_)
            | Self::StateKey
            | Self::TakeOver(_)
            | Self::System(_) => false,
        }
    }
}

/// How the process begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// By itself, with sockets of its own or of systemd's.
    Fresh,
    /// In place of the gateway that runs with the same state file; by itself where none does.
    TakeOver,
}

/// Runs the gateway until it is told to end. `ready` is called once it answers.
///
/// # Errors
/// Where it cannot start; nothing is left behind then, and a gateway that it was to take over from goes on.
pub async fn run(
    settings: Settings,
    reload: Reload,
    start: Start,
    log: &LogSink,
    ready: impl FnOnce() + Send,
) -> Result<(), StartError> {
    let workers =
        settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let begun = Instant::now();
    let (send, events) = mpsc::channel(16);
    let (files, list) = watched::channel(settings.watched.clone());
    let watching = watch(list, WATCH_INTERVAL, send.clone());
    // Before anything else is done: a SIGHUP that nobody handles ends the process.
    let signals = signals(send.clone())?;
    let (released, received) = released(start, &settings).await?;
    // One process at a time holds the state file: a gateway that this one takes over from has closed it by
    // now.
    let database = settings.state.as_deref().map_or_else(Database::in_memory, Database::open)?;
    let (engine, replica) = SessionEngine::start(&settings).await.map_err(StorageError::from)?;
    let store = MovableStore::new(engine.store(database.clone()));
    let keys = engine.keys(&database, &secrets(&settings))?;
    let recorder = Recorder::new(workers, Clock::system(), settings.record_memory);
    let audit = Audit::start(recorder.clone(), log)?.with_pseudonyms(pseudonyms(&settings, &keys).await?);
    let audit = Arc::new(audit);
    audit.apply(&settings.keepers())?;
    recipients::in_force(&settings, &Clock::system());
    audit.keep_tail(settings.has_console());
    let traces = TraceMaker::new(Clock::system(), WAITING_SPANS);
    let observers = Observers { metrics: Metrics::new(), recorder: recorder.clone(), traces };
    let exporter = Arc::new(Exporter::start(observe::exports(&observers))?);
    database.health().record_to(&recorder);
    engine.record_to(&recorder);
    let heads = engine.heads(&secrets(&settings));
    let checkpoints = checkpoints(&settings, &database, &audit, &recorder, heads).await?;
    let (foundations, assertion_keys) =
        foundations(&settings, workers, observers, keys, &engine, store.clone()).await?;
    let sessions = foundations.sessions.clone();
    let console = foundations.console.clone();
    let gate = Gate::new(&settings.gate(), foundations)?;
    let inherited: Vec<_> = systemd::inherited()?.into_iter().chain(received.inherited).collect();
    tell_of_unlisted(&inherited, &settings);
    let mut runtime = Runtime::start(workers, |_| gate.clone(), inherited, settings.drain)?;
    runtime.receive(received.listeners);
    runtime.apply(&settings.listeners, bounded(&settings, workers))?;
    observe::listeners(&gate.metrics(), &runtime);
    observe::sinks(&gate.metrics(), &audit, &recorder);
    observe::collector(&gate.metrics(), &exporter);
    exporter.change(settings.exports.clone());
    observe::state(&gate.metrics(), database.health(), &sessions);
    observe::shared(&gate.metrics(), &engine, replica.as_ref());
    let verifying = Verifying::start(&settings, &recorder, Clock::system())?;
    observe::record(&gate.metrics(), verifying.state());
    let predecessors = runtime.predecessors();
    let told = Arc::new(observe::ReadinessSources {
        gate: gate.clone(),
        audit: Arc::clone(&audit),
        record: verifying.state(),
        state: database.health().clone(),
        shared: observe::SharedSources::of(&engine, replica.as_ref()),
        draining: runtime.draining(),
        predecessors: predecessors.clone(),
    });
    let (loaded, shown_settings) = watched::channel(Arc::new(Loaded::first(&settings)));
    let turns = assertion_keys.turns();
    let (rotate, asked) = mpsc::channel(1);
    let operations = observe::operations(&sessions, &recorder, &audit, &send, rotate);
    let history = Arc::new(History::new(Clock::system().now()));
    tokio::spawn(super::console::keep(Arc::clone(&history), gate.metrics()));
    let shown = (shown_settings.clone(), turns, history);
    console.show(Arc::new(ThisProcess::new(Arc::clone(&told), operations.clone(), shown)));
    let (token, shown) = watched::channel(settings.admin.as_ref().and_then(|admin| admin.token.clone()));
    let (written, shown_configuration) = watched::channel(Arc::clone(&settings.written));
    let (rotation, every) = watched::channel(settings.rotate_assertion_key);
    let (rotate_record, every_record) = watched::channel(settings.checkpoints.rotate_key);
    let (ask_checkpoint, asked_checkpoint) = AskCheckpoint::new();
    let predecessor = if released.is_some() { Predecessor::Running } else { Predecessor::None };
    let sources = |admin: &AdminSettings| AdminSources {
        metrics: gate.metrics(),
        hosts: admin.hosts.clone(),
        token: shown,
        management: observe::management(&gate, operations, &audit, shown_configuration, shown_settings),
        readiness: Arc::new(move || told.missing()),
    };
    let admin = settings
        .admin
        .as_ref()
        .map(|admin| AdminSockets::open(admin, received.admin, predecessor, &sources(admin)));
    let mut admin = admin.transpose()?;
    let before = released.as_ref().and_then(Released::process);
    // Everything is ready to serve: only now may the old process stop.
    if let Some(released) = released {
        go_on(released, &sessions, &predecessors).await;
    }
    admin.iter_mut().for_each(AdminSockets::publish);
    let control = Control::open(&settings, &database, engine, store, &sessions, &send);
    tokio::spawn(database.tend());
    // The store alone holds it from now on: so it is closed as soon as a take-over has the store let go of
    // it.
    drop(database);
    tokio::spawn(sessions.clone().maintain());
    tokio::spawn(assertion_keys.run(every, asked));
    tokio::spawn(checkpoints.run(every_record, asked_checkpoint));
    replica.map(|replica| tokio::spawn(replica.follow(sessions.clone())));
    tokio::spawn(signals);
    tokio::spawn(watching);
    runtime.addresses().for_each(|(_, address)| tracing::info!(%address, "listening"));
    let file = settings.file.to_string_lossy();
    recorder.emit(&ConfigurationLoaded { file: &file, count: u64::try_from(settings.routes.len()).ok() });
    recorder.emit(&ProcessStarted {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        before,
        workers: u64::try_from(workers).ok(),
        file: settings.file.to_str(),
    });
    ready();
    let reloading = Reloading {
        gate,
        audit: Arc::clone(&audit),
        exporter: Arc::clone(&exporter),
        recorder: recorder.clone(),
        running: settings,
        workers,
        files,
        token,
        written,
        loaded,
        rotation,
        rotate_record,
        record: verifying.state(),
        reload,
    };
    Lifecycle { reloading, control, admin }.run(runtime, events).await;
    if let Err(error) = sessions.flush().await {
        tracing::error!(%error, "when sessions were last used could not be written");
    }
    exporter.stop();
    recorder.tell_left_out();
    recorder.emit(&ProcessEnded { pid: std::process::id(), reason: None, served: Some(begun.elapsed()) });
    // What is signed before the sinks end leaves by them; what is signed then is all that they have written.
    ask_checkpoint.sign().await;
    let left = audit.stop(LAST_WORDS);
    ask_checkpoint.sign().await;
    for Unwritten { name, events } in left {
        tracing::error!(sink = %name, events, "a sink has not taken all that happened before the end");
    }
    // Last of all: it may be in the midst of something.
    drop(verifying);
    Ok(())
}

/// What pseudonyms follow from: what the operator has given for it, or a key that lies with the gateway's others.
async fn pseudonyms(settings: &Settings, keys: &ServerKeys) -> Result<PseudonymKey, StorageError> {
    match &settings.pseudonym_key {
        Some(secret) => Ok(PseudonymKey::of(secret.expose().as_bytes())),
        None => Ok(PseudonymKey::of(keys.load_or_create("pseudonyms").await?.as_slice())),
    }
}

/// What signs what the record holds. Its key is this gateway's own, in the state file of this machine.
async fn checkpoints(
    settings: &Settings,
    database: &Database,
    audit: &Audit,
    recorder: &Recorder,
    heads: Option<SharedHeads>,
) -> Result<Checkpoints, CheckpointsError> {
    let keys = ServerKeys::new(database.clone(), &secrets(settings));
    let host = settings.relying_party.public_url.as_ref().and_then(|url| url.host_str());
    let sources = Sources {
        file: settings.checkpoint_file(),
        chained: settings.chained().next().is_some() || settings.in_postgres().next().is_some(),
        ties: audit.ties(),
        heads,
        recorder: recorder.clone(),
        clock: Clock::system(),
    };
    Checkpoints::open(&keys, host.unwrap_or("portcullis"), sources).await
}

/// Has the gateway that runs, if one does, give up its sockets and then its state file.
async fn released(
    start: Start,
    settings: &Settings,
) -> Result<(Option<Released>, OfferedSockets), StartError> {
    if start == Start::Fresh {
        return Ok((None, OfferedSockets::default()));
    }
    let state = settings.state.as_deref().ok_or(TakeOverError::NoState)?;
    match control::ask(state).await? {
        Some(offer) => {
            let (released, sockets) = offer.release().await?;
            Ok((Some(released), sockets))
        }
        None => {
            tracing::info!("no gateway runs with this state file; there is nothing to take over");
            Ok((None, OfferedSockets::default()))
        }
    }
}

/// Tells the old process that this one answers requests. Where it is lost in this moment, it has ended, and
/// this one goes on: it holds everything by now.
async fn go_on(released: Released, sessions: &Sessions, predecessors: &Predecessors) {
    if let Err(error) = released.serving(sessions, predecessors).await {
        tracing::warn!(%error, "the process before this one was lost in the take-over");
    }
}

/// Warns of sockets from systemd whose address no listener has: the kernel lets clients connect there, and
/// nobody answers them.
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

/// The keys are let go of with it: whoever holds them holds the state file, which a take-over waits for to be closed.
async fn foundations(
    settings: &Settings,
    workers: usize,
    observers: Observers,
    keys: ServerKeys,
    engine: &SessionEngine,
    store: MovableStore,
) -> Result<(Foundations, AssertionKeys), StartError> {
    let clock = Clock::system();
    let flow = keys.load_or_create("flow-cookies").await?;
    let form = keys.load_or_create("kept-forms").await?;
    let signals = keys.load_or_create("signals").await?;
    let sealing = SealingKeys {
        flow: SealingKey::of_server_key(&flow),
        form: SealingKey::of_server_key(&form),
        signals: SealingKey::of_server_key(&signals),
    };
    let public = settings.relying_party.public_url.as_ref();
    let issuer = public.map_or("portcullis", |url| url.as_str().trim_end_matches('/'));
    let assertion_keys =
        AssertionKeys::open(&keys, issuer, &clock).await?.recorded_by(observers.recorder.clone());
    let cards = keys.load_or_create("cards").await?;
    let state_keys = state_keys(settings, cards.as_slice()).ok_or(StartError::StateKey)?;
    let sessions = Sessions::new(settings.session.clone(), Arc::new(store), state_keys, clock.clone());
    let replicas = engine.replicas(&secrets(settings), &clock).ok_or(StartError::StateKey)?;
    let stores = Stores { sessions, replicas };
    let (asserter, background) = (assertion_keys.asserter(), Handle::current());
    let foundations = Foundations::new(workers, clock, observers, stores, sealing, asserter, background);
    Ok((foundations, assertion_keys))
}

fn secrets(settings: &Settings) -> Vec<&[u8]> {
    settings.state_keys.iter().map(|key| key.expose().as_bytes()).collect()
}

/// The operator's keys, and behind them the one of the state file's own: it seals where there are no others, and opens
/// what it sealed before there were.
fn state_keys(settings: &Settings, own: &[u8]) -> Option<StateKeys> {
    let secrets: Vec<_> = secrets(settings).into_iter().chain([own]).collect();
    let keys = StateKeys::derive(&secrets)?;
    Some(if settings.redis.is_some() { keys.for_a_shared_store() } else { keys })
}
