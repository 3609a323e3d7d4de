//! A reload: another configuration in the place of the one that runs, at once and whole, or not at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::console::Loaded;
use super::open_files::within_open_files;
use super::verifying::RecordState;
use super::{ApplyError, Runtime, observe, recipients};
use crate::admin::AdminSettings;
use crate::config::{self, ChangedKey, Settings};
use crate::events::{Change, ConfigurationChanged, ConfigurationRefused, Recorder};
use crate::gate::{BuildError, Gate};
use crate::listener::ConnectionLimits;
use crate::secret::Secret;
use crate::sinks::{ApplyError as SinkApplyError, Audit, Exporter};

/// Reads the configuration again; `None` where it has faults, which have been reported then.
pub type Reload = Box<dyn Fn() -> Option<Settings> + Send + Sync>;

/// Why a configuration that reads well is not put in place.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// No gate can be built from it.
    #[error(transparent)]
    Gate(#[from] BuildError),
    /// A listener of `[server] listen` cannot be opened.
    #[error(transparent)]
    Listen(#[from] ApplyError),
    /// A sink of `[audit]` cannot be opened.
    #[error(transparent)]
    Sink(#[from] SinkApplyError),
}

/// What a reload changes, and how it learns what to.
pub(super) struct Reloading {
    pub(super) gate: Gate,
    /// Who keeps what happens.
    pub(super) audit: Arc<Audit>,
    /// What brings metrics and traces to a collector.
    pub(super) exporter: Arc<Exporter>,
    /// Where it is told.
    pub(super) recorder: Recorder,
    /// The settings in force.
    pub(super) running: Settings,
    pub(super) workers: usize,
    pub(super) files: watch::Sender<Vec<PathBuf>>,
    /// What callers of the management API show.
    pub(super) token: watch::Sender<Option<Secret>>,
    /// What it shows as the configuration in force.
    pub(super) written: watch::Sender<Arc<Value>>,
    /// What the console shows and explains by.
    pub(super) loaded: watch::Sender<Arc<Loaded>>,
    /// How long each key of assertions signs.
    pub(super) rotation: watch::Sender<Duration>,
    /// How long each key signs what the record holds.
    pub(super) rotate_record: watch::Sender<Duration>,
    /// What verifies it.
    pub(super) record: RecordState,
    pub(super) reload: Reload,
}

impl Reloading {
    /// Reads the configuration and puts it in place, whole, or tells what is wrong with it.
    pub(super) fn again(&mut self, runtime: &mut Runtime) {
        let settings = (self.reload)();
        let good = match settings {
            Some(settings) => self.take(runtime, settings),
            None => {
                self.record_refused(&self.running.file, "it has faults, which the log names");
                false
            }
        };
        self.gate.reloaded(good);
    }

    fn take(&mut self, runtime: &mut Runtime, settings: Settings) -> bool {
        self.files.send_replace(settings.watched.clone());
        if let Err(error) = self.apply(runtime, &settings) {
            self.record_refused(&settings.file, &error.to_string());
            return false;
        }
        observe::listeners(&self.gate.metrics(), runtime);
        for key in unchangeable(&self.running, &settings) {
            tracing::warn!(key, "this key has changed and takes effect at the next start only");
        }
        if settings.exports != self.running.exports {
            self.exporter.change(settings.exports.clone());
        }
        self.token.send_replace(admin(&settings, |admin| admin.token.clone()));
        self.rotation.send_replace(settings.rotate_assertion_key);
        self.rotate_record.send_replace(settings.checkpoints.rotate_key);
        self.record.change(&settings);
        self.written.send_replace(Arc::clone(&settings.written));
        let loaded = self.loaded.borrow().replaced_by(&settings);
        self.loaded.send_replace(Arc::new(loaded));
        self.record_changes(&settings);
        self.running = settings;
        true
    }

    fn record_refused(&self, file: &Path, reason: &str) {
        let file = file.to_string_lossy();
        self.recorder.emit(&ConfigurationRefused { file: &file, count: None, reason, by: None });
        self.loaded.borrow().refuse(reason);
    }

    fn record_changes(&self, settings: &Settings) {
        let changed = config::changes(&self.running.written, &settings.written);
        let mut changes = Vec::with_capacity(changed.len());
        for ChangedKey { key, before, after } in &changed {
            changes.push(Change { key, before: before.as_deref(), after: after.as_deref() });
        }
        self.recorder.emit(&ConfigurationChanged {
            file: &settings.file.to_string_lossy(),
            changes: &changes,
            count: u64::try_from(changes.len()).ok(),
            by: None,
        });
    }

    /// Prepares gate and sinks, opens listeners, and puts all in place. Whatever refuses does so before that; then
    /// everything goes on as it was.
    fn apply(&self, runtime: &mut Runtime, settings: &Settings) -> Result<(), ReloadError> {
        let prepared = self.gate.prepare(&settings.gate())?;
        let sinks = self.audit.prepare(&settings.keepers())?;
        runtime.apply(&settings.listeners, bounded(settings, self.workers))?;
        sinks.put_in_place();
        recipients::in_force(settings, self.recorder.clock());
        self.audit.keep_tail(settings.has_console());
        prepared.put_in_place();
        Ok(())
    }
}

/// Keys that have changed although a running process cannot follow them.
fn unchangeable(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let keys = [
        ("server.state", old.state != new.state),
        ("state.key", old.state_keys != new.state_keys),
        ("state.redis", old.redis != new.redis),
        ("server.workers", old.workers != new.workers),
        ("admin.listen", admin(old, |admin| admin.address) != admin(new, |admin| admin.address)),
        ("admin.hosts", admin(old, |admin| &admin.hosts[..]) != admin(new, |admin| &admin.hosts[..])),
        ("admin.socket", admin_socket(old) != admin_socket(new)),
        ("session.cache_capacity", old.session.cache_capacity != new.session.cache_capacity),
        ("audit.pseudonym_key", old.pseudonym_key != new.pseudonym_key),
        ("audit.memory", old.record_memory != new.record_memory),
        ("audit.checkpoint_file", old.checkpoint_file() != new.checkpoint_file()),
        ("log.format", old.log.format != new.log.format),
        ("log.level", old.log.level != new.log.level),
    ];
    keys.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

/// A key of `[admin]`, or what stands for it where there is no such table.
fn admin<'s, T: Default>(settings: &'s Settings, key: impl Fn(&'s AdminSettings) -> T) -> T {
    settings.admin.as_ref().map(key).unwrap_or_default()
}

fn admin_socket(settings: &Settings) -> Option<&Path> {
    admin(settings, |admin| admin.socket.as_deref())
}

/// How many connections the listeners may have, within what the system lets this process open.
pub(super) fn bounded(settings: &Settings, workers: usize) -> ConnectionLimits {
    within_open_files(settings.connections, settings.listeners.len(), workers)
}
